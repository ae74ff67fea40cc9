//! Folds facts into the state. A fact about another instance than the one in the seat changes nothing.

use std::sync::Arc;

use super::{
    Brain, Why, hash,
    plant::Plant,
    state::{Checked, Leave, Live, Phase, Slot, Unit, role_index},
    tell::{self, Told},
};
use crate::{
    model::{EventData, EventKind, Exit, Fact, Human, InstanceId, Moment, ProbeVersion, Role, Seat, SlotKey, Verdict},
    policy::{
        backoff,
        health::{self, Turned},
        restart::{self, End, Next},
    },
    spec::RetryLimit,
};

/// So many ports in a row may be lost to strangers before it counts as the service's own failure.
const PORTS_LOST: u32 = 5;

impl Brain {
    pub(super) fn fact(&mut self, fact: Fact, now: Moment) {
        match fact {
            Fact::Created { at, inst } => self.created(at, inst),
            Fact::Started { at, inst } => self.started(at, inst, now),
            Fact::StartFailed { at, inst, why, certain } => {
                let certain = certain || self.plants.has(Plant::UnknownIsFailed);
                self.start_failed(at, inst, why, certain, now);
            }
            Fact::Exited { at, inst, exit, port_lost } => self.exited(at, inst, exit, port_lost, now),
            Fact::Probed { at, inst, role, version, verdict } => {
                if let Some((ready, reason)) = self.probed(at, inst, role, version, verdict, now) {
                    self.turned(at, role, ready, reason, now);
                }
            }
        }
    }

    /// The seat, if this instance is in it.
    fn seat(&mut self, at: Seat, inst: InstanceId) -> Option<&mut Slot> {
        let slot = self.units.get_mut(at.service.index())?.slot_mut(at.slot)?;
        (slot.phase.live() == Some(inst)).then_some(slot)
    }

    fn created(&mut self, at: Seat, inst: InstanceId) {
        if let Some(slot) = self.seat(at, inst)
            && !slot.born
        {
            slot.born = true;
            self.changed(at.service);
        }
    }

    fn started(&mut self, at: Seat, inst: InstanceId, now: Moment) {
        let Some(slot) = self.seat(at, inst) else { return };
        slot.born = true;
        match &mut slot.phase {
            Phase::Starting { doomed: false, .. } => {
                slot.phase = Phase::Running(Box::new(Live {
                    inst,
                    since: now,
                    ready_since: None,
                    was_ready: false,
                    sick: false,
                    checks: [Checked::default(), Checked::default()],
                    leans: Vec::new(),
                }));
            }
            Phase::Stopping { started, .. } => {
                started.get_or_insert(now);
                return self.changed(at.service);
            }
            _ => return self.changed(at.service),
        }
        self.tell(at.service, now, Told::new(EventKind::ServiceStarted, "started").of(at.slot.replica));
        let set = self.units[at.service.index()].set(at.slot.generation);
        if set.is_some_and(|set| set.spec.health.is_none() && !set.ready_at_end()) {
            self.turned(at, Role::Readiness, true, None, now);
        }
        self.changed(at.service);
    }

    fn start_failed(&mut self, at: Seat, inst: InstanceId, why: Arc<str>, certain: bool, now: Moment) {
        let Some(slot) = self.seat(at, inst) else { return };
        let reason: Arc<str> = format!("could not be started: {why}").into();
        match (&mut slot.phase, certain) {
            (Phase::Running(_), _) => return,
            (Phase::Starting { doomed, .. }, false) => {
                *doomed = true;
                slot.leave.get_or_insert(Leave::Recycle(Why::StartUnknown));
                slot.reason = Some(reason);
            }
            (Phase::Stopping { kill_at, .. }, false) => *kill_at = now.min(*kill_at),
            _ => {
                self.units[at.service.index()].last_event = now;
                self.over(at, None, reason, now);
            }
        }
        self.changed(at.service);
    }

    pub(super) fn exited(&mut self, at: Seat, inst: InstanceId, exit: Exit, port_lost: bool, now: Moment) {
        let stale_counts = self.plants.has(Plant::StaleExit);
        let Some(slot) = self.units.get_mut(at.service.index()).and_then(|u| u.slot_mut(at.slot)) else { return };
        if slot.phase.live() != Some(inst) && !(stale_counts && slot.phase.live().is_some()) {
            return;
        }
        // An exit may overtake the news of its start: whoever exited did exist. Not so after a start with
        // unknown outcome.
        slot.born |= matches!(slot.phase, Phase::Starting { doomed: false, .. });
        let early = slot.running().is_none_or(|live| !live.was_ready);
        let lost = port_lost && early && slot.leave.is_none() && slot.ports_lost < PORTS_LOST;
        self.units[at.service.index()].note_end(at.slot, exit, now);
        if lost && !self.view(at.service).leaving() {
            if let Some(slot) = self.units[at.service.index()].slot_mut(at.slot) {
                slot.ports_lost += 1;
                slot.phase = Phase::Idle;
            }
            let told = Told::new(EventKind::ServiceCrashed, "its port was taken, the next try gets another");
            self.tell(at.service, now, told.of(at.slot.replica).with(EventData::Exit(exit)));
        } else {
            self.over(at, Some(exit), exit.to_string().into(), now);
        }
        self.changed(at.service);
    }

