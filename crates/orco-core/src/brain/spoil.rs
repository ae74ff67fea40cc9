//! Planted bugs of a new engine: what it forgets of what was remembered.

use super::{
    Brain, Plant,
    state::{Goal, Phase, Slot, Unit},
};
use crate::model::Moment;

impl Brain {
    /// Forgets what the bug makes it forget.
    pub(super) fn spoil(&mut self, plant: Plant) {
        match plant {
            Plant::InstancesAgain => self.instances = 0,
            Plant::PlacesForgotten => self.admission = super::admit::Admission::default(),
            _ => {}
        }
        for ix in self.all() {
            let unit = &mut self.units[ix.index()];
            spoil_unit(unit, plant);
            unit.slots.iter_mut().for_each(|slot| spoil_slot(slot, plant));
            self.changed(ix);
        }
    }
}

fn spoil_unit(unit: &mut Unit, plant: Plant) {
    match plant {
        Plant::TotalsForgotten => unit.restarts = 0,
        Plant::GoalForgotten if unit.listed => unit.goal = Goal::Up,
        _ => {}
    }
}

fn spoil_slot(slot: &mut Slot, plant: Plant) {
    match (plant, &mut slot.phase) {
        (Plant::StopNotRepeated, Phase::Stopping { owed, .. }) => *owed = false,
        (Plant::CompletedForgotten, Phase::Halted { completed: true })
        | (Plant::HaltForgotten, Phase::Halted { completed: false }) => slot.phase = Phase::Idle,
        (Plant::ReadinessForgotten, Phase::Running(live)) => {
            live.ready_since = None;
            live.was_ready = false;
        }
        (Plant::AttemptsForgotten, _) => slot.attempts = 0,
        (Plant::DelayForgotten, Phase::Backoff { until }) => *until = Moment::ZERO,
        _ => {}
    }
}
