//! Behind Orco's back: others kill, remove, rename, pause and restart containers. The status says so, what ended is
//! started once, what lives is kept, and at no moment are there two.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    dock,
    look::untruth,
    mixed::{Crate, Mixed, Seats},
    witness::Witness,
};
use crate::{
    fleet::{Act, Ship, figure, promised, until},
    truth::{Mains, mains},
};

/// Scenario 21 of the user stories.
const SOON: Duration = Duration::from_secs(15);

fn stack() -> Mixed {
    let quick = "restartPolicy: { backoff: { min: 200ms, max: 400ms } }";
    let health =
        "health: { interval: 200ms, timeout: 200ms, failureThreshold: 2, gracePeriod: 0s, http: { path: /ok } }";
    let paused =
        Crate::new("paused", "echo ok > /tmp/ok; exec httpd -f -p 80 -h /tmp").with("ports: [\"80\"]").with(health);
    let mut crates: Vec<Crate> =
        ["killed", "removed", "renamed", "restarted", "stopped"].map(Crate::stays).into_iter().collect();
    crates.push(paused);
    let crates = crates.into_iter().map(|one| one.with(quick)).collect();
    Mixed::new(vec![Ship::new("stay", Act::Stay)], crates)
}

/// One replacement, and how it is told.
fn replaced(mixed: &Mixed, name: &str, before: &Seats) -> bool {
    let service = mixed.fleet.service(name);
    let instance = &service["instances"][0];
    let container = instance["container"].as_str().unwrap_or_default();
    let seat = format!("{name}.0");
    service["restarts"] == 1
        && service["ready"] == true
        && mixed.running().get(&seat).is_some_and(|now| now.starts_with(container) && *now != before[&seat])
}

fn kept(mixed: &Mixed, name: &str, before: &Seats) {
    let (service, seat) = (mixed.fleet.service(name), format!("{name}.0"));
    assert_eq!(service["restarts"], 0, "{service}");
    assert_eq!(mixed.running().get(&seat), Some(&before[&seat]), "{service}");
}

fn exits(mixed: &Mixed, name: &str) -> Vec<Value> {
    let events = mixed.fleet.ok(&["events"]).out;
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["service"] == name && event["type"] == "ServiceCrashed").collect()
}

#[test]
fn what_others_do_is_seen_and_mended_once() {
    if !dock::ready() {
        return;
    }
    let mixed = stack();
    let witness = Witness::start(&mixed.label());
    mixed.fleet.ok(&["up", "-d", "--wait"]);
    let before = mixed.check("at first");
    let processes: Mains = mains(&mixed.fleet);
    let of = |name: &str| before[&format!("{name}.0")].clone();
    let post = |name: &str, what: &str| drop(dock::must("POST", &format!("/containers/{}/{what}", of(name)), None));

    // All at once.
    let begun = Instant::now();
    post("paused", "pause");
    post("killed", "kill");
    dock::must("DELETE", &format!("/containers/{}?force=1", of("removed")), None);
    post("renamed", &format!("rename?name=another-{}", &mixed.fleet.tag));
    post("stopped", "stop?t=5");
    post("restarted", "restart?t=5");

    let mut took = Vec::new();
    for name in ["killed", "removed", "stopped"] {
        until(&format!("{name} is replaced"), || replaced(&mixed, name, &before));
        took.push(format!("{name} {:?}", begun.elapsed()));
    }
    assert!(begun.elapsed() < promised(SOON), "{took:?}");
    assert!(exits(&mixed, "killed").len() == 1, "{:#?}", exits(&mixed, "killed"));
    until("who is paused is not ready", || mixed.fleet.service("paused")["ready"] == false);
    took.push(format!("paused told {:?}", begun.elapsed()));
    kept(&mixed, "paused", &before);
    post("paused", "unpause");
    until("who goes on is ready", || mixed.fleet.service("paused")["ready"] == true);
    kept(&mixed, "paused", &before);
    kept(&mixed, "renamed", &before);
    // Whoever looked while it was ended starts another; else it is the same.
    until("who was restarted runs once", || mixed.fleet.service("restarted")["ready"] == true);
    let restarts = mixed.fleet.service("restarted")["restarts"].as_u64().unwrap();
    assert!(restarts <= 1, "{restarts}");
    assert_eq!(restarts == 0, mixed.container("restarted") == of("restarted"), "{restarts}");

    let status = mixed.status();
    let now = mixed.check("in the end");
    let calm: Seats = now.clone().into_iter().filter(|(seat, id)| before.get(seat) == Some(id)).collect();
    assert_eq!(untruth(&mixed, &status, &calm, &processes), None);
    mixed.fleet.down();
    let seen = witness.end();
    assert_eq!(mixed.left(&seen.nameless), Vec::<String>::new());
    assert!(seen.doubles.is_empty(), "{:#?}", seen.doubles);
    for name in ["killed", "removed", "stopped"] {
        assert_eq!(seen.ran[&format!("{name}.0")].len(), 2, "{name} was started more than once: {:?}", seen.ran);
    }
    figure(&format!("behind its back: {}; {} looks, never two", took.join(", "), seen.looks));
}