    /// A try is over: what comes next in its seat.
    fn over(&mut self, at: Seat, exit: Option<Exit>, reason: Arc<str>, now: Moment) {
        let (ix, key) = (at.service, at.slot);
        let leaving = self.view(ix).leaving();
        let by_itself = matches!(exit, Some(Exit::Code(_)));
        if !self.plants.has(Plant::NoReset) {
            forgive(&mut self.units[ix.index()], key, now);
        }
        let Some(slot) = self.units[ix.index()].slot_mut(key) else { return };
        slot.counted = false;
        match slot.leave {
            Some(Leave::Retire) => slot.phase = Phase::Idle,
            _ if leaving => slot.phase = Phase::Idle,
            Some(Leave::Recycle(Why::Dependency(_))) => {
                slot.leave = None;
                slot.phase = Phase::Idle;
                slot.again = true;
                let reason = slot.reason.clone().unwrap_or(reason);
                let told = Told::new(EventKind::ServiceRestarting, format!("restarts: {reason}"));
                self.tell(ix, now, told.of(key.replica).because(reason));
            }
            // Whoever exited by itself did run, whatever was reported of its start.
            Some(Leave::Recycle(Why::StartUnknown)) if by_itself => {
                slot.leave = None;
                slot.born = true;
                let end = exit.map_or(End::Failure, End::Exit);
                self.crashed(at, exit, end, &reason, now);
                self.judge(at, end, reason, now);
            }
            Some(Leave::Recycle(why)) => {
                slot.leave = None;
                let reason = slot.reason.clone().unwrap_or(reason);
                if why == Why::StartUnknown {
                    self.crashed(at, None, End::Failure, &reason, now);
                }
                self.judge(at, End::Failure, reason, now);
            }
            None => {
                let end = exit.map_or(End::Failure, End::Exit);
                self.crashed(at, exit, end, &reason, now);
                self.judge(at, end, reason, now);
            }
        }
    }

    fn crashed(&mut self, at: Seat, exit: Option<Exit>, end: End, reason: &Arc<str>, now: Moment) {
        let Some(set) = self.units[at.service.index()].set(at.slot.generation) else { return };
        let used = self.units[at.service.index()].slot(at.slot).map_or(0, |slot| slot.attempts);
        if restart::next(&set.spec.restart, set.spec.kind, end, used) == Next::Completed {
            return;
        }
        let told = Told::new(EventKind::ServiceCrashed, reason.clone()).of(at.slot.replica).because(reason.clone());
        self.tell(
            at.service,
            now,
            match exit {
                Some(exit) => told.with(EventData::Exit(exit)),
                None => told,
            },
        );
    }

    /// The restart policy decides.
    fn judge(&mut self, at: Seat, end: End, reason: Arc<str>, now: Moment) {
        let (ix, key) = (at.service, at.slot);
        let Some(set) = self.units[ix.index()].set(key.generation) else { return };
        let (mut policy, kind) = (set.spec.restart.clone(), set.spec.kind);
        if self.plants.has(Plant::RetriesPlusOne)
            && let RetryLimit::Limited(limit) = &mut policy.max_retries
        {
            *limit += 1;
        }
        let (seed, unbounded) = (self.config.seed, self.plants.has(Plant::BackoffUnbounded));
        let Some(slot) = self.units[ix.index()].slot_mut(key) else { return };
        slot.reason = Some(reason.clone());
        let told = match restart::next(&policy, kind, end, slot.attempts) {
            Next::Retry { attempt } => {
                let parts = [u64::from(ix.0), u64::from(key.generation.0), u64::from(key.replica), u64::from(slot.run)];
                let mut delay = backoff::delay(&policy.backoff, attempt, hash::hash(seed, &parts));
                if unbounded {
                    delay = delay.mul_f64(1.5);
                }
                slot.attempts += 1;
                slot.again = true;
                slot.phase = Phase::Backoff { until: now + delay };
                let (n, after) = (slot.attempts, Human(delay));
                let message = match policy.max_retries {
                    RetryLimit::Limited(limit) => format!("restart {n}/{limit} in {after} ({reason})"),
                    RetryLimit::Unlimited => format!("restart {n} in {after} ({reason})"),
                };
                Told::new(EventKind::ServiceRestarting, message)
                    .because(reason)
                    .attempt(n)
                    .with(EventData::Delay(delay))
            }
            Next::Completed => {
                slot.phase = Phase::Halted { completed: true };
                Told::new(EventKind::ServiceCompleted, "completed").because(reason)
            }
            next @ (Next::Exhausted | Next::Forbidden) => {
                slot.phase = Phase::Halted { completed: false };
                let why = match next {
                    Next::Forbidden => format!("{reason}, the policy allows no restart"),
                    _ => format!("{reason}{}", tell::after(slot, policy.max_retries)),
                };
                slot.reason = Some(why.as_str().into());
                Told::new(EventKind::ServiceFailed, why).because(reason)
            }
        };
        self.tell(ix, now, told.of(key.replica));
    }

