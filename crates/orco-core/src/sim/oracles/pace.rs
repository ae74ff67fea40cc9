//! I9: how many seats there may be, and how many may go at once. Judged where it is chosen.

use super::{Judge, Scene, Violation, share};
use crate::{
    brain::Step,
    model::{Gen, Seat, ServiceIx},
    spec::{Amount, Strategy},
};

/// The loosest limits a service had since its last replacement began: a running replacement keeps the
/// ones it began with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    surge: u32,
    unavailable: u32,
    recreate: bool,
}

impl Bounds {
    /// How many may be missing.
    pub(super) const fn missing(self) -> u32 {
        self.unavailable
    }
}

impl Judge {
    /// Widens what is remembered to what is wanted now.
    fn bounds(&mut self, scene: Scene<'_>, ix: ServiceIx) -> Option<Bounds> {
        let wish = scene.wish(ix)?;
        let update = &wish.service.update;
        let fixed = wish.service.ports.iter().any(|p| p.host.is_some());
        let auto = Amount::Count(u32::from(!fixed));
        let surge = share(update.max_surge.unwrap_or(auto), wish.replicas, true);
        let least = u32::from(surge == 0);
        let unavailable = share(update.max_unavailable, wish.replicas, false).max(least);
        let bounds = self.bounds.entry(wish.service.name.clone()).or_default();
        bounds.surge = bounds.surge.max(surge);
        bounds.unavailable = bounds.unavailable.max(unavailable);
        bounds.recreate |= update.strategy == Strategy::Recreate;
        Some(*bounds)
    }

    pub(super) fn pace(&mut self, scene: Scene<'_>, ix: ServiceIx, step: &Step) -> Result<(), Violation> {
        let Some(bounds) = self.bounds(scene, ix) else { return Ok(()) };
        let Some(wish) = scene.wish(ix) else { return Ok(()) };
        match step {
            Step::Create(slot) => {
                let there = scene.ledger.seats_of(ix).count();
                let most = usize::try_from(wish.replicas + bounds.surge).unwrap_or(usize::MAX);
                if there + 1 > most {
                    let what = format!("{} made beside {there}", scene.label(Seat { service: ix, slot: *slot }));
                    return Err(scene.broken("I9 no more than replicas + maxSurge", what));
                }
            }
            Step::Retire(slot) if wish.up && !bounds.recreate => {
                let newest = scene.ledger.seats_of(ix).map(|(slot, _)| slot.generation).max().unwrap_or(Gen(0));
                let min_ready = wish.service.update.min_ready;
                let available = |at: Seat| {
                    let completed = scene.ledger.done.contains_key(&at);
                    let serves = scene.ledger.sitter(at).is_some_and(|life| {
                        let settled = life.ready.is_some_and(|since| since + min_ready <= scene.now);
                        life.serves() && (at.slot.generation < newest || settled)
                    });
                    completed || serves
                };
                let others = scene.ledger.seats_of(ix).filter(|(other, chair)| {
                    chair.retired.is_none() && other != slot && available(Seat { service: ix, slot: *other })
                });
                let others = others.count();
                let min = usize::try_from(wish.replicas.saturating_sub(bounds.unavailable)).unwrap_or(0);
                let at = Seat { service: ix, slot: *slot };
                let serves = scene.ledger.sitter(at).is_some_and(crate::sim::Life::serves);
                let stuck =
                    scene.ledger.seats_of(ix).any(|(other, chair)| other.generation == newest && chair.ended.is_some());
                let shrinking = slot.replica >= wish.replicas && stuck;
                if serves && others < min && !shrinking {
                    let what = format!("{} retired, {others} others serve, {min} must", scene.label(at));
                    return Err(scene.broken("I9 no fewer than replicas - maxUnavailable", what));
                }
            }
            Step::Done | Step::Settle => {
                self.bounds.remove(&wish.service.name);
            }
            _ => {}
        }
        Ok(())
    }
}
