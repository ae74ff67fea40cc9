//! The brain itself: what holds the units together, the dirty set, and the turn.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    panic::{AssertUnwindSafe, catch_unwind},
};

#[cfg(any(test, feature = "sim"))]
use super::Plant;
use super::{
    BrainConfig, Input, Refused, Step, Turn,
    admit::Admission,
    decide::decide,
    face,
    plant::{self, Plants},
    remember::Memory,
    state::Unit,
    step::Decision,
    tell::Told,
    view::View,
};
use crate::model::{EventKind, Happening, Moment, ServiceIx, ServiceName};

/// So many looks at one service in one turn are more than any rule needs: seats that are made and
/// retired in turns show here.
const LOOKS: u32 = 10_000;

/// The decision core of one stack.
#[derive(Clone, Debug)]
pub struct Brain {
    pub(super) config: BrainConfig,
    pub(super) units: Vec<Unit>,
    pub(super) names: BTreeMap<ServiceName, ServiceIx>,
    /// The services of the wanted stack in its order.
    pub(super) order: Vec<ServiceIx>,
    /// Some edge of an old set was left out of the ranks.
    pub(super) contradicted: bool,
    /// The whole stack was asked up, and not down since.
    pub(super) asked_up: bool,
    pub(super) admission: Admission,
    pub(super) happenings: Vec<Happening>,
    /// Instances started so far.
    pub(super) instances: u64,
    /// The last moment it heard of.
    pub(super) now: Moment,
    pub(super) plants: Plants,
    pub(super) memory: Memory,
    wakes: BTreeSet<(Moment, ServiceIx)>,
    dirty: BinaryHeap<(u32, Reverse<ServiceIx>)>,
    decision: Decision,
    standing: Standing,
}

/// Where the stack stands as a whole, counted along with the faces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Standing {
    wanted: usize,
    unmet: usize,
    live: usize,
    /// As last told.
    ready: bool,
    active: bool,
}

impl Brain {
    /// A brain that knows no service yet.
    pub fn new(config: BrainConfig) -> Self {
        Self {
            config,
            units: Vec::new(),
            names: BTreeMap::new(),
            order: Vec::new(),
            contradicted: false,
            asked_up: false,
            admission: Admission::default(),
            happenings: Vec::new(),
            instances: 0,
            now: Moment::ZERO,
            plants: Plants::default(),
            memory: Memory::default(),
            wakes: BTreeSet::new(),
            dirty: BinaryHeap::new(),
            decision: Decision::default(),
            standing: Standing::default(),
        }
    }

