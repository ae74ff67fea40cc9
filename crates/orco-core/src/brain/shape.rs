//! Which seats there should be, and how the service gets there: `layout` says what, `pace` how fast.

use super::{
    Step,
    plant::Plant,
    state::{Phase, RevSet, Slot, Stage, Unit},
    step::{Decision, Wait},
    view::View,
};
use crate::{
    model::{Moment, SlotKey},
    policy::pace::{self, Limits, Standing, Taken},
    spec::Strategy,
};

pub(crate) fn decide(view: &View<'_>, now: Moment, out: &mut Decision) {
    let unit = view.own();
    if !settled(unit) {
        move_on(view, now, out);
    }
    if !out.steps.is_empty() {
        return;
    }
    let kept = |set: &RevSet| {
        set.generation == unit.target
            || unit.rollout.is_some_and(|r| r.from == set.generation)
            || unit.slots.iter().any(|s| s.key.generation == set.generation)
    };
    for set in unit.sets.iter().filter(|set| !kept(set)) {
        out.step(Step::Forget(set.generation));
    }
}

/// The seats there should be: now, at every stage there is, all of the target set.
fn wanted(unit: &Unit, key: SlotKey) -> bool {
    match unit.rollout.map(|r| r.stage) {
        None | Some(Stage::Roll) => key.generation == unit.target && key.replica < unit.replicas,
    }
}

/// Nothing to make, nothing to retire: most looks end here.
fn settled(unit: &Unit) -> bool {
    unit.rollout.is_none()
        && unit.slots.len() == unit.replicas as usize
        && unit.slots.iter().all(|slot| slot.leave.is_none() && wanted(unit, slot.key))
}

fn move_on(view: &View<'_>, now: Moment, out: &mut Decision) {
    let unit = view.own();
    let taken: Vec<_> = unit.slots.iter().map(|slot| take(unit, slot, now, out)).collect();
    let missing: Vec<_> = (0..unit.replicas)
        .map(|replica| SlotKey { generation: unit.target, replica })
        .filter(|key| unit.slot(*key).is_none())
        .collect();
    // A serving seat does not go while the one after it could not even be started, and not for a
    // revision of a service that was removed.
    let closed = unit.rollout.and_then(|_| view.not_yet());
    let plan = pace::pace(&taken, &missing, limits(view, &taken, closed.is_some() || !unit.listed));
    plan.create.into_iter().for_each(|key| out.step(Step::Create(key)));
    plan.retire.into_iter().for_each(|key| out.step(Step::Retire(key)));
    if view.has(Plant::RetireUndone)
        && let Some(slot) = unit.slots.iter().find(|s| s.retired() && wanted(unit, s.key) && s.running().is_none())
        && matches!(slot.phase, Phase::Stopping { killed: false, .. })
    {
        out.step(Step::Start(slot.key));
    }
    if !out.steps.is_empty() {
        return;
    }
    if unit.rollout.is_some() && missing.is_empty() && taken.iter().all(|s| s.wanted && arrived(s)) {
        return out.step(Step::Done);
    }
    let leavers = taken.iter().filter(|s| !s.wanted && !s.leaving);
    for leaver in leavers {
        out.wait(leaver.key, closed.unwrap_or(Wait::Budget));
    }
}

const fn arrived(seat: &Taken) -> bool {
    matches!(seat.standing, Standing::Available) && !seat.leaving
}

/// What a seat contributes, and when that changes by itself.
fn take(unit: &Unit, slot: &Slot, now: Moment, out: &mut Decision) -> Taken {
    let wanted = wanted(unit, slot.key);
    let standing = match &slot.phase {
        Phase::Running(live) => match live.ready_since {
            None => Standing::Coming,
            Some(since) => {
                let counts_at = since + unit.spec().update.min_ready;
                if now >= counts_at {
                    Standing::Available
                } else {
                    out.wake_at(counts_at);
                    if wanted && slot.leave.is_none() {
                        out.wait(slot.key, Wait::Settling(counts_at));
                    }
                    Standing::Serving
                }
            }
        },
        Phase::Halted { completed: true } => Standing::Available,
        Phase::Halted { completed: false } => Standing::Stuck,
        Phase::Idle | Phase::Starting { .. } | Phase::Stopping { .. } | Phase::Backoff { .. } => Standing::Coming,
    };
    Taken { key: slot.key, wanted, leaving: slot.retired(), standing }
}

/// How fast. Until updates have their strategies, every replacement goes one replica at a time, in place.
fn limits(view: &View<'_>, taken: &[Taken], hold: bool) -> Limits {
    let unit = view.own();
    let (surge, unavailable) = match unit.spec().update.strategy {
        Strategy::Rolling | Strategy::Canary | Strategy::BlueGreen | Strategy::Recreate => (0, 1),
    };
    let extra = |plant| u32::from(view.has(plant));
    let coming = if view.has(Plant::ComingLeftOut) {
        taken.iter().filter(|s| s.wanted && s.standing == Standing::Coming).count()
    } else {
        0
    };
    Limits {
        replicas: unit.replicas,
        surge: surge + extra(Plant::SurgePlusOne),
        unavailable: unavailable + extra(Plant::UnavailablePlusOne) + u32::try_from(coming).unwrap_or(0),
        hold,
    }
}
