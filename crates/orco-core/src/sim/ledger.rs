//! What anybody could know who reads the same facts and sees the same actions as the brain. The
//! checks read this and the world, never the brain's own belief.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Chair, Tallied};
use crate::{
    brain::{Action, Step},
    model::{Exit, Fact, InstanceId, Moment, Role, Seat, ServiceIx, SlotKey, Verdict},
    spec::{Kind, Service},
};

/// How a try came to its end, as far as facts tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The start was refused.
    Refused,
    /// It exited.
    Exited {
        /// How.
        exit: Exit,
        /// A stranger had its port.
        port_lost: bool,
    },
}

/// One try, from its order to its end.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its seat.
    pub at: Seat,
    /// What it runs.
    pub service: Arc<Service>,
    /// Its number.
    pub run: u32,
    /// When the start was ordered.
    pub ordered: Moment,
    /// Created or started, as told.
    pub exists: bool,
    /// When it was told that it runs.
    pub started: Option<Moment>,
    /// The start's outcome is unknown.
    pub unclear: bool,
    /// When a stop was first ordered.
    pub stop: Option<Moment>,
    /// When a kill was first ordered.
    pub kill: Option<Moment>,
    /// When and how it ended.
    pub over: Option<(Moment, End)>,
    /// The readiness verdicts, if probed.
    pub readiness: Option<Tallied>,
    /// The liveness verdicts, if probed.
    pub liveness: Option<Tallied>,
    /// Since when it is ready.
    pub ready: Option<Moment>,
    /// Whether it was ever ready.
    pub was_ready: bool,
    /// A readiness probe ever passed.
    pub passed: bool,
    /// It was ready for `resetAfter` at some time.
    pub stable: bool,
}

impl Life {
    /// It may run, as far as facts tell.
    pub const fn is_live(&self) -> bool {
        self.over.is_none()
    }

    /// It runs, answers, and nobody asked it to go.
    pub const fn serves(&self) -> bool {
        self.is_live() && self.ready.is_some() && self.stop.is_none() && self.kill.is_none()
    }

    /// Ready for `resetAfter`.
    pub fn is_settled(&self, now: Moment) -> bool {
        let now = [self.stop, self.kill].into_iter().flatten().fold(now, Moment::min);
        self.ready.is_some_and(|since| since + self.service.restart.reset_after <= now)
    }

    /// It was made to end. Of a start whose outcome nobody knew, an exit by code is its own doing, kill
    /// or not.
    pub const fn was_ended(&self, end: End) -> bool {
        let own = self.unclear && matches!(end, End::Exited { exit: Exit::Code(_), .. });
        (self.stop.is_some() || self.kill.is_some()) && !own
    }

    /// Its service's index.
    pub const fn ix(&self) -> ServiceIx {
        self.at.service
    }
}

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Every try.
    pub lives: BTreeMap<InstanceId, Life>,
    /// The tries that are not over, by service.
    pub live: BTreeMap<ServiceIx, BTreeSet<InstanceId>>,
    /// The seats that exist.
    pub seats: BTreeMap<ServiceIx, BTreeMap<SlotKey, Chair>>,
    /// Seats that ended with success and need not run again, and when.
    pub done: BTreeMap<Seat, Moment>,
    /// When a live instance of a service last stopped being ready, for whatever reason.
    pub lost_ready: BTreeMap<ServiceIx, Moment>,
    /// How many tries of a replica have ended.
    pub ends: BTreeMap<(ServiceIx, u32), u32>,
}

impl Ledger {
    /// The live tries of a service.
    pub fn live_of(&self, ix: ServiceIx) -> impl Iterator<Item = (InstanceId, &Life)> {
        self.live.get(&ix).into_iter().flatten().filter_map(|inst| Some((*inst, self.lives.get(inst)?)))
    }

    /// How many of a service are ready and not asked to go.
    pub fn serving(&self, ix: ServiceIx) -> usize {
        self.live_of(ix).filter(|(_, life)| life.serves()).count()
    }

    /// A seat, made if need be.
    pub fn chair(&mut self, at: Seat, now: Moment) -> &mut Chair {
        self.seats.entry(at.service).or_default().entry(at.slot).or_insert_with(|| Chair::new(now))
    }

    /// A seat that exists.
    pub fn seat(&self, at: Seat) -> Option<&Chair> {
        self.seats.get(&at.service)?.get(&at.slot)
    }

