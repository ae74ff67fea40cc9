//! All that one service may know of another.

use super::{
    state::{Phase, Unit},
    view::View,
};
use crate::{model::ServiceIx, policy::pace, spec::Kind};

/// The cached face of a service. Whoever may read it is looked at again when it changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a face is a list of plain answers")]
pub(crate) struct Face {
    /// Some instance has been created.
    pub(crate) exists: bool,
    /// Some instance runs.
    pub(crate) started: bool,
    /// It meets `require: ready`.
    pub(crate) ready: bool,
    /// A oneshot whose seats of the target set all ended with a success code.
    pub(crate) completed: bool,
    /// All seats of the target set ended well, whatever its kind: nothing is missing.
    pub(crate) over: bool,
    /// It is on its way out: wanted down, or removed and needed by nobody.
    pub(crate) leaving: bool,
    /// It has failed and is not ready.
    pub(crate) failed: bool,
    /// A replacement is under way.
    pub(crate) changing: bool,
    /// It is listed and wanted up.
    pub(crate) wanted: bool,
    /// An instance exists or may exist.
    pub(crate) live: bool,
    /// Dependencies under instances that are on their way out: they stop after those. Sorted.
    pub(crate) leaning: Vec<ServiceIx>,
}

impl Face {
    /// What the gates of dependents and their replacements ask for has changed.
    pub(crate) const fn differs_above(&self, other: &Self) -> bool {
        self.exists != other.exists
            || self.started != other.started
            || self.ready != other.ready
            || self.completed != other.completed
            || self.leaving != other.leaving
            || self.failed != other.failed
            || self.changing != other.changing
    }

    /// What ordered stop and the holding of removed dependencies ask for has changed.
    pub(crate) fn differs_below(&self, other: &Self) -> bool {
        self.leaving != other.leaving || self.leaning != other.leaning
    }

    /// Nothing is missing for `StackReady`.
    pub(crate) const fn fine(&self) -> bool {
        self.ready || self.over
    }
}

/// Computes the face of the service in view.
pub(crate) fn of(view: &View<'_>) -> Face {
    let unit = view.own();
    let leaving = !unit.gone && view.leaving();
    let mut face = Face {
        leaving,
        changing: unit.rollout.is_some(),
        wanted: unit.listed && !leaving && !unit.gone,
        ..Face::default()
    };
    let kind = unit.spec().kind;
    let (mut ready, mut completed, mut given_up) = (0, 0, unit.broken.is_some());
    for slot in &unit.slots {
        face.exists |= slot.born;
        face.live |= slot.phase.live().is_some();
        match &slot.phase {
            Phase::Running(live) => {
                face.started = true;
                // A daemon's health gates nobody.
                ready += u32::from(live.ready_since.is_some() || kind == Kind::Daemon);
            }
            Phase::Halted { completed: true } => {
                ready += u32::from(kind == Kind::Oneshot);
                completed += u32::from(slot.key.generation == unit.target);
            }
            Phase::Halted { completed: false } => given_up = true,
            Phase::Idle | Phase::Starting { .. } | Phase::Stopping { .. } | Phase::Backoff { .. } => {}
        }
    }
    face.ready = unit.broken.is_none() && ready >= pace::quorum(&unit.spec().update, unit.replicas);
    face.over = unit.replicas > 0 && completed >= unit.replicas;
    face.completed = face.over && kind == Kind::Oneshot;
    face.failed = given_up && !face.ready;
    if face.live {
        face.leaning = leaning(unit, leaving);
    }
    face
}

fn leaning(unit: &Unit, leaving: bool) -> Vec<ServiceIx> {
    let mut on: Vec<ServiceIx> = Vec::new();
    for set in &unit.sets {
        let goes = unit.slots.iter().any(|slot| {
            slot.key.generation == set.generation && slot.phase.live().is_some() && (leaving || slot.leave.is_some())
        });
        if goes {
            on.extend(set.edges.iter().map(|edge| edge.to));
        }
    }
    on.sort_unstable();
    on.dedup();
    on
}
