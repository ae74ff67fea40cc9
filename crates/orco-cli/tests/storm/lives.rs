//! G1: thirty services, and kill -9 of the engine, the keeper, or both at a random moment of everything that a stack
//! does in its life. Afterwards all is as it was, as fast as one can look.

use std::{
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    census,
    dice::Dice,
    fleet::{Act, Done, Fleet, LIMIT, Ship, figure, rounds, thirty, until},
    strike::{Times, Whom, holders, strike},
    truth::{Mains, Marks, lie, mains, service},
};

/// What is under way when the blow comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum While {
    Up,
    Idle,
    Restart,
    Apply,
    Down,
}

const LIFE: [While; 5] = [While::Up, While::Idle, While::Restart, While::Apply, While::Down];

/// What is restarted by hand; the second has others that depend on it.
const RESTARTED: [&str; 4] = ["steady18", "steady02", "tree1", "write0"];

struct Storm {
    whom: Whom,
    fleet: Fleet,
    ships: Vec<Ship>,
    dice: Dice,
    marks: Marks,
    times: Times,
    /// Of status and processes that must be as they were.
    known: Mains,
    once: usize,
    /// How often it was asked up.
    ups: u64,
    context: String,
}

impl Storm {
    fn new(whom: Whom) -> Self {
        let ships = thirty();
        let (marks, times, known) = Default::default();
        let (fleet, dice) = (Fleet::new(&ships), Dice::new(&format!("{whom:?}")));
        Self { whom, fleet, ships, dice, marks, times, known, once: 0, ups: 0, context: String::new() }
    }

    fn begin(&mut self, what: While) -> (Option<Child>, Vec<String>) {
        let mut touched = Vec::new();
        let arguments = match what {
            While::Idle => return (None, touched),
            While::Up => {
                self.ups += 1;
                vec!["up", "-d"]
            }
            While::Restart => {
                touched.extend(RESTARTED.map(str::to_owned));
                ["restart"].into_iter().chain(RESTARTED).collect()
            }
            While::Apply => {
                touched = self.change();
                vec!["apply"]
            }
            While::Down => vec!["down"],
        };
        (Some(self.fleet.spawn(&arguments)), touched)
    }

    /// Changes two, adds one or takes it away again.
    fn change(&mut self) -> Vec<String> {
        let mut touched = vec!["more".to_owned(), "less".to_owned()];
        for name in ["steady17", "tree2"] {
            let ship = self.ships.iter_mut().find(|ship| ship.name == name).unwrap();
            ship.paint += 1;
            touched.push(name.to_owned());
        }
        let (more, less) =
            if self.ships.iter().any(|ship| ship.name == "more") { ("less", "more") } else { ("more", "less") };
        self.ships.retain(|ship| ship.name != less);
        self.ships.push(Ship::new(more, Act::Stay).after("steady03"));
        self.fleet.write(&self.ships);
        touched
    }

    /// One blow. `false`: there was nobody to strike at that moment.
    fn round(&mut self, what: While, number: usize) -> bool {
        let moment = self.dice.moment(Duration::from_millis(3000), Duration::from_millis(400));
        self.context = format!("{:?} killed {moment:?} into {what:?} (round {number})", self.whom);
        let once_before = self.once;
        let (mut child, touched) = self.begin(what);
        let untouched: Mains = match what {
            While::Up | While::Down => Mains::new(),
            _ => self
                .known
                .clone()
                .into_iter()
                .filter(|(seat, _)| !touched.iter().any(|name| *name == service(seat)))
                .collect(),
        };
        sleep(moment);
        let struck = strike(&self.fleet, self.whom, &mut self.dice);
        if let Some(struck) = struck {
            self.recover(what, struck, &untouched, child.as_mut());
        }
        let done = child.map(|child| self.fleet.finish(child, &self.context));
        self.further(what, done.as_ref());
        if what == While::Down {
            self.is_down();
            self.once = 0;
            return struck.is_some();
        }
        let status = self.fleet.settled(&self.ships);
        self.fleet.check(&self.ships);
        self.marks.take_in(&status, &self.context);
        self.marks.events(&self.fleet, &self.context);
        self.counts(&status);
        self.known = mains(&self.fleet);
        for (seat, pid) in &untouched {
            assert_eq!(
                self.known.get(seat),
                Some(pid),
                "{}: {seat} was not to be touched\n{}",
                self.context,
                self.fleet.daemon_log()
            );
        }
        self.once = self.fleet.starts("once.0").len();
        if what != While::Up {
            assert_eq!(self.once, once_before, "{}: a oneshot ran again", self.context);
        }
        struck.is_some()
    }

