//! A service on its way out: empty seats vanish at once, live ones wait for the instances of leaving
//! dependents, and nothing is restarted or recycled any more.

use super::{
    Step, drive,
    plant::Plant,
    state::Phase,
    step::{Decision, Wait},
    view::View,
};
use crate::model::Moment;

pub(crate) fn decide(view: &View<'_>, now: Moment, out: &mut Decision) {
    let unit = view.own();
    // Stopping one service does not wait for dependents that stay: they would never leave.
    let stood_on = !view.has(Plant::StopUnordered) && view.leaning_on_it().next().is_some();
    for slot in &unit.slots {
        match &slot.phase {
            Phase::Idle | Phase::Backoff { .. } | Phase::Halted { .. } => out.step(Step::Drop(slot.key)),
            Phase::Starting { doomed: true, .. } => out.step(Step::Kill(slot.key)),
            Phase::Starting { .. } | Phase::Running(_) if unit.killing => out.step(Step::Kill(slot.key)),
            Phase::Starting { .. } | Phase::Running(_) if stood_on => {
                out.wait(slot.key, Wait::Dependents);
            }
            Phase::Starting { .. } | Phase::Running(_) => out.step(Step::Stop(slot.key)),
            Phase::Stopping { .. } => drive::stopping(view, slot, now, out),
        }
    }
    if unit.block.is_some() {
        out.step(Step::Unblock);
    }
    if !unit.slots.is_empty() {
        return;
    }
    // Down cancels no replacement before the service is empty: it may be wanted up again meanwhile.
    if unit.rollout.is_some() || unit.sets.len() > 1 {
        out.step(Step::Settle);
    } else if !unit.listed {
        out.step(Step::Gone);
    }
}
