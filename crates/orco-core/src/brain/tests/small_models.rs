//! Exhaustive small models: every short sequence of commands, with every order of facts in between, over
//! two or three services. What they settle is how stop, removal and replacement mix.
//!
//! Judged by the world, not by what the brain believes: who stops while whom still runs, what starts on
//! what, and whether all comes to rest where the user wants it.

mod runs;

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::{
    brain::{
        Action, Brain, BrainConfig, Command, Input, samples,
        state::{Goal, Phase},
    },
    model::{Exit, Fact, InstanceId, Moment, Revision, Seat, ServiceName},
    spec::{Require, Service, Stack},
};

/// An instance in the world.
#[derive(Clone, Copy, Debug)]
struct There {
    at: Seat,
    revision: Revision,
    runs: bool,
    asked: bool,
}

#[derive(Clone)]
struct Model {
    brain: Brain,
    there: BTreeMap<InstanceId, There>,
    /// What the user wants: listed, up.
    wanted: BTreeMap<ServiceName, (bool, bool)>,
    stack: Arc<Stack>,
    asked_up: bool,
    /// What a revision of a service depends on, as last applied.
    needs: BTreeMap<(ServiceName, Revision), Vec<ServiceName>>,
    /// What a service depends on in the last stack that listed it.
    last: BTreeMap<ServiceName, Vec<ServiceName>>,
    history: Vec<String>,
}

