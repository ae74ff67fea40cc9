//! G1 with containers: kill -9 of the engine, the keeper, or both at random moments of a stack of containers and
//! processes. Nothing is started again, doubled or left; no line of output is lost or doubled.

use std::{
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    dock,
    look::untruth,
    mixed::{Crate, Mixed, Seats},
    output,
    witness::Witness,
};
use crate::{
    census,
    dice::Dice,
    fleet::{Act, LIMIT, Ship, figure, promised, rounds, until},
    strike::{Times, Whom, holders, strike},
    truth::{Mains, mains, service},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum While {
    Up,
    Idle,
    Apply,
}

/// What a stack lives through before it is taken down.
const DAILY: [While; 3] = [While::Up, While::Idle, While::Apply];
const FULL: [While; 5] = [While::Up, While::Idle, While::Apply, While::Idle, While::Apply];

/// What `apply` changes.
const PAINTED: [&str; 2] = ["painted", "stay"];

fn stack() -> Mixed {
    let ships = vec![
        Ship::new("stay", Act::Stay),
        Ship::new("tree", Act::Tree),
        Ship::new("write", Act::Write).after("served"),
        Ship::new("probed", Act::Probed),
    ];
    let mut counts = Crate::counts("counts").with("stop: { timeout: 5s }");
    counts.replicas = 2;
    let crates = vec![
        counts,
        Crate::deaf("deaf"),
        Crate::new("served", "exec httpd -f -p 80 -h /").with("ports: [\"80\"]").with("health: { tcp: {} }"),
        Crate::new("kept", "echo afloat; exec sleep 100000")
            .with("health: { log: { pattern: afloat } }")
            .with("volumes: [\"data:/data\", \"/scratch\"]"),
        Crate::stays("painted").with("env: { PAINT: \"0\" }").with("dependsOn: [kept]"),
    ];
    Mixed::new(ships, crates)
}

struct Storm {
    whom: Whom,
    mixed: Mixed,
    dice: Dice,
    times: Times,
    known: Seats,
    known_mains: Mains,
    context: String,
    paint: u32,
}

impl Storm {
    fn begin(&mut self, what: While) -> Option<Child> {
        match what {
            While::Up => Some(self.mixed.fleet.spawn(&["up", "-d"])),
            While::Idle => None,
            While::Apply => {
                self.paint += 1;
                self.mixed.ships[0].paint = self.paint;
                let painted = self.mixed.crates.last_mut().unwrap();
                painted.keys[2] = format!("env: {{ PAINT: \"{}\" }}", self.paint);
                self.mixed.write();
                Some(self.mixed.fleet.spawn(&["apply"]))
            }
        }
    }

    /// One blow. `false`: there was nobody to strike at that moment.
    fn round(&mut self, what: While) -> bool {
        let moment = self.dice.moment(Duration::from_millis(3000), Duration::from_millis(600));
        self.context = format!("{:?} killed {moment:?} into {what:?}", self.whom);
        let child = self.begin(what);
        sleep(moment);
        let touched = |seat: &str| PAINTED.contains(&service(seat)) && what == While::Apply;
        let mut untouched = if what == While::Up { self.mixed.running() } else { self.known.clone() };
        untouched.retain(|seat, _| !touched(seat));
        let mut still = self.known_mains.clone();
        still.retain(|seat, _| !touched(seat));
        let struck = strike(&self.mixed.fleet, self.whom, &mut self.dice);
        if self.whom == Whom::Both && struck.is_some() && what != While::Up {
            let done = self.mixed.fleet.orco(&["up", "-d"]);
            // What was to be changed may not be so yet.
            assert!(matches!(done.code, Some(0 | 4)), "{}: {done:?}\n{}", self.context, self.mixed.fleet.daemon_log());
        }
        if let Some(struck) = struck.filter(|_| what != While::Up) {
            self.until_true(struck, &untouched, &still);
        }
        if child.is_some_and(|child| self.mixed.fleet.finish(child, &self.context).code != Some(0)) || what == While::Up
        {
            let again: &[&str] = if what == While::Up { &["up", "-d"] } else { &["apply"] };
            let done = self.mixed.fleet.orco(again);
            assert_eq!(done.code, Some(0), "{}: {done:?}\n{}", self.context, self.mixed.fleet.daemon_log());
        }
        self.settled(&untouched, &still);
        struck.is_some()
    }

    /// From the blow until status tells the truth.
    fn until_true(&mut self, struck: Instant, untouched: &Seats, still: &Mains) {
        let mut why = String::new();
        loop {
            match self.mixed.fleet.status().map(|status| untruth(&self.mixed, &status, untouched, still)) {
                Some(None) => break,
                Some(Some(untrue)) => why = untrue,
                None => why.push_str("; no answer"),
            }
            // What matters comes last: of long words the end is what is seen.
            assert!(struck.elapsed() < LIMIT, "{}\n{}: {why}", self.mixed.fleet.daemon_log(), self.context);
            sleep(Duration::from_millis(5));
        }
        self.times.push(struck.elapsed());
    }

    /// All is ready, nothing was touched that was not to be, and nothing was ever restarted.
    fn settled(&mut self, untouched: &Seats, still: &Mains) {
        let begun = Instant::now();
        loop {
            let why = match self.mixed.fleet.status() {
                Some(status) => match self.unready(&status) {
                    None => untruth(&self.mixed, &status, untouched, still),
                    unready => unready,
                },
                None => Some("no answer".to_owned()),
            };
            let Some(why) = why else { break };
            assert!(
                begun.elapsed() < LIMIT * 2,
                "{}\n{:#?}\n{}: it does not settle: {why}",
                self.mixed.fleet.daemon_log(),
                self.mixed.found(),
                self.context
            );
            sleep(Duration::from_millis(20));
        }
        self.mixed.fleet.check(&self.mixed.ships);
        self.known = self.mixed.check(&self.context);
        self.known_mains = mains(&self.mixed.fleet);
        for (seat, id) in untouched {
            assert_eq!(self.known.get(seat), Some(id), "{}: {seat} is another container", self.context);
        }
    }

    fn unready(&self, status: &Value) -> Option<String> {
        let names = self.mixed.ships.iter().map(|ship| &ship.name).chain(self.mixed.crates.iter().map(|one| &one.name));
        names.map(|name| (name, &status["services"][name])).find_map(|(name, service)| {
            let fine = service["ready"] == true && service["ready_replicas"] == service["replicas"];
            // A process whose start was under way when its keeper died is started again, and that counts.
            let calm = service["restarts"] == 0 || self.mixed.ships.iter().any(|ship| ship.name == **name);
            (!fine || !calm).then(|| format!("{name}: {service}"))
        })
    }

    /// The lines of the counters are whole, and nothing but the named volume stays.
    fn down(&mut self) -> u64 {
        self.mixed.fleet.ok(&["stop", "counts"]);
        let text = self.mixed.fleet.ok(&["logs", "counts", "-o", "json"]).out;
        let lines = output::whole(&text, 2, &self.context);
        let scratch: Vec<String> = self.mixed.found().into_iter().flat_map(|one| one.nameless).collect();
        assert_eq!(scratch.len(), 1, "{}: {:#?}", self.context, self.mixed.found());
        self.mixed.fleet.down();
        let left = self.mixed.left(&scratch);
        assert!(left.is_empty(), "{}: left after down: {left:#?}\n{}", self.context, self.mixed.fleet.daemon_log());
        let named = dock::volumes(&self.mixed.of_stack());
        assert_eq!(named, [format!("{}-data", self.mixed.id().unwrap())], "{}", self.context);
        until("engine and keeper are gone", || holders(&self.mixed.fleet) == Default::default());
        assert!(census::processes(&self.mixed.fleet.tag).is_empty());
        (self.known, self.known_mains) = Default::default();
        lines
    }
}

fn storm(whom: Whom) {
    if !dock::ready() {
        return;
    }
    let wanted = rounds(DAILY.len());
    let life: &[While] = if wanted > DAILY.len() { &FULL } else { &DAILY };
    let (times, known, known_mains) = Default::default();
    let (dice, context) = (Dice::new(&format!("containers, {whom:?}")), String::new());
    let mut storm = Storm { whom, mixed: stack(), dice, times, known, known_mains, context, paint: 0 };
    let witness = Witness::start(&storm.mixed.label());
    let (mut struck, mut lines) = (0, 0);
    while struck < wanted {
        for what in life {
            struck += usize::from(storm.round(*what));
        }
        lines += storm.down();
    }
    let seen = witness.end();
    assert!(seen.doubles.is_empty(), "{:#?}", seen.doubles);
    figure(&format!(
        "G1 containers, {whom:?}: {struck} kills, {} seen from outside; {lines} lines, none lost or doubled; {} looks",
        storm.times.say(),
        seen.looks
    ));
    assert!(storm.times.percentile(99) < promised(Duration::from_secs(4)), "too slow: {}", storm.times.say());
}

#[test]
fn engine() {
    storm(Whom::Engine);
}

#[test]
fn keeper() {
    storm(Whom::Keeper);
}

#[test]
fn both() {
    storm(Whom::Both);
}
