//! A brain out of what was remembered. Whatever does not fit together is an error that names its entry:
//! the entries come from a disk.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Brain, BrainConfig, Why,
    entries::{Entries, RestoreError, broken, read},
    face::Face,
    hash,
    remember::{Given, Memory},
    saved::{
        FORMAT, Hex, SavedEnd, SavedExit, SavedGoal, SavedLeave, SavedPhase, SavedSlot, SavedStack, SavedStage,
        SavedUnit,
    },
    state::{Because, Block, Checked, Goal, Leave, Live, Phase, RevSet, Rollout, Slot, Stage, Ticket, Unit},
};
use crate::{
    model::{Ended, Exit, Gen, Moment, ProbeVersion, ServiceIx, ServiceName, SlotKey},
    spec::Service,
};

/// What reading needs to know.
struct Reader<'a> {
    entries: Entries<'a>,
    names: BTreeMap<ServiceName, ServiceIx>,
    now: Moment,
}

impl Brain {
    /// A brain as it was when all of these entries had been given; keys of others are passed over. Without
    /// any entry it is a new one. Remembered moments that have passed count as `now` if they are later
    /// (a machine that was started anew counts from zero).
    ///
    /// What reality says comes next, before the first turn: [`recovered`](Self::recovered) or
    /// [`new_life`](Self::new_life).
    ///
    /// # Errors
    /// [`RestoreError`]: an entry is missing, unreadable, or contradicts others.
    pub fn restore<'a>(
        config: BrainConfig,
        entries: impl Iterator<Item = (&'a str, &'a [u8])>,
        now: Moment,
    ) -> Result<Self, RestoreError> {
        let entries = Entries::sort(entries)?;
        let mut brain = Self::new(config);
        let Some(stack) = entries.stack else {
            return match entries.is_empty() {
                true => Ok(brain),
                false => Err(RestoreError::Missing { key: "stack".to_owned() }),
            };
        };
        known_form(stack)?;
        let saved: SavedStack = read("stack", stack)?;
        if let Some(name) = saved.order.iter().find(|name| !entries.units.contains_key(&***name)) {
            return Err(RestoreError::Missing { key: format!("service/{name}") });
        }
        if entries.units.len() != saved.services {
            let why = format!("it speaks of {} services, there are {}", saved.services, entries.units.len());
            return Err(broken("stack", why));
        }
        let mut units = units(&entries)?;
        let names = units.iter().map(|(ix, (name, _))| (name.clone(), *ix)).collect();
        let mut reader = Reader { entries, names, now };
        let mut given = Vec::new();
        for (name, saved) in std::mem::take(&mut units).into_values() {
            let (unit, memory) = reader.unit(&name, saved)?;
            brain.units.push(unit);
            given.push(memory);
        }
        reader.entries.nothing_left()?;
        brain.names = reader.names;
        let order = saved.order.iter().map(|name| brain.names.get(&**name).copied()).collect::<Option<Vec<_>>>();
        brain.order = order.ok_or_else(|| broken("stack", "its order names an unknown service"))?;
        brain.asked_up = saved.asked_up;
        brain.instances = saved.instances;
        brain.memory = Memory::with(saved.instances, hash::bytes(stack), given);
        brain.now = now;
        brain.awake()?;
        brain.enter_rooms();
        Ok(brain)
    }

    /// Computes what follows from the rest.
    fn awake(&mut self) -> Result<(), RestoreError> {
        for ix in self.all() {
            for at in 0..self.units[ix.index()].sets.len() {
                let set = &self.units[ix.index()].sets[at];
                let edges = self.edges_of(&set.spec);
                if edges.len() != set.spec.depends_on.len() {
                    let key = format!("set/{}/{}", self.units[ix.index()].name, set.generation.0);
                    return Err(broken(&key, "it depends on an unknown service"));
                }
                self.units[ix.index()].sets[at].edges = edges;
            }
            let unit = &mut self.units[ix.index()];
            let beyond = unit.slots.iter().find(|slot| {
                let edges = unit.set(slot.key.generation).map_or(0, |set| set.edges.len());
                slot.running().is_some_and(|live| live.leans.iter().any(|n| *n as usize >= edges))
            });
            if let Some(slot) = beyond {
                let key = format!("slot/{}/{}/{}", unit.name, slot.key.generation.0, slot.key.replica);
                return Err(broken(&key, "it leans on a dependency that its set does not have"));
            }
            let mut runs = std::mem::take(&mut unit.runs);
            let name = unit.name.clone();
            self.used_before(&name, &mut runs);
            self.units[ix.index()].runs = runs;
        }
        self.acyclic()?;
        for ix in self.all() {
            self.relink(ix);
            self.touch(ix);
        }
        self.rank();
        // Removed services are held by others, so faces depend on faces: those above first.
        let mut all = self.all();
        all.sort_by_key(|ix| std::cmp::Reverse(self.units[ix.index()].rank));
        for ix in all {
            self.changed(ix);
        }
        self.standing_told();
        Ok(())
    }

    /// The edges of target sets have no cycle, or nothing could be ranked.
    fn acyclic(&self) -> Result<(), RestoreError> {
        let below = |ix: ServiceIx| {
            let unit = &self.units[ix.index()];
            let edges = if unit.gone { [].as_slice() } else { &unit.target_set().edges };
            edges.iter().map(|edge| edge.to)
        };
        let mut above = vec![0_usize; self.units.len()];
        self.all().into_iter().flat_map(below).for_each(|to| above[to.index()] += 1);
        let mut free: Vec<_> = self.all().into_iter().filter(|ix| above[ix.index()] == 0).collect();
        while let Some(ix) = free.pop() {
            for to in below(ix) {
                above[to.index()] -= 1;
                if above[to.index()] == 0 {
                    free.push(to);
                }
            }
        }
        match self.all().into_iter().find(|ix| above[ix.index()] > 0) {
            Some(ix) => Err(broken(&format!("service/{}", self.units[ix.index()].name), "it depends on itself")),
            None => Ok(()),
        }
    }
}