    /// Folds one input into the state. Facts never refuse; stale ones change nothing.
    ///
    /// # Errors
    /// [`Refused`] for a command that cannot be taken; nothing has changed then.
    pub fn apply(&mut self, input: Input, now: Moment) -> Result<(), Refused> {
        self.now = self.now.max(now);
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Fact(fact) => {
                self.fact(fact, now);
                Ok(())
            }
        }
    }

    /// Decides until nothing is left to decide at `now`.
    pub fn turn(&mut self, now: Moment) -> Turn {
        self.now = self.now.max(now);
        let mut turn = Turn::default();
        while let Some(&(at, ix)) = self.wakes.first().filter(|(at, _)| *at <= now) {
            self.wakes.remove(&(at, ix));
            self.units[ix.index()].wake = None;
            self.mark(ix);
        }
        loop {
            while let Some((_, Reverse(ix))) = self.dirty.pop() {
                // An entry may be left over from before the order changed.
                if std::mem::take(&mut self.units[ix.index()].dirty) {
                    self.look(ix, now, &mut turn);
                }
            }
            if !self.admit(now) {
                break;
            }
        }
        self.tell_standing();
        turn.happenings = std::mem::take(&mut self.happenings);
        turn
    }

    /// When to call [`turn`](Self::turn) again even if nothing happens.
    pub fn next_wake(&self) -> Option<Moment> {
        if !self.dirty.is_empty() {
            return Some(Moment::ZERO);
        }
        let first = self.wakes.first().map(|(at, _)| *at);
        let admission = self.admission.wake().filter(|_| !self.plants.has(plant::Plant::StarvedForgotten));
        [first, admission].into_iter().flatten().min()
    }

    /// The number of a service that is in the stack, or was and has not gone yet.
    pub fn ix(&self, name: &str) -> Option<ServiceIx> {
        self.names.get(name).copied().filter(|ix| !self.units[ix.index()].gone)
    }

    /// The name of a service.
    ///
    /// # Panics
    /// If the number is of another brain.
    pub fn name(&self, ix: ServiceIx) -> &ServiceName {
        &self.units[ix.index()].name
    }

    /// Looks at one service until there is nothing left to do for it, then shows its new face.
    fn look(&mut self, ix: ServiceIx, now: Moment, turn: &mut Turn) {
        let mut decision = std::mem::take(&mut self.decision);
        for looks in 0.. {
            if !self.decide_safely(ix, now, &mut decision) || decision.steps.is_empty() {
                break;
            }
            if looks == LOOKS {
                debug_assert!(false, "{} never comes to rest: {:?}", self.name(ix), decision.steps);
                self.broke(ix, "its decisions never come to rest");
                break;
            }
            for &step in &decision.steps {
                turn.steps.push((ix, step));
                self.commit(ix, step, now, &mut turn.actions);
                if matches!(step, Step::Yield(_)) {
                    // The rest was decided for a service that stays.
                    break;
                }
            }
        }
        self.rewake(ix, decision.wake);
        self.decision = decision;
        self.show(ix);
    }

    /// A panic in the decision about one service must not stop the others. False: it panicked.
    fn decide_safely(&mut self, ix: ServiceIx, now: Moment, out: &mut Decision) -> bool {
        let view = View::new(&self.units, ix, self.plants);
        let result = catch_unwind(AssertUnwindSafe(|| decide(&view, now, out)));
        if let Err(payload) = result {
            out.clear();
            let said = payload.downcast_ref::<&str>().map(ToString::to_string);
            let said = said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
            self.broke(ix, &said);
            return false;
        }
        true
    }

    fn broke(&mut self, ix: ServiceIx, said: &str) {
        let reason = format!("internal error in Orco: {said}");
        self.units[ix.index()].broken = Some(reason.as_str().into());
        self.tell(ix, self.now, Told::new(EventKind::ServiceFailed, reason));
        self.mark(ix);
    }

    pub(super) const fn view(&self, ix: ServiceIx) -> View<'_> {
        View::new(self.units.as_slice(), ix, self.plants)
    }

    /// To be looked at.
    pub(super) fn mark(&mut self, ix: ServiceIx) {
        let unit = &mut self.units[ix.index()];
        if !std::mem::replace(&mut unit.dirty, true) {
            self.dirty.push((unit.rank, Reverse(ix)));
        }
    }

    /// The ranks changed: dependents are looked at before what they depend on, so that whatever leaves is
    /// seen leaving by what it stands on.
    pub(super) fn reorder(&mut self) {
        let units = &self.units;
        self.dirty = std::mem::take(&mut self.dirty)
            .into_iter()
            .map(|(_, Reverse(ix))| (units[ix.index()].rank, Reverse(ix)))
            .collect();
    }

    /// The state of a service changed: it is to be looked at, and so is whoever may see it.
    pub(super) fn changed(&mut self, ix: ServiceIx) {
        self.touch(ix);
        self.mark(ix);
        self.show(ix);
    }

    /// Recomputes the face of a service; whoever may read what changed is to be looked at.
    fn show(&mut self, ix: ServiceIx) {
        let new = face::of(&self.view(ix));
        let unit = &mut self.units[ix.index()];
        if new == unit.face {
            return;
        }
        if new.ready && !std::mem::replace(&mut unit.was_ready, true) {
            self.touch(ix);
        }
        let unit = &mut self.units[ix.index()];
        let old = std::mem::replace(&mut unit.face, new);
        let new = &unit.face;
        self.standing.count(&old, new);
        let above = old.differs_above(new) && !self.plants.has(plant::Plant::DependentsNotDirty);
        let below = old.differs_below(new) && !self.plants.has(plant::Plant::DependenciesNotDirty);
        if above {
            for i in 0..self.units[ix.index()].dependents.len() {
                self.mark(self.units[ix.index()].dependents[i]);
            }
        }
        if below {
            for i in 0..self.units[ix.index()].edges.len() {
                self.mark(self.units[ix.index()].edges[i]);
            }
        }
    }

    fn rewake(&mut self, ix: ServiceIx, wake: Option<Moment>) {
        let unit = &mut self.units[ix.index()];
        if unit.wake == wake {
            return;
        }
        if let Some(at) = std::mem::replace(&mut unit.wake, wake) {
            self.wakes.remove(&(at, ix));
        }
        if let Some(at) = wake {
            self.wakes.insert((at, ix));
        }
    }

    fn tell_standing(&mut self) {
        let now = self.standing;
        let ready = now.wanted > 0 && now.unmet == 0;
        let active = now.wanted > 0 || now.live > 0;
        if ready && !now.ready {
            self.tell_all(EventKind::StackReady, "all services are ready");
        }
        if now.active && !active {
            self.tell_all(EventKind::StackStopped, "nothing is left");
        }
        self.standing.ready = ready;
        self.standing.active = active;
    }

    /// For checks and traces.
    #[doc(hidden)]
    pub(super) fn dirty_now(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Where the stack stands counts as told: an earlier engine did.
    pub(super) const fn standing_told(&mut self) {
        let now = self.standing;
        self.standing.ready = now.wanted > 0 && now.unmet == 0;
        self.standing.active = now.wanted > 0 || now.live > 0;
    }

    /// What the counters say, without what was told.
    pub(super) const fn counted(&self) -> (usize, usize, usize) {
        (self.standing.wanted, self.standing.unmet, self.standing.live)
    }

    /// Plants a bug, for tests of the tests.
    #[cfg(any(test, feature = "sim"))]
    #[doc(hidden)]
    pub fn plant(&mut self, plant: Plant) {
        self.plants = Plants::one(plant);
        self.spoil(plant);
    }
}

impl Standing {
    fn count(&mut self, old: &face::Face, new: &face::Face) {
        let turn = |counter: &mut usize, was: bool, is: bool| {
            *counter = *counter + usize::from(is) - usize::from(was);
        };
        turn(&mut self.wanted, old.wanted, new.wanted);
        turn(&mut self.unmet, old.wanted && !old.fine(), new.wanted && !new.fine());
        turn(&mut self.live, old.live, new.live);
    }
}
