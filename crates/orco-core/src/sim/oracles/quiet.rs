//! Stricter promises where nothing goes wrong: no service loses more replicas than it allows, whatever
//! the operator does short of taking it down.

use std::time::Duration;

use super::{Judge, Scene, Violation, pace::MISSING};
use crate::{
    brain::Turn,
    model::EventKind,
    spec::{Kind, OnFailure},
};

/// What a service has reached and must not fall below.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Floor {
    least: u32,
}

impl Judge {
    pub(super) fn downtime(&mut self, scene: Scene<'_>) -> Result<(), Violation> {
        if !self.quiet {
            return Ok(());
        }
        self.floors.retain(|name, _| scene.operator.wishes.contains_key(name));
        for wish in scene.operator.wishes.values() {
            let name = &wish.service.name;
            let spec = &wish.service;
            let moved = spec.depends_on.iter().any(|d| d.on_failure != OnFailure::Ignore);
            let exempt = !wish.up || moved || spec.kind == Kind::Oneshot;
            let Some(ix) = scene.brain.ix(name.as_str()).filter(|_| !exempt) else {
                self.floors.remove(name);
                continue;
            };
            let serving =
                scene.ledger.live_of(ix).filter(|(inst, life)| life.ready.is_some() && scene.world.is_alive(*inst));
            let serving = u32::try_from(serving.count()).unwrap_or(u32::MAX);
            let missing = MISSING;
            let floor = self.floors.entry(name.clone()).or_default();
            if wish.retuned + Duration::from_secs(60) > scene.now && wish.retuned > wish.renewed {
                // Another check may find otherwise for a while.
                floor.least = 0;
                continue;
            }
            floor.least = floor.least.min(wish.replicas.saturating_sub(missing));
            if serving < floor.least {
                let what = format!("{name} has {serving} of {} serving, {} must", wish.replicas, floor.least);
                return Err(scene.broken("no downtime by choice", what));
            }
            if scene.ledger.serving(ix) >= usize::try_from(wish.replicas).unwrap_or(usize::MAX) {
                floor.least = wish.replicas.saturating_sub(missing);
            }
        }
        Ok(())
    }

    /// Nothing crashes, fails or is restarted where nothing goes wrong.
    pub(super) fn calm_news(&self, scene: Scene<'_>, turn: &Turn) -> Result<(), Violation> {
        for happening in turn.happenings.iter().filter(|_| self.quiet) {
            let bad = matches!(
                happening.kind,
                EventKind::ServiceCrashed | EventKind::ServiceFailed | EventKind::KeeperLost | EventKind::HookFailed
            );
            if bad {
                let what = format!("{:?}: {}", happening.kind, happening.message);
                return Err(scene.broken("no news from a quiet world", what));
            }
        }
        Ok(())
    }
}
