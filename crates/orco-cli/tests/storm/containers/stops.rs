//! G6, G19 and G38 with containers: what ignores the stop signal ends at the kill with all its children, and want of
//! memory is told.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    dock,
    mixed::{Crate, Mixed},
};
use crate::{
    census,
    fleet::{figure, promised, rounds, until},
};

const STOP: Duration = Duration::from_secs(1);

/// The processes of a container, by their pids on this machine.
fn pids(container: &str) -> Vec<i32> {
    let top = dock::must("GET", &format!("/containers/{container}/top?ps_args=-eo%20pid,comm"), None);
    let rows = top["Processes"].as_array().into_iter().flatten();
    rows.map(|row| row[0].as_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn what_ignores_the_stop_signal_is_gone_at_the_kill() {
    if !dock::ready() {
        return;
    }
    let script = "trap \"\" TERM INT HUP; for i in $$(seq 20); do setsid sh -c \"while :; do sleep 1; done\" & done; \
                  echo afloat; while :; do sleep 1; done";
    let hostile =
        Crate::new("hostile", script).with("stop: { timeout: 1s }").with("health: { log: { pattern: afloat } }");
    let mixed = Mixed::new(Vec::new(), vec![hostile, Crate::stays("other")]);
    mixed.fleet.ok(&["up", "-d", "--wait"]);
    let other = mixed.container("other");
    let (mut first, mut last) = (Duration::MAX, Duration::ZERO);
    let count = rounds(2).min(20);
    for round in 0..count {
        let container = mixed.container("hostile");
        let mut all = Vec::new();
        until("it has its children", || {
            all = pids(&container);
            all.len() >= 21
        });
        let begun = Instant::now();
        let stop = mixed.fleet.spawn(&["stop", "hostile"]);
        until("all its processes are gone", || all.iter().all(|pid| !census::alive(*pid)));
        let took = begun.elapsed();
        let done = stop.wait_with_output().unwrap();
        assert!(done.status.success(), "round {round}: {done:?}\n{}", mixed.fleet.daemon_log());
        assert!(!mixed.running().contains_key("hostile.0"), "round {round}");
        assert!(took >= STOP - Duration::from_millis(20), "round {round}: killed already after {took:?}");
        assert!(took < STOP + promised(Duration::from_secs(1)), "round {round}: gone only after {took:?}");
        (first, last) = (first.min(took), last.max(took));
        if round + 1 < count {
            mixed.fleet.ok(&["start", "hostile"]);
            until("it is up", || mixed.fleet.service("hostile")["ready"] == true);
        }
    }
    assert_eq!(mixed.container("other"), other);
    mixed.fleet.down();
    assert_eq!(mixed.left([]), Vec::<String>::new());
    figure(&format!("G6, G19 containers: {count} stops with a timeout of {STOP:?}: gone after {first:?} to {last:?}"));
}

#[test]
fn want_of_memory_is_told() {
    if !dock::ready() {
        return;
    }
    let greedy = Crate::new("greedy", "echo eats; tail /dev/zero")
        .with("resources: { memory: 16MiB }")
        .with("restartPolicy: { condition: never }");
    let mixed = Mixed::new(Vec::new(), vec![greedy, Crate::stays("other")]);
    mixed.fleet.ok(&["up", "-d"]);
    until("it has failed", || mixed.fleet.service("greedy")["state"] == "Failed");
    let service = mixed.fleet.service("greedy");
    assert_eq!(service["exit"]["oom"], true, "{service}");
    assert!(service["message"].as_str().unwrap().contains("memory"), "{service}");
    let events = mixed.fleet.ok(&["events"]).out;
    let told = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["service"] == "greedy" && event.to_string().contains("memory")
    };
    assert!(events.lines().any(told), "{events}");
    assert_eq!(mixed.fleet.service("other")["restarts"], 0);
    mixed.container("other");
    // The engine is not to be the one that the machine ends in want of memory.
    let score = |pid: i32| -> i32 {
        std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap().trim().parse().unwrap()
    };
    let theirs = pids(&mixed.container("other")).into_iter().map(score).min().unwrap();
    assert!(score(mixed.fleet.engine().unwrap()) <= theirs, "the engine's score is above a container's");
    mixed.fleet.down();
    assert_eq!(mixed.left([]), Vec::<String>::new());
}
