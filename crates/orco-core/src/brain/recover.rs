//! What an engine finds out before its first turn: who of those remembered still lives.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Brain,
    plant::Plant,
    state::{Leave, Phase, Slot},
};
use crate::{
    model::{EventKind, Exit, InstanceId, Moment, Seat, ServiceIx},
    spec::Service,
};

/// An instance that may live as far as the brain remembers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Remembered {
    /// Where.
    pub at: Seat,
    /// Which.
    pub inst: InstanceId,
    /// The number of this try of the replica.
    pub run: u32,
    /// What was started, or was to be.
    pub service: Arc<Service>,
    /// It has started. Else its start was asked for and not answered.
    pub started: bool,
    /// It was ready when that was last remembered.
    pub ready: bool,
}

impl Brain {
    /// All instances that may live as far as the brain remembers: to be looked for and adopted.
    pub fn remembered(&self) -> Vec<Remembered> {
        let of = |ix: ServiceIx| {
            let unit = &self.units[ix.index()];
            unit.slots.iter().filter_map(move |slot| {
                let inst = slot.phase.live()?;
                let service = unit.set(slot.key.generation)?.spec.clone();
                let started = match &slot.phase {
                    Phase::Running(_) => true,
                    Phase::Stopping { started, .. } => started.is_some(),
                    Phase::Idle | Phase::Starting { .. } | Phase::Backoff { .. } | Phase::Halted { .. } => false,
                };
                Some(Remembered {
                    at: Seat { service: ix, slot: slot.key },
                    inst,
                    run: slot.run,
                    service,
                    started,
                    ready: slot.ready(),
                })
            })
        };
        self.all().into_iter().flat_map(of).collect()
    }

    /// What reality says after [`restore`](Self::restore), before the first turn: everything in
    /// `found` exists, or has ended and its exit is still to be told. Of those remembered and not found, a
    /// start that never happened is made again, without costing a retry or counting a restart twice; what
    /// had started is over with `Exit::Unknown`, under the ordinary rules.
    ///
    /// Returns the strangers: found, but not remembered. They are to be reaped.
    pub fn recovered(&mut self, found: &BTreeSet<InstanceId>, now: Moment) -> Vec<InstanceId> {
        self.now = self.now.max(now);
        let mut strangers = found.clone();
        let (mut kept, mut lost) = (0_usize, 0_usize);
        for Remembered { at, inst, .. } in self.remembered() {
            if strangers.remove(&inst) {
                kept += 1;
                continue;
            }
            lost += 1;
            let slot = self.units[at.service.index()].slot(at.slot);
            match slot.map(|slot| &slot.phase) {
                Some(Phase::Starting { doomed: false, .. }) if !self.plants.has(Plant::RetryAtRecovery) => {
                    self.unstart(at);
                }
                Some(Phase::Running(_)) if self.plants.has(Plant::LostIgnored) => {}
                _ => self.exited(at, inst, Exit::Unknown, false, now),
            }
        }
        let words = if lost == 0 { String::new() } else { format!(", {lost} lost") };
        self.tell_all(EventKind::EngineRecovered, &format!("a new engine took over: {kept} alive{words}"));
        strangers.into_iter().collect()
    }

    /// A start that never happened.
    fn unstart(&mut self, at: Seat) {
        if let Some(slot) = self.units[at.service.index()].slot_mut(at.slot) {
            slot.phase = Phase::Idle;
            slot.again = slot.counted;
            if !slot.born {
                slot.last_inst = None;
            }
            if matches!(slot.leave, Some(Leave::Recycle(_))) {
                slot.leave = None;
            }
        }
        self.changed(at.service);
    }

    /// Nothing was found alive and it is a new life (the machine was started anew, or the last life ended
    /// properly): what is wanted up begins anew, completed oneshots too; replacements under way are
    /// over, backoffs, failures and halts forgotten. Totals, runs and last exits stay.
    pub fn new_life(&mut self, now: Moment) {
        self.now = self.now.max(now);
        let oneshots_stay = self.plants.has(Plant::OneshotsStay);
        for ix in self.all() {
            let unit = &mut self.units[ix.index()];
            let target = unit.target;
            unit.rollout = None;
            unit.sets.retain(|set| set.generation == target);
            unit.slots.retain(|slot| slot.key.generation == target);
            let spared = |slot: &Slot| oneshots_stay && slot.completed();
            for slot in unit.slots.iter_mut().filter(|slot| !spared(slot)) {
                let Slot { key, restarts, run, ended, .. } = *slot;
                *slot = Slot { restarts, run, ended, ..Slot::new(key) };
            }
            unit.killing = false;
            unit.block = None;
            unit.was_ready = false;
            self.relink(ix);
        }
        self.rank();
        let mut all = self.all();
        all.sort_by_key(|ix| std::cmp::Reverse(self.units[ix.index()].rank));
        for ix in all {
            self.changed(ix);
        }
    }
}
