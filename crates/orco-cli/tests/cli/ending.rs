//! How a foreground `up` ends.

use nix::sys::signal::Signal;

use crate::bench::{Bench, is_alive, pid, sleeper, until};

#[test]
fn by_itself_when_all_is_done() {
    let bench = Bench::new(
        "  a: { kind: oneshot, command: [sh, -c, \"echo one\"] }
  b: { kind: oneshot, command: [sh, -c, \"echo two\"], dependsOn: [{ target: a, require: completed }] }
",
    );
    let mut up = bench.up_at_once(&[]);
    let end = up.end();
    assert_eq!(end.code, Some(0), "{end:?}");
    assert_eq!(end.out, "a/0 | one\nb/0 | two\n");
    assert!(end.err.contains("b/0 * completed"), "{}", end.err);
}

#[test]
fn with_1_when_something_failed() {
    let bench = Bench::new(
        "  bad: { kind: oneshot, command: [sh, -c, \"echo no good >&2; exit 3\"], restartPolicy: { condition: never } }
  next: { command: [sleep, \"1000\"], dependsOn: [{ target: bad, require: completed }] }
",
    );
    let mut up = bench.up_at_once(&[]);
    let end = up.end();
    assert_eq!(end.code, Some(1), "{end:?}");
    assert!(end.err.contains("exit code 3"), "{}", end.err);
    assert_eq!(end.out, "bad/0  | no good\n");
}

#[test]
fn in_order_at_the_first_signal() {
    let services = "  db: { command: [sh, -c, \"trap 'echo db ends; exit 0' TERM; while :; do sleep 0.01; done\"] }
  api: { command: [sh, -c, \"trap 'echo api ends; exit 0' TERM; while :; do sleep 0.01; done\"], dependsOn: [db] }
";
    for (with, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 0), (Signal::SIGHUP, 0)] {
        let bench = Bench::new(services);
        let mut up = bench.up(&[]);
        bench.until_ready("api");
        up.signal(with);
        let end = up.end();
        assert_eq!(end.code, Some(code), "{with}: {end:?}");
        let ends: Vec<_> = end.out.lines().filter(|l| l.ends_with(" ends")).collect();
        assert_eq!(ends, ["api/0 | api ends", "db/0  | db ends"], "{with}");
    }
}

#[test]
fn at_once_at_the_second_signal() {
    let bench = Bench::new(
        "  deaf:
    command: [sh, -c, \"trap '' TERM INT; echo deaf; while :; do sleep 0.01; done\"]
    stop: { timeout: 10m }
",
    );
    let mut up = bench.up(&[]);
    let deaf = pid(&bench.until_ready("deaf"));
    until("it is deaf by now", || up.out().contains("deaf"));
    up.signal(Signal::SIGINT);
    bench.until("deaf", "stopping", |s| s["state"] == "Stopping");
    assert!(is_alive(deaf));
    up.signal(Signal::SIGINT);
    let end = up.end();
    assert_eq!(end.code, Some(130), "{end:?}");
    assert!(!is_alive(deaf));
}

#[test]
fn at_any_phase() {
    // A signal that arrives before, while and after the first things are started.
    let bench = Bench::new(&(sleeper("a") + &sleeper("b")));
    for wait_ms in [0_u64, 5, 10, 20, 40, 80] {
        let mut up = bench.up_at_once(&[]);
        // The moment is the point of the test: there is nothing to poll for.
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        up.signal(Signal::SIGINT);
        let end = up.end();
        // Killed by the signal before it was caught, or orderly: nothing was left in either case.
        assert!(matches!(end.code, Some(130) | None), "{wait_ms}: {end:?}");
        assert_eq!(bench.orco(&["status"]).code, Some(3));
    }
}

#[test]
fn with_1_when_it_takes_too_long() {
    let bench = Bench::new(
        "  slow:
    command: [sh, -c, \"exec sleep 1000\"]
    health: { interval: 50ms, cmd: { command: [\"false\"] } }
",
    );
    let mut up = bench.up_at_once(&["--timeout", "300ms"]);
    let end = up.end();
    assert_eq!(end.code, Some(1), "{end:?}");
    assert!(end.err.contains("not ready in time: slow is Starting"), "{}", end.err);
}

#[test]
fn down_with_a_limit_kills_what_is_left() {
    let bench = Bench::new(
        "  deaf:
    command: [sh, -c, \"trap '' TERM; echo deaf; while :; do sleep 0.01; done\"]
    stop: { timeout: 10m }
",
    );
    let mut up = bench.up(&[]);
    until("it is deaf by now", || up.out().contains("deaf"));
    assert_eq!(bench.orco(&["down", "--timeout", "200ms"]).code, Some(0));
    assert_eq!(up.end().code, Some(0));
}
