//! What happens when somebody is killed.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{Detached, marked, pids, pids_of};
use crate::bench::{Bench, is_alive, pid, signal, sleeper, until};

fn three() -> Bench {
    Bench::new(&(sleeper("db") + "  api: { command: [sleep, \"1000\"], replicas: 2, dependsOn: [db] }\n"))
}

/// The status must be true again within two seconds.
fn recovered(bench: &Bench, before: &[(String, i32)]) {
    let begun = Instant::now();
    let status = bench.json(&["status", "-o", "json"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(pids_of(&status), before);
    for (_, service) in status["services"].as_object().unwrap() {
        assert_eq!(service["restarts"], 0, "{service}");
    }
}

#[test]
fn a_killed_engine_is_replaced_and_no_service_notices() {
    let bench = three();
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    let last = || bench.json(&["events", "--tail", "1"])["seq"].as_u64().unwrap();
    let seq = last();
    for _ in 0..3 {
        let engine = daemon.engine();
        signal(engine, Signal::SIGKILL);
        recovered(&bench, &before);
        until("another engine", || daemon.engine() != engine);
        assert!(last() > seq);
    }
    assert!(bench.orco(&["events"]).out.contains("EngineRecovered"));
    // It has not forgotten how to stop.
    daemon.down();
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
}

#[test]
fn a_killed_keeper_is_replaced_and_no_service_notices() {
    let bench = three();
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    for _ in 0..2 {
        let (engine, keeper) = (daemon.engine(), daemon.keeper());
        signal(keeper, Signal::SIGKILL);
        until("another keeper", || daemon.meta()["keeper_pid"].as_i64().is_some_and(|pid| pid != i64::from(keeper)));
        recovered(&bench, &before);
        assert_eq!(daemon.engine(), engine);
        assert!(is_alive(daemon.keeper()));
    }
    // The new one watches the engine as the old one did.
    signal(daemon.engine(), Signal::SIGKILL);
    recovered(&bench, &before);
    daemon.down();
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
}

#[test]
fn after_both_were_killed_up_takes_over() {
    let bench = three();
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    daemon.kill_both();
    assert!(before.iter().all(|(_, pid)| is_alive(*pid)), "services live on");
    let status = bench.orco(&["status"]);
    assert_eq!(status.code, Some(3), "{status:?}");
    assert!(status.err.contains("`orco up -d` takes them over, `orco down` stops them"), "{}", status.err);
    let up = bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    recovered(&bench, &before);
    daemon.down();
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
}

#[test]
fn after_both_were_killed_a_changed_file_is_applied() {
    let bench = three();
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    daemon.kill_both();
    let api = "  api: { command: [sleep, \"1001\"], replicas: 2, dependsOn: [db] }\n";
    bench.write("stack.yaml", &crate::bench::stack("demo", &(sleeper("db") + api)));
    assert_eq!(bench.orco(&["up", "-d"]).code, Some(0));
    let replaced = |name: &str, before: &[(String, i32)], after: &[(String, i32)]| {
        let of = |all: &[(String, i32)]| all.iter().filter(|(n, _)| n.starts_with(name)).cloned().collect::<Vec<_>>();
        of(before).iter().all(|one| !of(after).contains(one))
    };
    until("api is replaced", || bench.service("api")["ready_replicas"] == 2 && replaced("api", &before, &pids(&bench)));
    assert_eq!(pid(&bench.service("db")), before[0].1);
    until("the old ones are gone", || before[1..].iter().all(|(_, pid)| !is_alive(*pid)));
}

#[test]
fn after_both_were_killed_down_stops_what_is_left() {
    let bench = three();
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    daemon.kill_both();
    // Only what was remembered counts.
    bench.write("stack.yaml", "[");
    daemon.down();
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
    let left = marked(bench.dir.path().to_str().unwrap());
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(bench.orco(&["down"]).code, Some(3));
}

#[test]
fn after_both_were_killed_a_foreground_up_begins_anew() {
    let bench = three();
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    daemon.kill_both();
    let up = bench.up_at_once(&[]);
    // Between the daemon that stops the old ones and the new life nobody answers for a moment.
    until("it runs in the foreground", || {
        let done = bench.orco(&["status", "-o", "json"]);
        let status = serde_json::from_str(&done.out).unwrap_or(serde_json::Value::Null);
        status["mode"] == "foreground" && status["services"]["api"]["ready_replicas"] == 2
    });
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
    assert!(up.err().contains("services of a killed daemon may still run: stopping them first"), "{}", up.err());
    assert_eq!(bench.json(&["status", "-o", "json"])["mode"], "foreground");
    drop(up);
    drop(daemon);
}

#[test]
fn after_a_reboot_it_starts_cleanly() {
    let bench = three();
    let daemon = Detached::up(&bench);
    assert_eq!(bench.orco(&["scale", "api=3"]).code, Some(0));
    let before = pids(&bench);
    assert_eq!(before.len(), 4);
    daemon.kill_both();
    for (_, pid) in &before {
        signal(*pid, Signal::SIGKILL);
    }
    until("all are gone", || before.iter().all(|(_, pid)| !is_alive(*pid)));
    let up = bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let after = pids(&bench);
    assert!(after.iter().all(|(_, pid)| !before.iter().any(|(_, old)| old == pid)), "{before:?} {after:?}");
    let logs = bench.orco(&["logs", "db", "-o", "raw"]).out;
    assert_eq!(logs.matches("db is here").count(), 2, "{logs}");
}

#[test]
fn a_down_goes_on_after_the_engine_was_killed() {
    let bench = Bench::new(
        "  slow: { command: [sh, -c, \"trap 'sleep 1; exit 0' TERM; echo set; while :; do sleep 0.01; done\"] }\n",
    );
    let daemon = Detached::up(&bench);
    until("the trap is set", || bench.orco(&["logs"]).out.contains("set"));
    let slow = pid(&bench.service("slow"));
    let (engine, keeper) = (daemon.engine(), daemon.keeper());
    let mut down = bench.command(&["down"]).spawn().unwrap();
    bench.until("slow", "stopping", |s| s["state"] == "Stopping");
    signal(engine, Signal::SIGKILL);
    until("all is gone", || !is_alive(slow) && !is_alive(keeper));
    let _ = crate::bench::wait(&mut down, &["down"]);
    assert_eq!(bench.orco(&["status"]).code, Some(3));
}
