//! What the ledger makes of a crash: what anybody could know afterwards who knows what runs.

use std::collections::BTreeSet;

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
        for service in &shown.services {
            for seat in &service.instances {
                let slot = SlotKey { generation: seat.generation, replica: seat.replica };
                self.seats.entry(service.ix).or_default().insert(slot, Chair::new(now));
            }
        }
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
