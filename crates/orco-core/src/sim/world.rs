//! The world outside the brain: instances that are born, answer probes and die, and facts on their way.
//!
//! It knows the truth. The brain knows only the facts that have been delivered.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{
    Chance, ENGINES, Fate, Faults, Mood, Script,
    dock::{Dock, Held},
    prober::Watch,
};
use crate::{
    brain::{Action, Plant},
    model::{Exit, Fact, InstanceId, Moment, Role, Seat},
    spec::{Kind, Service},
};

/// Whether an instance really runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pulse {
    /// Its start is under way.
    Unborn,
    /// It runs since then.
    Alive(Moment),
    /// It is over, or never was.
    Gone,
}

/// One instance.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its seat.
    pub at: Seat,
    /// What it runs.
    pub service: Arc<Service>,
    /// What becomes of it.
    pub script: Script,
    /// Whether it runs.
    pub pulse: Pulse,
    pub(super) chance: Chance,
    /// A start or an end was answered for good.
    pub(super) over_told: bool,
    pub(super) stop: bool,
    pub(super) kill: bool,
    /// A hand of the present engine leads it: what happens to it is told.
    pub(super) hand: bool,
    /// How it ended, as the keeper keeps it until it is recorded.
    pub(super) kept: Option<Exit>,
    /// Its start was under way when the keeper died, and never happened.
    pub(super) lost: bool,
    /// Not ours, although it bears the stack's name.
    pub intruder: bool,
    /// Nobody saw how it ended, or who did is dead.
    pub unseen: bool,
    /// Its start waits for its container engine.
    pub(super) held: Option<Held>,
    /// It stands still.
    pub(super) paused: bool,
    /// It would have ended meanwhile.
    pub(super) overdue: bool,
    pub(super) watch: [Option<Watch>; 2],
    pub(super) turns: u32,
}

impl Body {
    pub(super) fn new(at: Seat, service: &Arc<Service>, script: Script, chance: Chance) -> Self {
        Self {
            at,
            service: Arc::clone(service),
            script,
            pulse: Pulse::Unborn,
            chance,
            over_told: false,
            stop: false,
            kill: false,
            hand: true,
            kept: None,
            lost: false,
            intruder: false,
            unseen: false,
            held: None,
            paused: false,
            overdue: false,
            watch: [None, None],
            turns: 0,
        }
    }

    /// It was never there: its start was refused.
    pub const fn is_refused(&self) -> bool {
        matches!(self.script.spawn, super::Spawn::Refused(_))
    }
}

/// What is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Fact(Fact),
    Spawn(InstanceId),
    Late(InstanceId),
    Die(InstanceId, Exit),
    /// Its own end, unless the world was healed before.
    End(InstanceId),
    /// The next keeper has adopted everything.
    Keeper,
    /// A container engine is back.
    Dock(usize),
    /// A held start is tried again.
    Resume(InstanceId),
    /// A look at what there is finds its end.
    Seen(InstanceId),
    /// A start that was given up lands.
    Land(InstanceId),
    /// A look at what there is finds what nobody leads.
    Sweep(InstanceId),
    Unpause(InstanceId),
    Ask(InstanceId, Role, u32),
    Answer(InstanceId, Role, u32),
}

/// The world.
#[derive(Debug)]
pub struct World {
    pub(super) fate: Fate,
    pub(super) faults: Faults,
    pub(super) healed: bool,
    pub(super) bodies: BTreeMap<InstanceId, Body>,
    pub(super) queue: BTreeMap<(Moment, u64), Event>,
    posted: u64,
    pub(super) past: VecDeque<Fact>,
    pub(super) chance: Chance,
    /// A keeper lives.
    pub(super) keeper: bool,
    /// What waits for the next keeper.
    pub(super) waiting: Vec<Action>,
    /// The container engines.
    pub(super) docks: [Dock; ENGINES.len()],
    /// Containers that never run and that nobody leads.
    pub(super) husks: BTreeSet<InstanceId>,
    /// How many in a thousand starts that were given up leave one.
    pub(super) late_born: u32,
    /// No engine of ours is there.
    pub(super) nobody: bool,
    /// A planted bug of the hands.
    pub(super) plant: Option<Plant>,
}

impl World {
    /// An empty world. `faults` are those of messages and probes; those of lives are in `fate`.
    pub fn new(fate: Fate, faults: Faults, seed: u64) -> Self {
        Self {
            fate,
            faults,
            healed: false,
            bodies: BTreeMap::new(),
            queue: BTreeMap::new(),
            posted: 0,
            past: VecDeque::new(),
            chance: Chance::new(&[seed, 2]),
            keeper: true,
            waiting: Vec::new(),
            docks: std::array::from_fn(|_| Dock::default()),
            husks: BTreeSet::new(),
            late_born: 0,
            nobody: false,
            plant: None,
        }
    }

    /// Who decides what becomes of new instances.
    pub const fn fate_mut(&mut self) -> &mut Fate {
        &mut self.fate
    }

    /// An instance.
    pub fn body(&self, inst: InstanceId) -> Option<&Body> {
        self.bodies.get(&inst)
    }

