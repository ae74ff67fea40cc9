//! What the ledger makes of a crash: what anybody could know afterwards who knows what runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chair, End, Ledger};
use crate::model::{Exit, InstanceId, Moment, SlotKey, Snapshot};

impl Ledger {
    /// A new engine has asked what there is. Whoever was told to run and is not there has ended, nobody knows
    /// how; whose start was only decided never was. What an old engine's probes counted died with it.
    pub fn adopted(&mut self, found: &BTreeSet<InstanceId>, now: Moment) {
        let live: Vec<InstanceId> = self.live.values().flatten().copied().collect();
        for inst in live {
            let Some(life) = self.lives.get_mut(&inst) else { continue };
            (life.readiness, life.liveness) = (None, None);
            if found.contains(&inst) {
                continue;
            }
            if life.started.is_some() || life.unclear || life.stop.is_some() || life.kill.is_some() {
                self.end(inst, End::Exited { exit: Exit::Unknown, port_lost: false }, now);
            } else {
                self.vanish(inst, now);
            }
        }
    }

    /// The machine was started anew: nothing lives, and what is wanted begins anew in the seats there are.
    pub fn new_life(&mut self, shown: &Snapshot, now: Moment) {
        let live: Vec<InstanceId> = self.live.values().flatten().copied().collect();
        for inst in live {
            self.vanish(inst, now);
        }
        self.done.clear();
        self.seats.clear();
        // They are older than whatever is asked from now on.
        for service in &shown.services {
            for seat in &service.instances {
                let slot = SlotKey { generation: seat.generation, replica: seat.replica };
                self.seats.entry(service.ix).or_default().insert(slot, Chair::new(Moment::ZERO));
            }
        }
    }

    /// The clock counts from zero again: all that was is before.
    pub fn rebooted(&mut self) {
        self.lost_ready.clear();
        self.done.values_mut().for_each(|at| *at = Moment::ZERO);
        for life in self.lives.values_mut() {
            life.ordered = Moment::ZERO;
            for at in [&mut life.started, &mut life.stop, &mut life.kill, &mut life.ready].into_iter().flatten() {
                *at = Moment::ZERO;
            }
        }
        self.seats.values_mut().flat_map(BTreeMap::values_mut).for_each(Chair::rebooted);
    }

    /// It was decided on and never began.
    fn vanish(&mut self, inst: InstanceId, now: Moment) {
        let Some(life) = self.lives.get_mut(&inst) else { return };
        life.over = Some((now, End::Refused));
        let at = life.at;
        if let Some(live) = self.live.get_mut(&at.service) {
            live.remove(&inst);
        }
        self.chair(at, now).stand();
    }
}
