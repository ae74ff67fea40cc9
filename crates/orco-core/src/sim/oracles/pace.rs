//! I9: how many seats there may be, and how many may go at once. Judged where it is chosen.

use super::{Judge, Scene, Violation};
use crate::{
    brain::Step,
    model::{Seat, ServiceIx},
    sim::Chair,
};

/// Until updates follow their strategies, every replacement goes one replica at a time, in place: so
/// many more there may be, and so many fewer.
pub const SURGE: u32 = 0;
/// See [`SURGE`].
pub const MISSING: u32 = 1;

impl Judge {
    pub(super) fn pace(&self, scene: Scene<'_>, ix: ServiceIx, step: &Step) -> Result<(), Violation> {
        let Some(wish) = scene.wish(ix) else { return Ok(()) };
        match step {
            Step::Create(slot) => {
                let there = scene.ledger.seats_of(ix).count();
                let most = usize::try_from(wish.replicas + SURGE).unwrap_or(usize::MAX);
                if there + 1 > most {
                    let what = format!("{} made beside {there}", scene.label(Seat { service: ix, slot: *slot }));
                    return Err(scene.broken("I9 no more than replicas + maxSurge", what));
                }
            }
            Step::Retire(slot) if wish.up => {
                // What was there before the last change is old and counts while it serves; what is new
                // counts once settled.
                let shrinks = slot.replica >= wish.replicas;
                let min_ready = wish.service.update.min_ready;
                let available = |at: Seat, chair: &Chair| {
                    let completed = scene.ledger.done.contains_key(&at);
                    let serves = scene.ledger.sitter(at).is_some_and(|life| {
                        let settled = life.ready.is_some_and(|since| since + min_ready <= scene.now);
                        life.serves() && (settled || chair.made < wish.renewed || at.slot.replica >= wish.replicas)
                    });
                    completed || serves
                };
                let others = scene.ledger.seats_of(ix).filter(|(other, chair)| {
                    chair.retired.is_none() && other != slot && available(Seat { service: ix, slot: *other }, chair)
                });
                let others = others.count();
                let min = usize::try_from(wish.replicas.saturating_sub(MISSING)).unwrap_or(0);
                let at = Seat { service: ix, slot: *slot };
                let serves = scene.ledger.sitter(at).is_some_and(crate::sim::Life::serves);
                let stuck = shrinks && scene.ledger.seats_of(ix).any(|(_, chair)| chair.ended.is_some());
                if serves && others < min && !stuck {
                    let what = format!("{} retired, {others} others serve, {min} must", scene.label(at));
                    return Err(scene.broken("I9 no fewer than replicas - maxUnavailable", what));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