#[derive(Clone)]
enum Do {
    Up,
    Down,
    Start(&'static str),
    Stop(&'static str),
    Restart(&'static str),
    Apply(&'static str, Arc<Stack>),
}

/// `api:2>db,cache` is service api, revision 2, that needs db and cache.
fn stack(text: &'static str) -> Arc<Stack> {
    let service = |word: &str| {
        let (head, needs) = word.split_once('>').unwrap_or((word, ""));
        let (name, revision) = head.split_once(':').unwrap_or((head, "1"));
        let mut service: Service = samples::service(name);
        service.revision = Revision(revision.parse().unwrap());
        service.depends_on =
            needs.split(',').filter(|n| !n.is_empty()).map(|n| samples::need(n, Require::Ready)).collect();
        service
    };
    samples::stack(text.split_whitespace().map(service).collect())
}

fn apply(text: &'static str) -> Do {
    Do::Apply(text, stack(text))
}

impl Model {
    fn new(text: &'static str) -> Self {
        let mut model = Self {
            brain: Brain::new(BrainConfig::new(3)),
            there: BTreeMap::new(),
            wanted: BTreeMap::new(),
            stack: stack(text),
            asked_up: false,
            needs: BTreeMap::new(),
            last: BTreeMap::new(),
            history: Vec::new(),
        };
        model.command(&apply(text));
        model.command(&Do::Up);
        model
    }

    fn command(&mut self, what: &Do) {
        let named = |n: &str| vec![samples::name(n)];
        let command = match what {
            Do::Up => {
                self.asked_up = true;
                self.wanted.values_mut().filter(|w| w.0).for_each(|w| w.1 = true);
                Command::Start { services: Vec::new(), deps: true }
            }
            Do::Down => {
                self.asked_up = false;
                self.wanted.values_mut().for_each(|w| w.1 = false);
                Command::Down
            }
            Do::Start(n) | Do::Restart(n) | Do::Stop(n) => {
                let up = !matches!(what, Do::Stop(_));
                if let Some(w) = self.wanted.get_mut(*n)
                    && self.brain.ix(n).is_some()
                    && (w.0 || !up)
                {
                    w.1 = up;
                }
                match what {
                    Do::Start(n) => Command::Start { services: named(n), deps: false },
                    Do::Restart(n) => Command::Restart { services: named(n) },
                    _ => Command::Stop { services: named(n) },
                }
            }
            Do::Apply(_, stack) => {
                for (name, wanted) in &mut self.wanted {
                    let gone = self.brain.ix(name.as_str()).is_none();
                    if stack.service(name.as_str()).is_some() && gone {
                        wanted.1 = self.asked_up;
                    }
                    wanted.0 = stack.service(name.as_str()).is_some();
                }
                for service in stack.services() {
                    self.wanted.entry(service.name.clone()).or_insert((true, self.asked_up));
                    let needs: Vec<_> = service.depends_on.iter().map(|d| d.target.clone()).collect();
                    self.last.insert(service.name.clone(), needs.clone());
                    self.needs.insert((service.name.clone(), service.revision), needs);
                }
                self.stack = stack.clone();
                Command::Apply(stack.clone())
            }
        };
        self.history.push(match what {
            Do::Up => "up".into(),
            Do::Down => "down".into(),
            Do::Start(n) => format!("start {n}"),
            Do::Stop(n) => format!("stop {n}"),
            Do::Restart(n) => format!("restart {n}"),
            Do::Apply(text, _) => format!("apply {text}"),
        });
        // A refusal (of an unknown name) is fine: nothing changes.
        let _ = self.brain.apply(Input::Command(command), Moment::ZERO);
        self.turn();
    }

    /// What may happen next, without faults: whoever starts runs, whoever was asked to end ends.
    fn next(&self) -> Vec<InstanceId> {
        self.there.iter().filter(|(_, t)| !t.runs || t.asked).map(|(inst, _)| *inst).collect()
    }

    fn happen(&mut self, inst: InstanceId) {
        let there = self.there[&inst];
        let name = self.name(there.at);
        let fact = if there.runs {
            self.there.remove(&inst);
            Fact::Exited { at: there.at, inst, exit: Exit::Code(0), port_lost: false }
        } else {
            self.there.get_mut(&inst).unwrap().runs = true;
            Fact::Started { at: there.at, inst }
        };
        self.history.push(format!("{} {name}:{}", if there.runs { "exit" } else { "started" }, there.revision.0));
        self.brain.apply(Input::Fact(fact), Moment::ZERO).unwrap();
        self.turn();
    }

    /// The engine dies, and an instance with it that was about to start or to end: nobody finds it again.
    fn crash(&mut self, lost: Option<InstanceId>) {
        self.history.push("crash".into());
        if let Some(There { at, revision, .. }) = lost.and_then(|inst| self.there.remove(&inst)) {
            self.history.push(format!("lost {}:{}", self.name(at), revision.0));
        }
        let memory = self.brain.durable();
        let entries = memory.iter().map(|(key, value)| (&**key, &**value));
        self.brain = Brain::restore(BrainConfig::new(3), entries, Moment::ZERO).unwrap();
        let strangers = self.brain.recovered(&self.there.keys().copied().collect(), Moment::ZERO);
        assert_eq!(strangers, [], "{:#?}", self.history);
        self.turn();
    }

    fn name(&self, at: Seat) -> ServiceName {
        self.brain.name(at.service).clone()
    }

    fn turn(&mut self) {
        let turn = self.brain.turn(Moment::ZERO);
        for action in turn.actions {
            match action {
                Action::Start { at, inst, service, .. } => {
                    self.may_start(at, &service);
                    self.there.insert(inst, There { at, revision: service.revision, runs: false, asked: false });
                    let twice = self.there.values().filter(|t| t.at.service == at.service).count() > 1;
                    assert!(!twice, "two of {}: {:#?}", self.name(at), self.history);
                }
                Action::Stop { at, inst, .. } => {
                    // What an earlier engine asked for is asked for again, whatever came in between.
                    if !self.there[&inst].asked {
                        self.may_stop(at);
                    }
                    self.there.get_mut(&inst).unwrap().asked = true;
                }
                other => panic!("{other:?}: {:#?}", self.history),
            }
        }
        if let Err(wrong) = self.brain.check(Moment::ZERO) {
            panic!("{wrong}: {:#?}\n{}", self.history, self.brain.dump());
        }
    }

    /// Whatever it needs runs, was not asked to end, and is wanted.
    fn may_start(&self, at: Seat, service: &Service) {
        let (listed, up) = self.wanted[&service.name];
        assert!(up, "{} starts unwanted: {:#?}", service.name, self.history);
        let held = !listed
            && (self.on(&service.name).any(|(_, t)| !t.asked)
                || self.wanted.keys().any(|n| self.unfinished(n, &service.name)));
        assert!(listed || held, "{} starts removed: {:#?}", service.name, self.history);
        for need in &self.needs[&(service.name.clone(), service.revision)] {
            let runs = self.there.values().any(|t| t.runs && !t.asked && self.name(t.at) == *need);
            assert!(runs, "{at:?} {} starts without {need}: {:#?}", service.name, self.history);
        }
    }

    /// The instances that stand on a service, by what their revision names.
    fn on<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = (ServiceName, &'a There)> {
        self.there.values().filter_map(move |t| {
            let name = self.name(t.at);
            let needs = self.needs.get(&(name.clone(), t.revision))?;
            // An edge that was turned round binds nobody.
            (needs.contains(service) && !self.leads(service, &name)).then_some((name, t))
        })
    }

    /// Whether a service depends on another one by now, at any distance.
    fn leads(&self, from: &ServiceName, to: &ServiceName) -> bool {
        self.last.get(from).is_some_and(|needs| needs.iter().any(|n| n == to || self.leads(n, to)))
    }

    /// Who leaves does so after the leaving ones that stand on it, and not at all while a staying one may
    /// need it.
    fn may_stop(&self, at: Seat) {
        let name = self.name(at);
        let (listed, up) = self.wanted[&name];
        if listed && up {
            return;
        }
        for (dependent, there) in self.on(&name) {
            let (d_listed, d_up) = self.wanted[&dependent];
            assert!(d_up && !there.asked, "{name} stops before {dependent}, which leaves too: {:#?}", self.history);
            assert!(!up || !d_listed, "{name} was removed, but {dependent} needs it: {:#?}", self.history);
        }
    }

    /// Lets everything happen, then all must be as wanted.
    fn rest(&mut self) {
        for _ in 0..100 {
            match self.next().first() {
                Some(&inst) => self.happen(inst),
                None => return self.judge(),
            }
        }
        panic!("never comes to rest: {:#?}", self.history);
    }

    fn judge(&self) {
        for (name, (listed, up)) in &self.wanted {
            let mut there = self.there.values().filter(|t| self.name(t.at) == *name);
            let (one, more) = (there.next(), there.count());
            assert_eq!(more, 0);
            if !up {
                assert!(one.is_none(), "{name} is wanted down: {:#?}", self.history);
            } else if !listed {
                let needed = self.on(name).next().is_some() || self.wanted.keys().any(|n| self.unfinished(n, name));
                assert!(one.is_none() || needed, "{name} was removed: {:#?}", self.history);
            } else if self.possible(name) {
                let newest = self.stack.service(name.as_str()).unwrap().revision;
                assert!(
                    one.is_some_and(|t| t.runs && t.revision == newest),
                    "{name} is wanted up: {:#?}\n{}",
                    self.history,
                    self.brain.dump()
                );
            }
        }
    }

    /// A replacement that cannot go on, of a revision that needs the service: it may be turned back.
    fn unfinished(&self, of: &ServiceName, needs: &ServiceName) -> bool {
        let (listed, up) = self.wanted[of];
        up && (listed || self.there.values().any(|t| self.name(t.at) == *of))
            && !self.there.values().any(|t| {
                t.runs
                    && !t.asked
                    && self.name(t.at) == *of
                    && Some(t.revision) == self.stack.service(of.as_str()).map(|s| s.revision)
            })
            && self.needs.iter().any(|((n, _), on)| n == of && on.contains(needs))
    }

    /// Everything it needs is wanted up, at any distance.
    fn possible(&self, name: &ServiceName) -> bool {
        self.wanted[name].1
            && self.stack.service(name.as_str()).is_some_and(|s| s.depends_on.iter().all(|d| self.possible(&d.target)))
    }

    /// Equal for states that cannot be told apart by what comes.
    fn digest(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        for unit in &self.brain.units {
            let down = match &unit.goal {
                Goal::Up => 0,
                Goal::Down(_) => 1,
            };
            (&unit.name, down, unit.listed, unit.gone, unit.block.is_some()).hash(&mut hash);
            let order = |g| unit.sets.iter().position(|s| s.generation == g);
            (order(unit.target), unit.rollout.map(|r| order(r.from))).hash(&mut hash);
            for set in &unit.sets {
                (set.spec.revision, set.edges.iter().map(|e| e.to).collect::<Vec<_>>()).hash(&mut hash);
            }
            for slot in &unit.slots {
                let phase = std::mem::discriminant(&slot.phase);
                (order(slot.key.generation), phase, slot.leave.is_some(), slot.born, slot.again).hash(&mut hash);
                if let Phase::Stopping { started, .. } = &slot.phase {
                    started.is_some().hash(&mut hash);
                }
            }
        }
        (self.asked_up, &self.wanted, self.stack.services().len()).hash(&mut hash);
        for there in self.there.values() {
            (there.at.service, there.revision, there.runs, there.asked).hash(&mut hash);
        }
        hash.finish()
    }
}