    /// The seats of a service.
    pub fn seats_of(&self, ix: ServiceIx) -> impl Iterator<Item = (SlotKey, &Chair)> {
        self.seats.get(&ix).into_iter().flatten().map(|(slot, chair)| (*slot, chair))
    }

    /// The live try of a seat.
    pub fn sitter(&self, at: Seat) -> Option<&Life> {
        self.lives.get(&self.seat(at)?.last?).filter(|life| life.is_live())
    }

    /// Books a decision that has no effect in the world.
    pub fn decide(&mut self, ix: ServiceIx, step: &Step, now: Moment) {
        let at = |slot: SlotKey| Seat { service: ix, slot };
        match step {
            Step::Create(slot) => {
                self.done.remove(&at(*slot));
                self.seats.entry(ix).or_default().insert(*slot, Chair::new(now));
            }
            Step::Retire(slot) => self.chair(at(*slot), now).retired = Some(now),
            Step::Recycle(slot, why) => self.chair(at(*slot), now).recycle = Some(*why),
            Step::Drop(slot) => {
                if let Some(seats) = self.seats.get_mut(&ix) {
                    seats.remove(slot);
                }
            }
            Step::Queue(_)
            | Step::Unqueue(_)
            | Step::Start(_)
            | Step::Probe(..)
            | Step::Unprobe(..)
            | Step::Stop(_)
            | Step::Kill(_)
            | Step::Repeat(_)
            | Step::Lean(..)
            | Step::Yield(_)
            | Step::Block(_)
            | Step::Tell(_)
            | Step::Unblock
            | Step::Done
            | Step::Forget(_)
            | Step::Settle => {}
            Step::Gone => {
                self.seats.remove(&ix);
            }
        }
    }

    /// The same program under other rules: everything that lives of this revision follows them.
    pub fn retune(&mut self, ix: ServiceIx, service: &Arc<Service>, now: Moment) {
        for inst in self.live.get(&ix).into_iter().flatten() {
            let same = |life: &&mut Life| life.service.revision == service.revision;
            let Some(life) = self.lives.get_mut(inst).filter(same) else { continue };
            if life.service.health != service.health
                && let Some(tallied) = &mut life.readiness
            {
                tallied.outdated = true;
            }
            if life.service.liveness != service.liveness
                && let Some(tallied) = &mut life.liveness
            {
                tallied.outdated = true;
            }
            life.service = Arc::clone(service);
            let unchecked = service.health.is_none() && service.kind != Kind::Oneshot;
            if unchecked && life.started.is_some() && life.stop.is_none() && life.kill.is_none() {
                life.ready.get_or_insert(now);
                life.was_ready = true;
            }
        }
    }

    /// Something of it lives and is not on its way out.
    pub fn stays(&self, ix: ServiceIx) -> bool {
        self.live_of(ix).any(|(_, life)| self.seat(life.at).is_some_and(|chair| chair.retired.is_none()))
    }

    /// The operator asked for a service by name: what succeeded may run again.
    pub fn clear_done(&mut self, ix: ServiceIx) {
        self.done.retain(|at, _| at.service != ix);
    }

    /// The operator asked for a service again: counts begin again.
    pub fn clear_counts(&mut self, ix: ServiceIx) {
        for chair in self.seats.get_mut(&ix).into_iter().flat_map(BTreeMap::values_mut) {
            chair.cleared();
        }
    }

    /// Books an ordered action.
    pub fn order(&mut self, action: &Action, now: Moment) {
        match action {
            Action::Start { at, inst, run, service } => {
                let life = Life {
                    at: *at,
                    service: Arc::clone(service),
                    run: *run,
                    ordered: now,
                    exists: false,
                    started: None,
                    unclear: false,
                    stop: None,
                    kill: None,
                    over: None,
                    readiness: None,
                    liveness: None,
                    ready: None,
                    was_ready: false,
                    passed: false,
                    stable: false,
                };
                self.lives.insert(*inst, life);
                self.live.entry(at.service).or_default().insert(*inst);
                self.done.remove(at);
                self.chair(*at, now).sit(*inst);
            }
            Action::Probe { inst, role, version, health, .. } => {
                let tallied = Some(Tallied::new(*version, health.tally));
                if let Some(life) = self.lives.get_mut(inst) {
                    match role {
                        Role::Readiness => life.readiness = tallied,
                        Role::Liveness => life.liveness = tallied,
                    }
                }
            }
            Action::Unprobe { inst, role } => self.unprobe(*inst, *role, now),
            Action::Stop { inst, .. } => self.leave(*inst, now, false),
            Action::Kill { inst, .. } => self.leave(*inst, now, true),
        }
    }

