//! Live instances as the driver knows them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{sync::watch, task::AbortHandle};

use crate::{
    brain::Brain,
    model::{InstanceId, Moment, Role, Seat},
    runtime::Runtime,
};

use super::{
    clock::wall_micros,
    ledger::Mark,
    life::{Order, Ordered},
    report::Running,
    status::{Overlay, Status},
};

/// A running instance: its replica, its runtime, and what is known of it.
pub(super) type Found = (u32, Arc<dyn Runtime>, Running);

/// A live instance as the driver knows it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) seat: Seat,
    pub(super) orders: watch::Sender<Ordered>,
    pub(super) running: Option<Running>,
    pub(super) probers: [Option<AbortHandle>; 2],
    /// By role: an earlier engine probed it, and it was ready; the next prober goes on with that.
    pub(super) resumed: [bool; 2],
}

impl Live {
    /// Gives an order, to be carried out once the decision behind it is recorded.
    pub(super) fn order(&self, order: Order, mark: Mark) {
        self.orders.send_if_modified(|now| {
            let grows = order > now.order;
            if grows {
                *now = Ordered { order, mark };
            }
            grows
        });
    }

    pub(super) fn unprobe(&mut self, role: Role) {
        if let Some(task) = self.probers[slot(role)].take() {
            task.abort();
        }
    }
}

pub(super) const fn slot(role: Role) -> usize {
    match role {
        Role::Readiness => 0,
        Role::Liveness => 1,
    }
}

/// What everything looks like: the brain's view and what only the engine knows.
pub(super) fn status(
    brain: &Brain,
    live: &BTreeMap<InstanceId, Live>,
    now: Moment,
    version: u64,
    going_down: bool,
) -> Status {
    let overlay = |l: &Live| {
        let running = l.running.as_ref()?;
        Some(Overlay {
            pid: running.handle.pid,
            container: running.handle.container.clone(),
            endpoint: running.endpoints.values().next().copied(),
        })
    };
    Status {
        version,
        generated_at: wall_micros(),
        snapshot: brain.snapshot(now),
        overlays: live.iter().filter_map(|(id, l)| Some((*id, overlay(l)?))).collect(),
        going_down,
    }
}