    /// Counts a verdict. Some: readiness or liveness turned. The way of every verdict, so nothing is
    /// allocated on it.
    fn probed(
        &mut self,
        at: Seat,
        inst: InstanceId,
        role: Role,
        version: ProbeVersion,
        verdict: Verdict,
        now: Moment,
    ) -> Option<(bool, Option<Arc<str>>)> {
        let plants = self.plants;
        let unit = self.units.get_mut(at.service.index())?;
        let set = unit.sets.iter().find(|set| set.generation == at.slot.generation)?;
        if set.version(role) != version && !plants.has(Plant::StaleVersion) {
            return None;
        }
        let mut tally = set.check(role)?.tally;
        if plants.has(Plant::GraceIgnored) {
            tally.grace_period = std::time::Duration::ZERO;
        }
        if plants.has(Plant::SuccessThresholdIgnored) {
            tally.success_threshold = 1;
        }
        if plants.has(Plant::FailureThresholdIgnored) {
            tally.failure_threshold = 1;
        }
        let slot = unit.slots.binary_search_by_key(&at.slot, |s| s.key).ok().map(|i| &mut unit.slots[i])?;
        let Phase::Running(live) = &mut slot.phase else { return None };
        if live.inst != inst && !plants.has(Plant::StaleVerdict) {
            return None;
        }
        let check = &mut live.checks[role_index(role)];
        if check.probing != Some(version) && !plants.has(Plant::StaleVersion) {
            return None;
        }
        let turned = health::count(&mut check.run, &verdict, &tally, live.since, now);
        let was = match role {
            Role::Readiness => live.ready_since.is_some(),
            Role::Liveness => !live.sick,
        };
        let is = match turned {
            Some(Turned::Good) => role == Role::Readiness || was,
            Some(Turned::Bad) => false,
            None => was,
        };
        let reason = (is != was && !is).then(|| verdict.to_string().into());
        check.last = Some((verdict, now));
        (is != was).then_some((is, reason))
    }

    /// Readiness or liveness of a running instance turned.
    fn turned(&mut self, at: Seat, role: Role, good: bool, reason: Option<Arc<str>>, now: Moment) {
        let ix = at.service;
        if role == Role::Readiness && !good && !self.plants.has(Plant::NoReset) {
            forgive(&mut self.units[ix.index()], at.slot, now);
        }
        let Some(slot) = self.units[ix.index()].slot_mut(at.slot) else { return };
        let Phase::Running(live) = &mut slot.phase else { return };
        let told = match (role, good) {
            (Role::Readiness, true) => {
                live.ready_since = Some(now);
                live.was_ready = true;
                slot.ports_lost = 0;
                Told::new(EventKind::ServiceReady, "ready")
            }
            (Role::Readiness, false) => {
                live.ready_since = None;
                let reason = reason.unwrap_or_else(|| "unready".into());
                Told::new(EventKind::ServiceUnready, reason.clone()).because(reason)
            }
            (Role::Liveness, _) => {
                live.sick = !good;
                return self.changed(ix);
            }
        };
        self.tell(ix, now, told.of(at.slot.replica));
        self.changed(ix);
    }
}

/// Running and ready for `resetAfter`: the count of failures starts again.
pub(super) fn forgive(unit: &mut Unit, key: SlotKey, now: Moment) {
    let Some(reset_after) = unit.set(key.generation).map(|set| set.spec.restart.reset_after) else { return };
    let Some(slot) = unit.slot_mut(key) else { return };
    let stable = slot.running().and_then(|live| live.ready_since).is_some_and(|since| now >= since + reset_after);
    if stable {
        slot.attempts = 0;
    }
}