    /// All instances that ever were, or almost.
    pub fn bodies(&self) -> impl Iterator<Item = (InstanceId, &Body)> {
        self.bodies.iter().map(|(inst, body)| (*inst, body))
    }

    /// Those that run or may yet be born.
    pub fn living(&self) -> impl Iterator<Item = (InstanceId, &Body)> {
        self.bodies().filter(|(_, body)| body.pulse != Pulse::Gone)
    }

    /// Whether it runs.
    pub fn is_alive(&self, inst: InstanceId) -> bool {
        self.bodies.get(&inst).is_some_and(|body| matches!(body.pulse, Pulse::Alive(_)))
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Moment> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// No fault from now on: what lives becomes well, what is started lives.
    pub fn heal(&mut self, now: Moment) {
        self.healed = true;
        self.late_born = 0;
        self.faults = Faults::default();
        if let Fate::Drawn(adversary) = &mut self.fate {
            adversary.faults = Faults::default();
        }
        for body in self.bodies.values_mut() {
            body.script.readiness = Mood::WellAfter(Duration::ZERO);
            body.script.liveness = Mood::WellAfter(Duration::ZERO);
            if body.service.kind != Kind::Oneshot {
                body.script.end = None;
            }
            body.watch.iter_mut().flatten().for_each(|watch| watch.passes = 0);
        }
        // Verdicts on their way are of the sick past; probes will say the same again if it still holds.
        self.queue.retain(|_, event| !matches!(event, Event::Fact(Fact::Probed { .. })));
        self.heal_docks(now);
    }

    /// Everything up to `now` happens; the facts that arrive are appended to `facts`.
    pub fn advance(&mut self, now: Moment, facts: &mut Vec<Fact>) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                Event::Fact(fact) => {
                    self.remember(&fact);
                    facts.push(fact);
                }
                Event::Spawn(inst) => self.spawn(inst, now),
                Event::Late(inst) => self.born(inst, now),
                Event::Die(inst, exit) => self.die(inst, exit, now),
                Event::End(inst) => {
                    let body = self.bodies.get_mut(&inst);
                    match body.and_then(|body| body.script.end.map(|(_, exit)| (exit, body))) {
                        Some((_, body)) if body.paused => body.overdue = true,
                        Some((exit, _)) => self.die(inst, exit, now),
                        None => {}
                    }
                }
                Event::Keeper => self.keeper_back(now),
                Event::Dock(engine) => self.dock_back(engine, now),
                Event::Resume(inst) => self.resume(inst, now),
                Event::Seen(inst) => self.seen(inst, now),
                Event::Land(inst) => self.land(inst, now),
                Event::Sweep(inst) => self.sweep(inst, now),
                Event::Unpause(inst) => self.unpause(inst, now),
                Event::Ask(inst, role, turn) => self.ask(inst, role, turn, now),
                Event::Answer(inst, role, turn) => self.answer(inst, role, turn, now),
            }
        }
        if self.chance.hit(self.faults.fact_again) && !self.past.is_empty() {
            let nth = self.chance.below(self.past.len() as u64);
            facts.extend(usize::try_from(nth).ok().and_then(|n| self.past.get(n)).cloned());
        }
    }

    fn remember(&mut self, fact: &Fact) {
        if self.faults.fact_again == 0 {
            return;
        }
        if self.past.len() >= 64 {
            self.past.pop_front();
        }
        self.past.push_back(fact.clone());
    }

    pub(super) fn post(&mut self, at: Moment, event: Event) {
        self.posted += 1;
        self.queue.insert((at, self.posted), event);
    }

    /// A fact sets out; the post may be slow or deliver twice.
    pub(super) fn tell(&mut self, now: Moment, fact: Fact) {
        let late = self.chance.hit(self.faults.fact_late);
        let at = if late { now + self.chance.duration(1, 4000) } else { now };
        if self.chance.hit(self.faults.fact_twice) {
            let again = at + self.chance.duration(0, 3000);
            self.post(again, Event::Fact(fact.clone()));
        }
        self.post(at, Event::Fact(fact));
    }

    /// A story's or an adversary's blow: it ends now. False if it does not run.
    pub fn strike(&mut self, inst: InstanceId, exit: Exit, now: Moment) -> bool {
        let alive = self.is_alive(inst);
        if alive {
            self.post(now, Event::Die(inst, exit));
        }
        alive
    }

    /// Changes what probes find from now on.
    pub fn set_mood(&mut self, inst: InstanceId, role: Role, mood: Mood) {
        if let Some(body) = self.bodies.get_mut(&inst) {
            match role {
                Role::Readiness => body.script.readiness = mood,
                Role::Liveness => body.script.liveness = mood,
            }
        }
    }

    /// Drops the memory of instances that are long over.
    pub fn forget_gone(&mut self) {
        if self.bodies.len() > 4096 {
            let husks = &self.husks;
            self.bodies.retain(|inst, body| body.pulse != Pulse::Gone || husks.contains(inst));
        }
    }
}
