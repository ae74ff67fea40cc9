//! One seat of a service that stays.

use super::{
    Step, Why,
    plant::Plant,
    state::{Leave, Live, Phase, RevSet, Slot, Ticket},
    step::{Decision, Wait},
    view::View,
};
use crate::{
    model::{Moment, Role},
    spec::OnFailure,
};

pub(crate) fn decide(view: &View<'_>, slot: &Slot, now: Moment, out: &mut Decision) {
    match (&slot.phase, slot.leave) {
        (Phase::Starting { doomed: true, .. }, _) => out.step(Step::Kill(slot.key)),
        (Phase::Starting { .. } | Phase::Running(_), Some(_)) => out.step(Step::Stop(slot.key)),
        (Phase::Idle | Phase::Backoff { .. } | Phase::Halted { .. }, Some(Leave::Retire)) => {
            out.step(Step::Drop(slot.key));
        }
        (Phase::Idle, _) => start(view, slot, out),
        (Phase::Backoff { until }, _) if now < *until => {
            if !view.has(Plant::WakeForgotten) {
                out.wake_at(*until);
            }
            out.wait(slot.key, Wait::Backoff);
        }
        (Phase::Backoff { .. }, _) => start(view, slot, out),
        (Phase::Starting { .. }, None) => out.wait(slot.key, Wait::Starting),
        (Phase::Running(live), None) => {
            if let Some(set) = view.own().set(slot.key.generation) {
                running(view, slot, live, set, now, out);
            }
        }
        (Phase::Stopping { .. }, _) => stopping(view, slot, now, out),
        (Phase::Halted { completed }, _) => {
            if !completed {
                out.wait(slot.key, Wait::Halted);
            }
        }
    }
}

/// Through the gate, then, if it is a restart or a container, through admission.
fn start(view: &View<'_>, slot: &Slot, out: &mut Decision) {
    if let Some(wait) = view.shut(slot.key, slot.last_inst.is_none()) {
        if slot.ticket != Ticket::None {
            out.step(Step::Unqueue(slot.key));
        }
        return out.wait(slot.key, wait);
    }
    match slot.ticket {
        Ticket::None if slot.again && !view.has(Plant::AdmissionIgnored) => out.step(Step::Queue(slot.key)),
        Ticket::None if view.is_container(slot.key) => out.step(Step::Queue(slot.key)),
        Ticket::Queued(..) => out.wait(slot.key, Wait::Admission),
        Ticket::None | Ticket::Granted(_) => out.step(Step::Start(slot.key)),
    }
}

fn running(view: &View<'_>, slot: &Slot, live: &Live, set: &RevSet, now: Moment, out: &mut Decision) {
    if live.sick {
        return out.step(Step::Recycle(slot.key, Why::Liveness));
    }
    if !live.was_ready
        && let Some(health) = &set.spec.health
    {
        let until = live.since + health.tally.start_timeout;
        if now >= until {
            return out.step(Step::Recycle(slot.key, Why::StartTimeout));
        }
        out.wake_at(until);
    }
    if !leans(view, slot, live, set, out) {
        return;
    }
    for role in [Role::Readiness, Role::Liveness] {
        let probing = live.checks[super::state::role_index(role)].probing;
        match set.check(role) {
            Some(_) if probing != Some(set.version(role)) => out.step(Step::Probe(slot.key, role)),
            None if probing.is_some() => out.step(Step::Unprobe(slot.key, role)),
            Some(_) | None => {}
        }
    }
    if live.ready_since.is_none() && !set.ready_at_end() {
        out.wait(slot.key, if live.was_ready { Wait::Unready } else { Wait::Probe });
    }
}

/// `onFailure`: acts when a dependency that was ready while this instance ran is not ready any more.
/// False: the instance is to go.
fn leans(view: &View<'_>, slot: &Slot, live: &Live, set: &RevSet, out: &mut Decision) -> bool {
    for (number, edge) in set.edges.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let acts = match edge.on_failure {
            OnFailure::Ignore => continue,
            OnFailure::Restart => Step::Recycle(slot.key, Why::Dependency(edge.to)),
            OnFailure::Stop => Step::Yield(edge.to),
        };
        match (view.face(edge.to).ready, live.leans.contains(&number)) {
            (true, false) => out.step(Step::Lean(slot.key, number)),
            (false, true) => {
                out.step(acts);
                return false;
            }
            (true, true) | (false, false) => {}
        }
    }
    true
}

/// An instance that was asked to end is killed when its time is over.
pub(crate) fn stopping(view: &View<'_>, slot: &Slot, now: Moment, out: &mut Decision) {
    let Phase::Stopping { kill_at, killed, owed, .. } = slot.phase else { return };
    if !killed {
        if (now >= kill_at || view.own().killing) && !view.has(Plant::KillForgotten) {
            return out.step(Step::Kill(slot.key));
        }
        if !view.has(Plant::KillForgotten) {
            out.wake_at(kill_at);
        }
    }
    if owed {
        out.step(Step::Repeat(slot.key));
    }
    out.wait(slot.key, Wait::Exit);
}