    fn unprobe(&mut self, inst: InstanceId, role: Role, now: Moment) {
        let Some(life) = self.lives.get_mut(&inst) else { return };
        match role {
            Role::Liveness => life.liveness = None,
            Role::Readiness => {
                life.readiness = None;
                if life.started.is_some() && life.service.kind != Kind::Oneshot {
                    life.ready.get_or_insert(now);
                    life.was_ready = true;
                }
            }
        }
    }

    fn leave(&mut self, inst: InstanceId, now: Moment, kill: bool) {
        let Some(life) = self.lives.get_mut(&inst) else { return };
        let lost = life.ready.is_some() && life.stop.is_none() && life.kill.is_none();
        let mark = if kill { &mut life.kill } else { &mut life.stop };
        mark.get_or_insert(now);
        if lost {
            self.lost_ready.insert(life.at.service, now);
        }
    }

    /// Books a delivered fact.
    pub fn hear(&mut self, fact: &Fact, now: Moment) {
        let inst = match fact {
            Fact::Created { inst, .. }
            | Fact::Started { inst, .. }
            | Fact::StartFailed { inst, .. }
            | Fact::Exited { inst, .. }
            | Fact::Probed { inst, .. } => *inst,
        };
        let Some(life) = self.lives.get_mut(&inst).filter(|life| life.is_live()) else { return };
        match fact {
            Fact::Created { at, .. } => {
                life.exists = true;
                self.chair(*at, now).born = true;
            }
            Fact::Started { at, .. } => {
                life.exists = true;
                if life.started.is_none() {
                    life.started = Some(now);
                    if life.service.health.is_none() && life.service.kind != Kind::Oneshot {
                        life.ready = Some(now);
                        life.was_ready = true;
                    }
                }
                self.chair(*at, now).born = true;
            }
            Fact::StartFailed { certain: false, .. } => life.unclear = life.started.is_none(),
            Fact::StartFailed { certain: true, .. } if life.started.is_none() => self.end(inst, End::Refused, now),
            Fact::StartFailed { certain: true, .. } => {}
            Fact::Exited { at, exit, port_lost, .. } => {
                self.chair(*at, now).born = true;
                self.end(inst, End::Exited { exit: *exit, port_lost: *port_lost }, now);
            }
            Fact::Probed { role, version, verdict, .. } => {
                // Who leaves is not asked any more.
                if life.stop.is_some() || life.kill.is_some() {
                    return;
                }
                let age = life.started.map_or(std::time::Duration::ZERO, |from| now.since(from));
                let lane = match role {
                    Role::Readiness => &mut life.readiness,
                    Role::Liveness => &mut life.liveness,
                };
                let Some(tallied) = lane.as_mut().filter(|t| t.version == *version && !t.outdated) else { return };
                let said = tallied.hear(verdict, age);
                if *role == Role::Readiness {
                    life.passed |= *verdict == Verdict::Pass;
                    match said {
                        Some(true) => {
                            life.ready.get_or_insert(now);
                            life.was_ready = true;
                        }
                        Some(false) if life.ready.is_some() => {
                            life.stable |= life.is_settled(now);
                            life.ready = None;
                            self.lost_ready.insert(life.at.service, now);
                        }
                        Some(false) | None => {}
                    }
                }
            }
        }
    }

    pub(super) fn end(&mut self, inst: InstanceId, end: End, now: Moment) {
        let Some(life) = self.lives.get_mut(&inst) else { return };
        life.over = Some((now, end));
        let at = life.at;
        if life.ready.is_some() && life.stop.is_none() && life.kill.is_none() {
            self.lost_ready.insert(at.service, now);
        }
        if let Some(live) = self.live.get_mut(&at.service) {
            live.remove(&inst);
        }
        let asked = life.was_ended(end);
        let life = life.clone();
        *self.ends.entry((at.service, at.slot.replica)).or_default() += 1;
        let chair = self.chair(at, now);
        chair.rise(&life, end, now);
        let completed = chair.barred && !chair.excused && is_success(&life.service, end);
        if completed && !asked {
            self.done.insert(at, now);
        }
    }
}

/// Whether an end is a success under the service's policy.
pub fn is_success(service: &Service, end: End) -> bool {
    matches!(end, End::Exited { exit: Exit::Code(code), .. }
        if service.restart.success_exit_codes.contains(&code))
}
