//! Signals to a daemon.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{Detached, pids};
use crate::bench::{Bench, is_alive, pid, signal, sleeper, stack, until};

#[test]
fn term_stops_in_order() {
    let services = "  db: { command: [sh, -c, \"trap 'echo db ends; exit 0' TERM; echo set; while :; do sleep 0.01; done\"] }
  api: { command: [sh, -c, \"trap 'echo api ends; exit 0' TERM; echo set; while :; do sleep 0.01; done\"], dependsOn: [db] }
";
    for to_keeper in [true, false] {
        let bench = Bench::new(services);
        let daemon = Detached::up(&bench);
        until("both have said so", || bench.orco(&["logs"]).out.matches("set").count() == 2);
        let (keeper, engine) = (daemon.keeper(), daemon.engine());
        let before = pids(&bench);
        signal(if to_keeper { keeper } else { engine }, Signal::SIGTERM);
        until("all is gone", || !is_alive(keeper) && !is_alive(engine));
        assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
        let ends = bench.orco(&["logs", "-o", "raw", "--grep", "ends"]).out;
        assert_eq!(ends, "api ends\ndb ends\n");
        assert_eq!(bench.orco(&["status"]).code, Some(3));
        assert!(daemon.log().contains("SIGTERM: stopping everything in order"), "{}", daemon.log());
    }
}

#[test]
fn the_second_signal_kills() {
    let bench = Bench::new(
        "  deaf:
    command: [sh, -c, \"trap '' TERM INT; echo deaf; while :; do sleep 0.01; done\"]
    stop: { timeout: 10m }
",
    );
    let daemon = Detached::up(&bench);
    until("it is deaf", || bench.orco(&["logs"]).out.contains("deaf"));
    let (keeper, deaf) = (daemon.keeper(), pid(&bench.service("deaf")));
    signal(keeper, Signal::SIGTERM);
    bench.until("deaf", "stopping", |s| s["state"] == "Stopping");
    assert!(is_alive(deaf));
    let begun = Instant::now();
    signal(keeper, Signal::SIGTERM);
    until("all is gone", || !is_alive(deaf) && !is_alive(keeper));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn hup_reads_the_file_again() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    bench.write("stack.yaml", &stack("demo", &(sleeper("a") + &sleeper("b"))));
    signal(daemon.keeper(), Signal::SIGHUP);
    until("the new one is there", || bench.json(&["status", "-o", "json"])["services"]["b"]["ready"] == true);
    assert_eq!(pids(&bench)[0], before[0]);

    bench.write("stack.yaml", &stack("demo", "  a: { comand: [x] }\n"));
    signal(daemon.engine(), Signal::SIGHUP);
    until("it says what is wrong", || daemon.log().contains("nothing is changed"));
    assert!(daemon.log().contains("comand"), "{}", daemon.log());
    assert_eq!(pids(&bench).len(), 2);
}
