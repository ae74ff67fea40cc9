//! Admission to starting: so many restarts a second for the whole stack, and so many containers of one engine at
//! once, in the order of waiting. First starts of processes are not limited.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{
    Brain,
    plant::Plant,
    state::{Phase, Ticket},
};
use crate::{
    model::{InstanceId, Moment, Seat, ServiceIx, SlotKey},
    spec::Service,
};

/// The span in which no more than the limit may start.
const WINDOW: Duration = Duration::from_secs(1);

/// So many starts of one container engine may be unanswered.
pub(crate) const PLACES: usize = 8;

/// Who waits and who was let through lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    lanes: Vec<Lane>,
    rooms: Vec<Room>,
    /// When restarts were let through.
    recent: VecDeque<Moment>,
    /// Restarts that may go and have not gone yet.
    granted: usize,
}

/// Those who wait for the same.
#[derive(Clone, Debug)]
struct Lane {
    /// They need a place here.
    room: Option<usize>,
    /// They are restarts.
    again: bool,
    queue: BTreeSet<(Moment, ServiceIx, SlotKey)>,
}

/// The starts of one container engine.
#[derive(Clone, Debug)]
struct Room {
    runtime: String,
    /// Starts that were asked for. Who is answered leaves when somebody wants his place.
    starting: Vec<(Seat, InstanceId)>,
    /// Places that are promised.
    granted: usize,
}

/// A lane's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LaneNo(usize);

impl Admission {
    pub(crate) fn started(&mut self, now: Moment) {
        self.recent.push_back(now);
    }

    /// The start of a container is under way.
    pub(crate) fn enter(&mut self, service: &Service, at: Seat, inst: InstanceId) {
        if let Some(room) = self.room(service) {
            self.rooms[room].starting.push((at, inst));
        }
    }

    fn room(&mut self, service: &Service) -> Option<usize> {
        service.image.as_ref()?;
        let known = self.rooms.iter().position(|room| room.runtime == service.runtime);
        Some(known.unwrap_or_else(|| {
            self.rooms.push(Room { runtime: service.runtime.clone(), starting: Vec::new(), granted: 0 });
            self.rooms.len() - 1
        }))
    }

    fn lane(&mut self, service: &Service, again: bool) -> LaneNo {
        let room = self.room(service);
        let known = self.lanes.iter().position(|lane| lane.room == room && lane.again == again);
        LaneNo(known.unwrap_or_else(|| {
            self.lanes.push(Lane { room, again, queue: BTreeSet::new() });
            self.lanes.len() - 1
        }))
    }

    fn prune(&mut self, now: Moment) {
        while self.recent.front().is_some_and(|&at| at + WINDOW <= now) {
            self.recent.pop_front();
        }
    }

    fn anybody(&self) -> bool {
        self.lanes.iter().any(|lane| !lane.queue.is_empty())
    }

    fn has_place(&self, lane: &Lane) -> bool {
        lane.room.is_none_or(|room| {
            let room = &self.rooms[room];
            room.starting.len() + room.granted < PLACES
        })
    }

    /// The lane whose first may go, and has waited longest.
    fn next(&self, limit: usize) -> Option<LaneNo> {
        let restarts = self.recent.len() + self.granted;
        let firsts = self.lanes.iter().enumerate().filter_map(|(number, lane)| {
            let first = lane.queue.first()?;
            let may = (!lane.again || restarts < limit) && self.has_place(lane);
            may.then_some((first, number))
        });
        firsts.min().map(|(_, number)| LaneNo(number))
    }

    /// A promise is given or redeemed.
    fn grant(&mut self, LaneNo(number): LaneNo, change: impl Fn(&mut usize)) {
        let Lane { room, again, .. } = self.lanes[number];
        if again {
            change(&mut self.granted);
        }
        if let Some(room) = room {
            change(&mut self.rooms[room].granted);
        }
    }

    /// When the next one may be let through, if one waits for the time only.
    pub(crate) fn wake(&self) -> Option<Moment> {
        let waits = self.lanes.iter().any(|lane| lane.again && !lane.queue.is_empty() && self.has_place(lane));
        waits.then(|| self.recent.front().map_or(Moment::ZERO, |&at| at + WINDOW))
    }

    /// For checks: nobody waits while there is room.
    pub(crate) fn fair(&self, limit: usize, now: Moment) -> bool {
        let mut then = self.clone();
        then.prune(now);
        self.granted == 0 && self.rooms.iter().all(|room| room.granted == 0) && then.next(limit).is_none()
    }
}

impl Brain {
    pub(super) fn limit(&self) -> usize {
        self.config.restarts_per_second.max(1) as usize
    }

    pub(super) fn queue(&mut self, ix: ServiceIx, key: SlotKey, now: Moment) {
        let unit = &mut self.units[ix.index()];
        let Some(spec) = unit.set(key.generation).map(|set| set.spec.clone()) else { return };
        if let Some(slot) = unit.slot_mut(key) {
            let lane = self.admission.lane(&spec, slot.again);
            slot.ticket = Ticket::Queued(now, lane);
            self.admission.lanes[lane.0].queue.insert((now, ix, key));
        }
    }

    pub(super) fn unqueue(&mut self, ix: ServiceIx, key: SlotKey) {
        let Some(slot) = self.units[ix.index()].slot_mut(key) else { return };
        match std::mem::replace(&mut slot.ticket, Ticket::None) {
            Ticket::None => {}
            Ticket::Queued(since, LaneNo(lane)) => {
                self.admission.lanes[lane].queue.remove(&(since, ix, key));
            }
            Ticket::Granted(lane) => self.admission.grant(lane, |count| *count -= 1),
        }
    }

    /// Lets through who may go now. True: somebody may.
    pub(super) fn admit(&mut self, now: Moment) -> bool {
        if !self.admission.anybody() || (self.plants.has(Plant::StarvedForgotten) && !self.admission.recent.is_empty())
        {
            return false;
        }
        self.admission.prune(now);
        self.leave_rooms();
        let mut any = false;
        while let Some(lane) = self.admission.next(self.limit()) {
            let Some((_, ix, key)) = self.admission.lanes[lane.0].queue.pop_first() else { break };
            if let Some(slot) = self.units[ix.index()].slot_mut(key) {
                slot.ticket = Ticket::Granted(lane);
                self.admission.grant(lane, |count| *count += 1);
                self.mark(ix);
                any = true;
            }
        }
        any
    }

    /// Whoever is not starting any more gives his place up.
    fn leave_rooms(&mut self) {
        let (units, plants) = (&self.units, self.plants);
        for room in &mut self.admission.rooms {
            room.starting.retain(|(at, inst)| {
                let slot = units.get(at.service.index()).and_then(|unit| unit.slot(at.slot));
                match slot.map(|slot| &slot.phase) {
                    Some(Phase::Starting { inst: other, doomed }) => other == inst && !doomed,
                    Some(Phase::Running(_)) => false,
                    Some(_) | None => plants.has(Plant::PlaceKept),
                }
            });
            if plants.has(Plant::PlacesIgnored) {
                room.starting.clear();
            }
        }
    }

    /// The starts that an earlier engine asked for take their places.
    pub(super) fn enter_rooms(&mut self) {
        for ix in self.all() {
            let unit = &self.units[ix.index()];
            for slot in &unit.slots {
                if let (Phase::Starting { inst, doomed: false }, Some(set)) =
                    (&slot.phase, unit.set(slot.key.generation))
                {
                    self.admission.enter(&set.spec, Seat { service: ix, slot: slot.key }, *inst);
                }
            }
        }
    }
}
