//! Behind Orco's back: others kill, remove, rename, pause and restart containers. The status says so, what ended is
//! started once, what lives is kept, and at no moment are there two.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

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

/// What others end.
const REPLACED: [&str; 3] = ["killed", "removed", "stopped"];

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

/// One replacement, and it is told: in this status, beside these containers.
fn replaced(status: &Value, running: &Seats, name: &str, before: &Seats) -> bool {
    let (service, seat) = (&status["services"][name], format!("{name}.0"));
    let container = service["instances"][0]["container"].as_str().unwrap_or_default();
    service["restarts"] == 1
        && service["ready"] == true
        && running.get(&seat).is_some_and(|now| now.starts_with(container) && *now != before[&seat])
}

fn kept(status: &Value, running: &Seats, name: &str, before: &Seats) {
    let (service, seat) = (&status["services"][name], format!("{name}.0"));
    assert_eq!(service["restarts"], 0, "{service}");
    assert_eq!(running.get(&seat), Some(&before[&seat]), "{service}");
}

/// One that was restarted by others: whoever looked while it was ended starts another; else it is the same.
fn is_one(status: &Value, running: &Seats, name: &str, before: &Seats) -> bool {
    let (service, seat) = (&status["services"][name], format!("{name}.0"));
    let same = running.get(&seat) == Some(&before[&seat]);
    service["ready"] == true && running.contains_key(&seat) && service["restarts"] == u64::from(!same)
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

    let mut took: BTreeMap<&str, Duration> = BTreeMap::new();
    until("all that ended is replaced, and who is paused is not ready", || {
        let (status, running) = (mixed.status(), mixed.running());
        let mut note = |name, is: bool| {
            if is {
                took.entry(name).or_insert_with(|| begun.elapsed());
            }
            is
        };
        let ended = REPLACED.map(|name| note(name, replaced(&status, &running, name, &before)));
        let paused = note("paused", status["services"]["paused"]["ready"] == false);
        let restarted = note("restarted", is_one(&status, &running, "restarted", &before));
        kept(&status, &running, "paused", &before);
        ended.iter().all(|is| *is) && paused && restarted
    });
    assert!(begun.elapsed() < promised(SOON), "{took:?}");
    assert!(exits(&mixed, "killed").len() == 1, "{:#?}", exits(&mixed, "killed"));
    post("paused", "unpause");
    until("who goes on is ready", || mixed.fleet.service("paused")["ready"] == true);

    let status = mixed.status();
    let now = mixed.check("in the end");
    kept(&status, &now, "paused", &before);
    kept(&status, &now, "renamed", &before);
    let calm: Seats = now.clone().into_iter().filter(|(seat, id)| before.get(seat) == Some(id)).collect();
    assert_eq!(untruth(&mixed, &status, &calm, &processes), None);
    mixed.fleet.down();
    let seen = witness.end();
    assert_eq!(mixed.left(&seen.nameless), Vec::<String>::new());
    assert!(seen.doubles.is_empty(), "{:#?}", seen.doubles);
    for name in REPLACED {
        assert_eq!(seen.ran[&format!("{name}.0")].len(), 2, "{name} was started more than once: {:?}", seen.ran);
    }
    figure(&format!("behind its back: {took:?}; {} looks, never two", seen.looks));
}
