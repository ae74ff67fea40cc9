//! Restart admission: so many restarts a second for the whole stack, in the order of waiting. First
//! starts are not limited.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{Brain, plant::Plant, state::Ticket};
use crate::model::{Moment, ServiceIx, SlotKey};

/// The span in which no more than the limit may start.
const WINDOW: Duration = Duration::from_secs(1);

/// Who waits and who was let through lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    queue: BTreeSet<(Moment, ServiceIx, SlotKey)>,
    recent: VecDeque<Moment>,
    granted: usize,
}

impl Admission {
    pub(crate) fn started(&mut self, now: Moment) {
        self.recent.push_back(now);
    }

    fn prune(&mut self, now: Moment) {
        while self.recent.front().is_some_and(|&at| at + WINDOW <= now) {
            self.recent.pop_front();
        }
    }

    /// When the next one may be let through, if one waits.
    pub(crate) fn wake(&self) -> Option<Moment> {
        (!self.queue.is_empty()).then(|| self.recent.front().map_or(Moment::ZERO, |&at| at + WINDOW))
    }

    /// For checks: nobody waits while there is room.
    pub(crate) fn fair(&self, limit: usize, now: Moment) -> bool {
        let busy = self.recent.iter().filter(|&&at| at + WINDOW > now).count();
        self.granted == 0 && (self.queue.is_empty() || busy >= limit)
    }
}

impl Brain {
    pub(super) fn limit(&self) -> usize {
        self.config.restarts_per_second.max(1) as usize
    }

    pub(super) fn queue(&mut self, ix: ServiceIx, key: SlotKey, now: Moment) {
        if let Some(slot) = self.units[ix.index()].slot_mut(key) {
            slot.ticket = Ticket::Queued(now);
            self.admission.queue.insert((now, ix, key));
        }
    }

    pub(super) fn unqueue(&mut self, ix: ServiceIx, key: SlotKey) {
        let Some(slot) = self.units[ix.index()].slot_mut(key) else { return };
        match std::mem::replace(&mut slot.ticket, Ticket::None) {
            Ticket::None => {}
            Ticket::Queued(since) => {
                self.admission.queue.remove(&(since, ix, key));
            }
            Ticket::Granted => self.admission.granted -= 1,
        }
    }

    /// Lets through who may go now. True: somebody may.
    pub(super) fn admit(&mut self, now: Moment) -> bool {
        if self.admission.queue.is_empty()
            || (self.plants.has(Plant::StarvedForgotten) && !self.admission.recent.is_empty())
        {
            return false;
        }
        self.admission.prune(now);
        let mut any = false;
        while self.admission.recent.len() + self.admission.granted < self.limit() {
            let Some((_, ix, key)) = self.admission.queue.pop_first() else { break };
            if let Some(slot) = self.units[ix.index()].slot_mut(key) {
                slot.ticket = Ticket::Granted;
                self.admission.granted += 1;
                self.mark(ix);
                any = true;
            }
        }
        any
    }
}