    /// From the blow until it answers, and what it answers is so.
    fn recover(&mut self, what: While, struck: Instant, untouched: &Mains, child: Option<&mut Child>) {
        let mut tries = Vec::new();
        if self.whom == Whom::Both && what != While::Up {
            // A stack on its way down is asked down again, any other up.
            let done = if what == While::Down { self.fleet.orco(&["down"]) } else { self.fleet.orco(&["up", "-d"]) };
            let fine = match what {
                // One of the two came back by itself, or all was over already.
                While::Down => matches!(done.code, Some(0 | 3)),
                While::Apply => matches!(done.code, Some(0 | 4)),
                _ => done.code == Some(0),
            };
            assert!(fine, "{}: {done:?}\n{}", self.context, self.fleet.daemon_log());
            self.ups += 1;
        }
        let mut child = child;
        loop {
            let why = match self.fleet.status() {
                Some(status) => match lie(&self.fleet, &status, untouched) {
                    None => {
                        self.marks.take_in(&status, &self.context);
                        break;
                    }
                    Some(lie) => lie,
                },
                None if what == While::Down && census::processes(&self.fleet.tag).is_empty() => break,
                None => "it does not answer".to_owned(),
            };
            tries.push(format!("{:?}: {why}", struck.elapsed()));
            // A start that failed is told, and is to be made again; that is not this.
            if what == While::Up
                && child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some())
                && holders(&self.fleet).engines.is_empty()
            {
                return;
            }
            assert!(struck.elapsed() < LIMIT, "{}: no truth: {tries:#?}\n{}", self.context, self.fleet.daemon_log());
            sleep(Duration::from_millis(2));
        }
        let took = struck.elapsed();
        if took > slow() {
            figure(&format!("{}: {took:?}: {}", self.context, tries.last().map_or("", |last| last)));
        }
        self.times.push(took);
    }

    /// One further command reaches what was wanted.
    fn further(&mut self, what: While, done: Option<&Done>) {
        let said = done.and_then(|done| done.code);
        if let Some(done) = done.filter(|done| done.code != Some(0)) {
            figure(&format!("{}: exit {said:?}: {}", self.context, done.err.trim().replace('\n', " | ")));
        }
        match what {
            While::Up => {
                // Whatever had begun can be ended, too.
                if said != Some(0) && self.dice.below(2) == 0 {
                    let down = self.fleet.orco(&["down"]);
                    assert!(
                        matches!(down.code, Some(0 | 3)),
                        "{}: {down:?}\n{}",
                        self.context,
                        self.fleet.daemon_log()
                    );
                    let left = census::processes(&self.fleet.tag);
                    assert!(left.is_empty(), "{}: {down:?} left {left:?}\n{}", self.context, self.fleet.daemon_log());
                    let _ = std::fs::remove_file(self.fleet.path("starts/once.0"));
                }
                self.ups += 1;
                self.ok(&["up", "-d"]);
            }
            While::Idle | While::Restart => {}
            While::Apply if said == Some(0) => {
                let plan: Value = serde_json::from_str(&self.ok(&["apply", "--dry-run", "-o", "json"]).out).unwrap();
                let services = plan["plan"]["services"].as_array().unwrap();
                let changed: Vec<_> = services.iter().filter(|s| s["change"] != "same").collect();
                assert!(changed.is_empty(), "{}: was applied and is lost: {changed:?}", self.context);
            }
            While::Apply => drop(self.ok(&["apply"])),
            While::Down => {
                let again = self.fleet.orco(&["down"]);
                assert!(matches!(again.code, Some(0 | 3)), "{}: {again:?}\n{}", self.context, self.fleet.daemon_log());
            }
        }
    }

    fn ok(&self, arguments: &[&str]) -> Done {
        let done = self.fleet.orco(arguments);
        assert_eq!(done.code, Some(0), "{}: {arguments:?}: {done:?}\n{}", self.context, self.fleet.daemon_log());
        done
    }

    fn is_down(&mut self) {
        let left = census::processes(&self.fleet.tag);
        assert!(left.is_empty(), "{}: left after down: {left:?}\n{}", self.context, self.fleet.daemon_log());
        until("engine and keeper are gone", || holders(&self.fleet) == Default::default());
        self.fleet.check(&[]);
        self.marks.events(&self.fleet, &self.context);
        self.known.clear();
        std::fs::remove_file(self.fleet.path("starts/once.0")).unwrap();
    }

    /// No start that is not counted.
    fn counts(&self, status: &Value) {
        for name in (0..4).map(|n| format!("crash{n}")) {
            let before = self.fleet.starts(&format!("{name}.0")).len() as u64;
            let status = self.fleet.status().unwrap_or_else(|| status.clone());
            let counted = status["services"][&name]["restarts"].as_u64().unwrap();
            assert!(
                before <= counted + self.ups,
                "{}: {name} was started {before} times, {counted} restarts are counted",
                self.context
            );
        }
    }
}

/// What takes longer is told.
fn slow() -> Duration {
    let asked = std::env::var("ORCO_SLOW_MS").ok().and_then(|slow| slow.parse().ok());
    Duration::from_millis(asked.unwrap_or(2000))
}

fn storm(whom: Whom) {
    let wanted = rounds(LIFE.len());
    let mut storm = Storm::new(whom);
    let (mut struck, mut number) = (0, 0);
    while struck < wanted || number % LIFE.len() != 0 {
        struck += usize::from(storm.round(LIFE[number % LIFE.len()], number));
        number += 1;
    }
    figure(&format!("G1 {whom:?}: {}", storm.times.say()));
    if storm.times.percentile(99) > Duration::from_secs(2) && wanted > LIFE.len() {
        panic!("G1 {whom:?}: too slow: {}", storm.times.say());
    }
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
