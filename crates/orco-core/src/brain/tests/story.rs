//! Stories in virtual time. A line is `input => what follows`: actions as `start api/0`, `stop`, `kill`,
//! `probe`, `unprobe`, and events (with `Story::events`) as `!Ready api/0`. After every input the full scan
//! must find nothing to do.
//!
//! Inputs: `up`, `up a b`, `start a` (without dependencies), `stop a`, `restart a`, `scale a 3`, `down`, `kill`, `tick 3s`, and facts about the newest live
//! instance of a replica (`a` is `a/0`; `a/0@1` is the one of generation 1): `started a`, `created a`, `pass a`, `fail a`, `unknown a`,
//! `sick a` (liveness fails), `well a`, `exit a 1`, `signal a 9`, `lost a` (its port), `nostart a`, `limbo a`
//! (a start with unknown outcome). `crash` is an engine's death: the next one remembers what this one gave, finds all
//! instances but those named (`crash a b/1`) and goes on. `reboot` leaves none and begins a new life.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    brain::{Action, Brain, BrainConfig, Command, Input, Turn, samples},
    model::{Exit, Fact, Happening, InstanceId, Moment, ProbeVersion, Role, Seat, ServiceName, Snapshot, Verdict},
    spec::{Service, Stack},
};

/// An instance as the story's world knows it.
#[derive(Clone, Copy)]
struct Known {
    at: Seat,
    inst: InstanceId,
    versions: [Option<ProbeVersion>; 2],
}

pub(super) struct Story {
    config: BrainConfig,
    pub(super) brain: Brain,
    pub(super) now: Moment,
    pub(super) events: bool,
    pub(super) happened: Vec<Happening>,
    live: BTreeMap<String, Vec<Known>>,
    /// All that was given to be remembered.
    pub(super) memory: BTreeMap<Box<str>, Box<[u8]>>,
}

impl Story {
    pub(super) fn new(services: Vec<Service>) -> Self {
        Self::with(BrainConfig::new(7), samples::stack(services))
    }

    pub(super) fn with(config: BrainConfig, stack: Arc<Stack>) -> Self {
        let mut story = Self {
            brain: Brain::new(config.clone()),
            config,
            now: Moment::ZERO,
            events: false,
            happened: Vec::new(),
            live: BTreeMap::new(),
            memory: BTreeMap::new(),
        };
        assert_eq!(story.apply(stack), "");
        story
    }

    pub(super) fn apply(&mut self, stack: Arc<Stack>) -> String {
        self.input(Input::Command(Command::Apply(stack)))
    }