/// What a newer version wrote may not even be readable.
fn known_form(stack: &[u8]) -> Result<(), RestoreError> {
    #[derive(serde::Deserialize)]
    struct Form {
        format: u32,
    }
    match read("stack", stack)? {
        Form { format } if format > FORMAT => Err(RestoreError::Newer { format }),
        Form { .. } => Ok(()),
    }
}

/// All services by their number; each number from 0 on is there once.
fn units(entries: &Entries<'_>) -> Result<BTreeMap<ServiceIx, (ServiceName, SavedUnit)>, RestoreError> {
    let mut units = BTreeMap::new();
    for (name, value) in &entries.units {
        let key = format!("service/{name}");
        let saved: SavedUnit = read(&key, value)?;
        let name = ServiceName::new(name).map_err(|e| broken(&key, e.to_string()))?;
        let ix = ServiceIx(saved.ix);
        if ix.index() >= entries.units.len() || units.insert(ix, (name, saved)).is_some() {
            return Err(broken(&key, "its number is taken or too high"));
        }
    }
    Ok(units)
}

impl Reader<'_> {
    fn unit(&mut self, name: &ServiceName, saved: SavedUnit) -> Result<(Unit, Given), RestoreError> {
        let key = format!("service/{name}");
        let (mut memory, mut sets) = (Given::default(), Vec::new());
        memory.unit = self.entries.units.get(name.as_str()).map(|value| hash::bytes(value));
        for set in &saved.sets {
            let generation = Gen(set.generation);
            let (spec, hash) = self.set(name, generation)?;
            memory.sets.insert(generation, (spec.clone(), hash));
            let versions = set.versions.map(ProbeVersion);
            sets.push(RevSet { generation, spec, edges: Arc::from([]), versions });
        }
        let known = |generation: u32| sets.iter().any(|set: &RevSet| set.generation.0 == generation);
        let rollout = saved.rollout.as_ref();
        if memory.sets.len() != sets.len() || !known(saved.target) || rollout.is_some_and(|r| !known(r.from)) {
            return Err(broken(&key, "its sets contradict each other"));
        }
        if sets.iter().any(|set| set.generation.0 > saved.next_gen) {
            return Err(broken(&key, "its next generation was used before"));
        }
        let slots = self.slots(name, &sets, &mut memory)?;
        if slots.len() != saved.seats {
            return Err(broken(&key, format!("it speaks of {} seats, there are {}", saved.seats, slots.len())));
        }
        let block = match &saved.block {
            None => None,
            Some(block) => {
                Some(Block { dep: self.named(&key, &block.dep)?, since: self.past(block.since), told: block.told })
            }
        };
        let unit = Unit {
            name: name.clone(),
            goal: match saved.goal {
                SavedGoal::Up => Goal::Up,
                SavedGoal::Never => Goal::Down(Because::Never),
                SavedGoal::User => Goal::Down(Because::User),
                SavedGoal::Dependency(reason) => Goal::Down(Because::Dependency(reason)),
            },
            listed: saved.listed,
            gone: saved.gone,
            killing: saved.killing,
            replicas: saved.replicas,
            sets,
            target: Gen(saved.target),
            next_gen: saved.next_gen,
            rollout: saved.rollout.map(|rollout| Rollout {
                from: Gen(rollout.from),
                stage: match rollout.stage {
                    SavedStage::Roll => Stage::Roll,
                },
            }),
            slots,
            rank: 0,
            edges: Vec::new(),
            dependents: Vec::new(),
            face: Face::default(),
            block,
            was_ready: saved.was_ready,
            was_up: saved.was_up,
            restarts: saved.restarts,
            runs: saved.runs,
            first_seen: self.past(saved.first_seen),
            last_event: self.past(saved.last_event),
            ended: saved.ended.map(|ended| self.ended(&ended)),
            wake: None,
            dirty: false,
            touched: false,
            broken: None,
        };
        Ok((unit, memory))
    }

    fn set(&mut self, name: &ServiceName, generation: Gen) -> Result<(Arc<Service>, u64), RestoreError> {
        let key = format!("set/{name}/{}", generation.0);
        let taken = self.entries.sets.get_mut(name.as_str()).and_then(|sets| sets.remove(&generation));
        let Some(value) = taken else {
            return Err(RestoreError::Missing { key });
        };
        let spec = Service::from_json(value).map_err(|e| broken(&key, e.to_string()))?;
        if spec.name != *name {
            return Err(broken(&key, format!("it is of `{}`", spec.name)));
        }
        Ok((Arc::new(spec), hash::bytes(value)))
    }

    /// The seats of a service, in order.
    fn slots(&mut self, name: &ServiceName, sets: &[RevSet], memory: &mut Given) -> Result<Vec<Slot>, RestoreError> {
        let mut slots = Vec::new();
        for (slot, value) in self.entries.slots.remove(name.as_str()).unwrap_or_default() {
            let key = format!("slot/{name}/{}/{}", slot.generation.0, slot.replica);
            if !sets.iter().any(|set| set.generation == slot.generation) {
                return Err(broken(&key, "its set is not there"));
            }
            memory.slots.insert(slot, hash::bytes(value));
            slots.push(self.slot(&key, slot, read(&key, value)?)?);
        }
        Ok(slots)
    }

    fn slot(&self, key: &str, slot: SlotKey, saved: SavedSlot) -> Result<Slot, RestoreError> {
        let leave = match saved.leave {
            None => None,
            Some(SavedLeave::Retire) => Some(Leave::Retire),
            Some(SavedLeave::Liveness) => Some(Leave::Recycle(Why::Liveness)),
            Some(SavedLeave::StartTimeout) => Some(Leave::Recycle(Why::StartTimeout)),
            Some(SavedLeave::StartUnknown) => Some(Leave::Recycle(Why::StartUnknown)),
            Some(SavedLeave::Dependency(name)) => Some(Leave::Recycle(Why::Dependency(self.named(key, &name)?))),
        };
        Ok(Slot {
            key: slot,
            phase: self.phase(saved.phase),
            leave,
            attempts: saved.attempts,
            ports_lost: saved.ports_lost,
            again: saved.again,
            counted: saved.counted,
            ticket: Ticket::None,
            restarts: saved.restarts,
            born: saved.born,
            run: saved.run,
            last_inst: saved.last_inst.map(|Hex(inst)| inst),
            ended: saved.ended.map(|ended| self.ended(&ended)),
            reason: saved.reason,
            touched: true,
        })
    }

    fn phase(&self, saved: SavedPhase) -> Phase {
        match saved {
            SavedPhase::Idle => Phase::Idle,
            SavedPhase::Starting { inst, doomed } => Phase::Starting { inst: inst.0, doomed },
            SavedPhase::Running { inst, since, ready_since, was_ready, sick, leans } => {
                Phase::Running(Box::new(Live {
                    inst: inst.0,
                    since: self.past(since),
                    ready_since: ready_since.map(|since| self.past(since)),
                    was_ready,
                    sick,
                    // Nobody probes yet: the next turn begins it, and until a verdict turns it readiness stays.
                    checks: [Checked::default(), Checked::default()],
                    leans,
                }))
            }
            SavedPhase::Stopping { inst, started, kill_at, killed } => Phase::Stopping {
                inst: inst.0,
                started: started.map(|at| self.past(at)),
                kill_at: Moment::from_micros(kill_at),
                killed,
                owed: true,
            },
            SavedPhase::Backoff { until } => Phase::Backoff { until: Moment::from_micros(until) },
            SavedPhase::Halted { completed } => Phase::Halted { completed },
        }
    }

    fn ended(&self, saved: &SavedEnd) -> Ended {
        let exit = match saved.exit {
            SavedExit::Code(code) => Exit::Code(code),
            SavedExit::Signal(number) => Exit::Signal(number),
            SavedExit::Oom => Exit::Oom,
            SavedExit::Unknown => Exit::Unknown,
        };
        Ended { exit, at: self.past(saved.at) }
    }

    fn past(&self, micros: u64) -> Moment {
        Moment::from_micros(micros).min(self.now)
    }

    fn named(&self, key: &str, name: &str) -> Result<ServiceIx, RestoreError> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| broken(key, format!("it names `{}`, which is unknown", name.escape_debug())))
    }
}
