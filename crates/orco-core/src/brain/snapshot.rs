//! What everything looks like, for people and programs. The waits are those that `decide` names.

use std::sync::Arc;

use super::{
    Brain,
    decide::decide,
    state::{Because, Goal, Phase, RevSet, Slot, Unit, role_index},
    step::Decision,
};
use crate::model::{InstanceView, Kind, Moment, Role, ServiceIx, ServiceView, Snapshot, State, Verdict, Waiting};

impl Brain {
    /// What everything looks like now.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        let listed = self.order.iter().copied();
        let leaving = self.all().into_iter().filter(|ix| {
            let unit = &self.units[ix.index()];
            !unit.listed && !unit.gone
        });
        let mut decision = Decision::default();
        Snapshot { at: now, services: listed.chain(leaving).map(|ix| self.service(ix, now, &mut decision)).collect() }
    }

    fn service(&self, ix: ServiceIx, now: Moment, decision: &mut Decision) -> ServiceView {
        let unit = &self.units[ix.index()];
        decision.clear();
        if unit.broken.is_none() && !unit.dirty {
            decide(&self.view(ix), now, decision);
        }
        let mut instances: Vec<_> = unit.slots.iter().map(|slot| self.instance(ix, slot, decision, now)).collect();
        instances.sort_by_key(|i| (i.replica, i.generation));
        let waiting = self.service_waiting(ix, &instances, decision, now);
        let target = unit.target_set();
        let state = self.state(ix, now);
        // A oneshot that has done its work is what it should be.
        let done = |i: &InstanceView| i.state == State::Completed && target.spec.kind == Kind::Oneshot;
        ServiceView {
            ix,
            name: unit.name.clone(),
            kind: target.spec.kind,
            state,
            ready: unit.face.ready,
            replicas: unit.replicas,
            ready_replicas: count(instances.iter().filter(|i| i.ready || done(i)).count()),
            restarts: unit.restarts,
            message: self.message(unit, waiting.as_ref(), now),
            waiting,
            revision: target.spec.revision,
            first_seen: unit.first_seen,
            last_event: unit.last_event,
            exit: unit.ended,
            changing: unit.rollout.is_some(),
            wanted: unit.listed && unit.goal == Goal::Up,
            last_probe: last_probe(unit),
            depends_on: target.edges.iter().map(|edge| self.name(edge.to).clone()).collect(),
            instances,
        }
    }

    fn instance(&self, ix: ServiceIx, slot: &Slot, decision: &Decision, now: Moment) -> InstanceView {
        let unit = &self.units[ix.index()];
        let own = decision.waits.iter().find(|(key, _)| *key == Some(slot.key));
        InstanceView {
            replica: slot.key.replica,
            generation: slot.key.generation,
            id: slot.phase.live().or(slot.last_inst),
            run: slot.run,
            state: slot_state(unit, slot, now),
            ready: slot.ready(),
            started_at: match &slot.phase {
                Phase::Running(live) => Some(live.since),
                Phase::Stopping { started, .. } => *started,
                _ => None,
            },
            restarts: slot.restarts,
            exit: slot.ended,
            waiting: own.and_then(|(_, wait)| self.waiting(ix, Some(slot.key), *wait, now)),
        }
    }

    fn service_waiting(
        &self,
        ix: ServiceIx,
        instances: &[InstanceView],
        decision: &Decision,
        now: Moment,
    ) -> Option<Waiting> {
        let unit = &self.units[ix.index()];
        if let Some(reason) = &unit.broken {
            return Some(Waiting::Halted { reason: reason.clone() });
        }
        match &unit.goal {
            Goal::Down(Because::User) if unit.slots.is_empty() => return Some(Waiting::Down { reason: None }),
            Goal::Down(Because::Dependency(reason)) if unit.slots.is_empty() => {
                return Some(Waiting::Down { reason: Some(reason.clone()) });
            }
            Goal::Down(_) | Goal::Up => {}
        }
        let own = decision.waits.iter().find(|(key, _)| key.is_none());
        let own = own.and_then(|(_, wait)| self.waiting(ix, None, *wait, now));
        // What was given up says more than what is on its way.
        let halted = instances.iter().filter_map(|i| i.waiting.clone()).find(|w| matches!(w, Waiting::Halted { .. }));
        halted.or(own).or_else(|| instances.iter().find_map(|i| i.waiting.clone()))
    }

    fn message(&self, unit: &Unit, waiting: Option<&Waiting>, now: Moment) -> String {
        match waiting {
            Some(waiting) => waiting.message(now),
            None if unit.rollout.is_some() => "replacement under way".to_owned(),
            None => String::new(),
        }
    }

    /// The state users see.
    pub(super) fn state(&self, ix: ServiceIx, now: Moment) -> State {
        let unit = &self.units[ix.index()];
        if unit.face.leaving {
            return if unit.face.live { State::Stopping } else { State::Stopped };
        }
        if unit.face.failed {
            return State::Failed;
        }
        let staying = || unit.slots.iter().filter(|slot| !slot.retired()).map(|slot| slot_state(unit, slot, now));
        let any = |state| staying().any(|s| s == state);
        if staying().next().is_none() {
            return if unit.face.live { State::Stopping } else { State::Pending };
        }
        if staying().all(|s| s == State::Completed) {
            return State::Completed;
        }
        let moving = any(State::Starting) || any(State::Pending) || any(State::Stopping);
        if unit.face.ready || (any(State::Running) && (unit.was_ready || !moving)) {
            State::Running
        } else if any(State::Starting) || any(State::Running) {
            State::Starting
        } else if any(State::Stopping) {
            State::Stopping
        } else {
            State::Pending
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn slot_state(unit: &Unit, slot: &Slot, now: Moment) -> State {
    match &slot.phase {
        Phase::Idle => State::Pending,
        // Its delay is over: what it waits for now is a gate or admission.
        Phase::Backoff { until } if *until <= now => State::Pending,
        Phase::Starting { .. } | Phase::Backoff { .. } => State::Starting,
        Phase::Running(live) => {
            // A oneshot without a check is never ready before its end, but it does run.
            let runs = live.was_ready || unit.set(slot.key.generation).is_some_and(RevSet::ready_at_end);
            if runs { State::Running } else { State::Starting }
        }
        Phase::Stopping { .. } => State::Stopping,
        Phase::Halted { completed: true } => State::Completed,
        Phase::Halted { completed: false } => State::Failed,
    }
}

/// The newest verdict about any instance, readiness before liveness.
fn last_probe(unit: &Unit) -> Option<(u32, Verdict)> {
    let newest = |role| {
        let last = |slot: &Slot| {
            let (verdict, at) = slot.running()?.checks[role_index(role)].last.clone()?;
            Some((at, slot.key.replica, verdict))
        };
        unit.slots.iter().filter_map(last).max_by_key(|(at, replica, _)| (*at, std::cmp::Reverse(*replica)))
    };
    newest(Role::Readiness).or_else(|| newest(Role::Liveness)).map(|(_, replica, verdict)| (replica, verdict))
}

/// What a seat's probe last said, as a fragment.
pub(super) fn said(slot: &Slot, role: Role) -> Option<Arc<str>> {
    let (verdict, _) = slot.running()?.checks[role_index(role)].last.as_ref()?;
    Some(verdict.to_string().into())
}
