//! Live instances as the driver knows them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{sync::watch, task::AbortHandle};

use crate::{
    brain::Brain,
    model::{EventData, EventKind, Happening, InstanceId, Moment, Role, Seat, Snapshot, Waiting},
    runtime::Runtime,
};

use super::{
    clock::wall_micros,
    ledger::Mark,
    life::{Order, Ordered},
    report::Running,
    status::{Overlay, Status},
    world::World,
};

/// A running instance: its replica, its runtime, and what is known of it.
pub(super) type Found = (u32, Arc<dyn Runtime>, Running);

/// A live instance as the driver knows it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) seat: Seat,
    /// It belongs to an engine that may be away.
    pub(super) remote: bool,
    pub(super) orders: watch::Sender<Ordered>,
    pub(super) running: Option<Running>,
    /// Its start waits until this is recorded.
    pub(super) unrecorded: Option<Mark>,
    /// Why its runtime cannot start, or stop, it at present.
    pub(super) held: Option<Arc<str>>,
    pub(super) probers: [Option<AbortHandle>; 2],
    /// By role: an earlier engine probed it, and it was ready; the next prober goes on with that.
    pub(super) resumed: [bool; 2],
}

impl Live {
    /// One that is about to be started.
    pub(super) const fn starting(seat: Seat, remote: bool, orders: watch::Sender<Ordered>) -> Self {
        let (running, unrecorded, held) = (None, None, None);
        let (probers, resumed) = ([None, None], [false; 2]);
        Self { seat, remote, orders, running, unrecorded, held, probers, resumed }
    }

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

    /// Its start or stop is held back, or not any more. What there is to tell: each trouble once, however often it is tried
    /// again. Pulls tell of themselves.
    pub(super) fn hold(&mut self, why: Option<Arc<str>>, world: &World) -> Option<Happening> {
        let before = std::mem::replace(&mut self.held, why);
        let why = self.held.clone()?;
        let told = before.is_some_and(|before| is_same(&before, &why));
        let is_pull = || {
            let directory = world.directory();
            let mut images = directory.values().filter_map(|(service, _)| service.image.as_deref());
            images.any(|image| world.waits.of(image).is_some_and(|wait| wait == why))
        };
        let waiting = |why: &Arc<str>| match self.running {
            Some(_) => Waiting::Unstoppable { why: Arc::clone(why) },
            None => Waiting::Unavailable { why: Arc::clone(why) },
        };
        (!told && !is_pull()).then(|| Happening {
            kind: EventKind::ServiceBlocked,
            service: Some(self.seat.service),
            replica: Some(self.seat.slot.replica),
            message: waiting(&why).message(Moment::default()).into(),
            reason: Some(why),
            attempt: None,
            data: EventData::None,
        })
    }

    pub(super) fn unprobe(&mut self, role: Role) {
        if let Some(task) = self.probers[slot(role)].take() {
            task.abort();
        }
    }
}

/// Apart from ids and numbers, which differ from try to try.
fn is_same(one: &str, other: &str) -> bool {
    let gist = |text: &str| -> Vec<String> {
        let words = text.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
        words.map(str::to_owned).collect()
    };
    gist(one) == gist(other)
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
    world: &World,
    now: Moment,
    version: u64,
    going_down: bool,
) -> Status {
    let overlay = |l: &Live| {
        let running = l.running.as_ref()?;
        Some(Overlay {
            pid: running.handle.pid,
            container: running.handle.container.clone(),
            endpoint: running.endpoint(),
            endpoints: running.endpoints.clone(),
        })
    };
    let mut snapshot = brain.snapshot(now);
    live.iter().for_each(|(id, l)| tell_what_holds(&mut snapshot, *id, l, world));
    Status {
        version,
        generated_at: wall_micros(),
        snapshot,
        overlays: live.iter().filter_map(|(id, l)| Some((*id, overlay(l)?))).collect(),
        going_down,
    }
}

/// The brain takes a start for under way that its hand still holds back, since it cannot be recorded or its runtime
/// cannot work or still pulls its image: only the engine knows of disk and runtime.
fn tell_what_holds(snapshot: &mut Snapshot, id: InstanceId, live: &Live, world: &World) {
    let disk = live.unrecorded.and_then(|mark| world.ledger.trouble_before(mark));
    if disk.is_none() && live.held.is_none() && world.waits.is_empty() {
        return;
    }
    let service = snapshot.services.iter_mut().find(|view| view.ix == live.seat.service);
    let Some(service) = service else { return };
    let waiting = match (disk, &live.held) {
        (Some(trouble), _) => Waiting::Unrecorded { trouble },
        (None, Some(why)) => Waiting::Unavailable { why: Arc::clone(why) },
        (None, None) => {
            let image = world.directory().get(&service.name).and_then(|(service, _)| service.image.clone());
            let Some(what) = image.and_then(|image| world.waits.of(&image)) else { return };
            Waiting::Preparing { what }
        }
    };
    if let (Some(Waiting::Exit { .. }), Some(why)) = (&service.waiting, &live.held) {
        let waiting = Waiting::Unstoppable { why: Arc::clone(why) };
        service.message = waiting.message(snapshot.at);
        service.waiting = Some(waiting);
        return;
    }
    let is_start = |waiting: &Option<Waiting>| matches!(waiting, Some(Waiting::Starting));
    if is_start(&service.waiting) {
        service.message = waiting.message(snapshot.at);
        service.waiting = Some(waiting.clone());
    }
    if let Some(instance) = service.instances.iter_mut().find(|i| i.id == Some(id) && is_start(&i.waiting)) {
        instance.waiting = Some(waiting);
    }
}
