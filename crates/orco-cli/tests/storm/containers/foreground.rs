//! G4 with containers: a foreground `up` that is killed leaves no container, network or volume without a name.

use std::{
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    dock,
    mixed::{Crate, Mixed},
    witness::Witness,
};
use crate::{
    census,
    dice::Dice,
    fleet::{Act, LIMIT, Ship, figure, kill9, promised, rounds},
    strike::{Times, holders},
};

/// As the issue has it.
const SOON: Duration = Duration::from_secs(5);

/// Ends what a failed test would leave.
struct Foreground(Child);

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn stack() -> Mixed {
    let scratch = "volumes: [\"/scratch\", \"data:/data\"]";
    let crates = vec![
        Crate::counts("counts").with(scratch),
        Crate::deaf("deaf").with("volumes: [\"/scratch\"]"),
        Crate::new("served", "exec httpd -f -p 80 -h /").with("ports: [\"80\"]").with("health: { tcp: {} }"),
        Crate::stays("late").with("dependsOn: [served]"),
    ];
    Mixed::new(vec![Ship::new("stay", Act::Stay), Ship::new("tree", Act::Tree)], crates)
}

/// Kills it so far into its life; how long something was left.
fn killed(mixed: &Mixed, moment: Duration, keeper_too: bool) -> Duration {
    let context = format!("killed {moment:?} after its start, keeper too: {keeper_too}");
    let mut command = mixed.fleet.command(&["up", "--no-tui"]);
    let mut up = Foreground(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let witness = Witness::start(&mixed.label());
    sleep(moment);
    let keepers = if keeper_too { holders(&mixed.fleet).keepers } else { Vec::new() };
    let _ = up.0.kill();
    keepers.into_iter().for_each(|pid| _ = kill9(pid));
    let begun = Instant::now();
    let _ = up.0.wait();
    // What is in flight at the engine may come after the first look.
    let mut clean = None;
    let mut nameless = witness.end().nameless;
    while clean.is_none_or(|since: Instant| since.elapsed() < Duration::from_millis(700)) {
        nameless.extend(mixed.found().into_iter().flat_map(|one| one.nameless));
        let mut left = mixed.left(&nameless);
        left.extend(census::processes(&mixed.fleet.tag).into_iter().map(|process| format!("{process:?}")));
        clean = if left.is_empty() { clean.or_else(|| Some(Instant::now())) } else { None };
        assert!(begun.elapsed() < LIMIT, "{context}: left: {left:#?}");
        sleep(Duration::from_millis(20));
    }
    let took = clean.unwrap() - begun;
    assert!(took < promised(SOON), "{context}: clean only after {took:?}");
    took
}

#[test]
fn killed_it_leaves_nothing() {
    if !dock::ready() {
        return;
    }
    let mixed = stack();
    let (mut dice, mut times) = (Dice::new("containers, foreground"), Times::default());
    for round in 0..rounds(4) {
        let moment = dice.moment(Duration::from_millis(3500), Duration::from_millis(1200));
        times.push(killed(&mixed, moment, round % 2 == 1));
    }
    // What has a name stays, unless none was ever made.
    let named = dock::volumes(&mixed.of_stack());
    assert!(named.is_empty() || named == [format!("{}-data", mixed.id().unwrap())], "{named:?}");
    figure(&format!("G4 containers (clean instead of right): {}", times.say()));
}
