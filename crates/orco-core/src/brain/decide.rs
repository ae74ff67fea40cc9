//! What to do about one service now. Pure: asked twice, it answers the same and changes nothing.

use super::{
    Step, drive, leave,
    plant::Plant,
    shape,
    state::Phase,
    step::{Decision, Wait},
    view::View,
};
use crate::model::{Moment, ServiceIx};

/// Decides. Whatever is structural (a seat made or retired, a replacement done) ends a look: the rest would
/// be computed for another world. The caller looks until there is nothing left.
pub(crate) fn decide(view: &View<'_>, now: Moment, out: &mut Decision) {
    out.clear();
    let unit = view.own();
    if unit.gone {
        return;
    }
    if unit.broken.is_some() {
        return broken(view, out);
    }
    assert!(!(view.has(Plant::Panic) && view.ix() == ServiceIx(1) && unit.face.started), "a planted panic");
    if view.leaving() {
        return leave::decide(view, now, out);
    }
    shape::decide(view, now, out);
    if !out.steps.is_empty() {
        return;
    }
    for slot in &unit.slots {
        drive::decide(view, slot, now, out);
    }
    if !unit.listed
        && let Some(by) = view.held_by()
    {
        out.waits.push((None, Wait::Held(by)));
    }
    gates(view, now, out);
}

/// A service whose decisions panic is only taken down, without order.
fn broken(view: &View<'_>, out: &mut Decision) {
    let unit = view.own();
    if !view.leaving() {
        return;
    }
    for slot in &unit.slots {
        match slot.phase {
            Phase::Starting { .. } | Phase::Running(_) | Phase::Stopping { killed: false, .. } => {
                out.step(Step::Kill(slot.key));
            }
            Phase::Stopping { owed: true, .. } => out.step(Step::Repeat(slot.key)),
            Phase::Stopping { .. } => out.wait(slot.key, Wait::Exit),
            Phase::Idle | Phase::Backoff { .. } | Phase::Halted { .. } => out.step(Step::Drop(slot.key)),
        }
    }
    if unit.slots.is_empty() && !unit.listed {
        out.step(Step::Gone);
    }
}

/// Begins, reports and ends waits at gates. A wait counts from when the first seat came to a closed gate,
/// whichever that was.
fn gates(view: &View<'_>, now: Moment, out: &mut Decision) {
    let unit = view.own();
    let first = out.waits.iter().find_map(|(_, wait)| match wait {
        Wait::Gate(generation, number) => unit.set(*generation)?.edges.get(*number as usize),
        _ => None,
    });
    match (first, &unit.block) {
        (None, None) => {}
        (None, Some(_)) => out.step(Step::Unblock),
        (Some(edge), Some(block)) if block.dep == edge.to => {
            if block.told {
                return;
            }
            let due = block.since + edge.timeout;
            if now >= due || view.face(edge.to).failed {
                out.step(Step::Tell(edge.to));
            } else {
                out.wake_at(due);
            }
        }
        (Some(edge), _) => out.step(Step::Block(edge.to)),
    }
}