    /// Plays the lines.
    pub(super) fn play(&mut self, lines: &str) -> &mut Self {
        for line in lines.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let (input, expect) = line.split_once("=>").unwrap_or((line, ""));
            let got = self.one(input.trim());
            assert_eq!(
                sorted(&got),
                sorted(expect.trim()),
                "after `{}` at {:?}\n{}",
                input.trim(),
                self.now,
                self.table()
            );
        }
        self
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.brain.snapshot(self.now)
    }

    /// `api Running ready 2/2: message` for every service.
    pub(super) fn table(&self) -> String {
        let rows = self.snapshot().services.into_iter().map(|s| {
            let ready = if s.ready { " ready" } else { "" };
            let message = if s.message.is_empty() { String::new() } else { format!(": {}", s.message) };
            format!("{} {}{ready} {}/{}{message}", s.name, s.state, s.ready_replicas, s.replicas)
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    fn one(&mut self, input: &str) -> String {
        let words: Vec<_> = input.split_whitespace().collect();
        let names = || words[1..].iter().map(|w| samples::name(w)).collect::<Vec<ServiceName>>();
        let command = match words[0] {
            "up" => Command::Start { services: names(), deps: true },
            "start" => Command::Start { services: names(), deps: false },
            "stop" => Command::Stop { services: names() },
            "restart" => Command::Restart { services: names() },
            "scale" => Command::Scale { service: samples::name(words[1]), replicas: words[2].parse().unwrap() },
            "down" => Command::Down,
            "kill" => Command::Kill,
            "tick" => return self.tick(words[1]),
            "crash" => return self.crash(&words[1..]),
            "reboot" => {
                self.live.clear();
                self.again();
                self.brain.new_life(self.now);
                return self.turn();
            }
            what => {
                let code = words.get(2).map_or(0, |w| w.parse().unwrap());
                let fact = self.fact(what, words[1], code);
                return self.input(Input::Fact(fact));
            }
        };
        self.input(Input::Command(command))
    }

    fn tick(&mut self, text: &str) -> String {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap());
        let unit = if unit == "ms" { 1 } else { 1000 };
        let end = self.now + Duration::from_millis(number.parse::<u64>().unwrap() * unit);
        let mut said = Vec::new();
        while let Some(at) = self.brain.next_wake().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            said.push(self.turn());
        }
        self.now = end;
        said.push(self.turn());
        said.retain(|s| !s.is_empty());
        said.join(", ")
    }

    fn crash(&mut self, lost: &[&str]) -> String {
        for place in lost {
            let place = if place.contains('/') { (*place).to_owned() } else { format!("{place}/0") };
            let gone = self.live.get_mut(&place).and_then(Vec::pop);
            assert!(gone.is_some(), "{place} does not live");
        }
        self.again();
        let live = self.live.values_mut().flatten();
        let found = live.map(|known| {
            known.versions = [None; 2];
            known.inst
        });
        assert_eq!(self.brain.recovered(&found.collect(), self.now), [], "strangers");
        self.turn()
    }

    /// The next engine's brain.
    fn again(&mut self) {
        let entries = self.memory.iter().map(|(key, value)| (&**key, &**value));
        self.brain = Brain::restore(self.config.clone(), entries, self.now).unwrap();
    }

    fn fact(&mut self, what: &str, who: &str, code: i32) -> Fact {
        let (place, generation) =
            who.split_once('@').map_or((who, None), |(p, g)| (p, Some(g.parse::<u32>().unwrap())));
        let place = if place.contains('/') { place.to_owned() } else { format!("{place}/0") };
        let known = self.live.get_mut(&place).unwrap_or_else(|| panic!("{place} never started"));
        let index = match generation {
            Some(g) => known.iter().rposition(|k| k.at.slot.generation.0 == g).unwrap(),
            None => known.len().checked_sub(1).unwrap_or_else(|| panic!("{place} does not live")),
        };
        let Known { at, inst, versions } = known[index];
        let probed = |role: Role, verdict| Fact::Probed {
            at,
            inst,
            role,
            version: versions[role as usize].expect("not probed"),
            verdict,
        };
        let refused = || Verdict::Fail("connection refused".into());
        match what {
            "created" => Fact::Created { at, inst },
            "started" => Fact::Started { at, inst },
            "pass" => probed(Role::Readiness, Verdict::Pass),
            "fail" => probed(Role::Readiness, refused()),
            "unknown" => probed(Role::Readiness, Verdict::Unknown("no answer".into())),
            "well" => probed(Role::Liveness, Verdict::Pass),
            "sick" => probed(Role::Liveness, refused()),
            "limbo" => Fact::StartFailed { at, inst, why: "timed out".into(), certain: false },
            _ => {
                known.remove(index);
                let exit = if what == "signal" { Exit::Signal(code) } else { Exit::Code(code) };
                match what {
                    "nostart" => Fact::StartFailed { at, inst, why: "no such file".into(), certain: true },
                    "exit" | "signal" | "lost" => Fact::Exited { at, inst, exit, port_lost: what == "lost" },
                    _ => panic!("unknown input {what}"),
                }
            }
        }
    }

    pub(super) fn input(&mut self, input: Input) -> String {
        match self.brain.apply(input, self.now) {
            Ok(()) => self.turn(),
            Err(refused) => format!("refused: {refused}"),
        }
    }

    fn turn(&mut self) -> String {
        let Turn { actions, happenings, .. } = self.brain.turn(self.now);
        if let Err(wrong) = self.brain.check(self.now) {
            panic!("{wrong}\n{}", self.brain.dump());
        }
        self.remember();
        let again = self.brain.turn(self.now);
        assert!(again.steps.is_empty() && again.happenings.is_empty(), "a second turn: {again:?}");
        let mut said: Vec<_> = actions.into_iter().map(|action| self.act(action)).collect();
        if self.events {
            said.extend(happenings.iter().map(|h| self.tell(h)));
        }
        self.happened.extend(happenings);
        said.join(", ")
    }

    /// Takes what is to be remembered: a brain made out of it must be the same one.
    fn remember(&mut self) {
        for change in self.brain.changes() {
            match change.value {
                Some(value) => self.memory.insert(change.key, value),
                None => self.memory.remove(&change.key),
            };
        }
        if let Err(wrong) = self.brain.check_memory(&self.memory) {
            panic!("{wrong}\n{}", self.brain.dump());
        }
        assert_eq!(self.brain.changes(), [], "given twice");
    }

    fn tell(&self, h: &Happening) -> String {
        let kind = h.kind.as_str().trim_start_matches("Service");
        match (h.service, h.replica) {
            (Some(ix), Some(replica)) => format!("!{kind} {}/{replica}", self.brain.name(ix)),
            (Some(ix), None) => format!("!{kind} {}", self.brain.name(ix)),
            (None, _) => format!("!{kind}"),
        }
    }

    fn act(&mut self, action: Action) -> String {
        let place = |brain: &Brain, at: Seat| format!("{}/{}", brain.name(at.service), at.slot.replica);
        match action {
            Action::Start { at, inst, .. } => {
                let place = place(&self.brain, at);
                self.live.entry(place.clone()).or_default().push(Known { at, inst, versions: [None; 2] });
                format!("start {place}")
            }
            Action::Probe { at, inst, role, version, .. } => {
                let place = place(&self.brain, at);
                let known = self.live.get_mut(&place).unwrap().iter_mut().find(|k| k.inst == inst).unwrap();
                known.versions[role as usize] = Some(version);
                let liveness = if role == Role::Liveness { " liveness" } else { "" };
                format!("probe {place}{liveness}")
            }
            Action::Unprobe { .. } => "unprobe".to_owned(),
            Action::Stop { at, .. } => format!("stop {}", place(&self.brain, at)),
            Action::Kill { at, .. } => format!("kill {}", place(&self.brain, at)),
        }
    }
}

/// Actions of one turn on different instances come in any order.
pub(super) fn sorted(text: &str) -> Vec<&str> {
    let mut parts: Vec<_> = text.split(", ").collect();
    parts.sort_unstable();
    parts
}

/// `db` with a health check, and `api`, which needs it ready, without one.
pub(super) fn pair() -> Vec<Service> {
    let mut db = samples::service("db");
    db.health = Some(samples::health());
    let mut api = samples::service("api");
    api.depends_on = vec![samples::need("db", crate::spec::Require::Ready)];
    vec![db, api]
}
