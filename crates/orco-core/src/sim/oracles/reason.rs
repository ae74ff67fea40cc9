//! Nothing that runs is replaced or asked to end without a true reason, and what hands tell of instances is so:
//! unknown is not dead (G40).

use super::{Scene, Violation};
use crate::{
    brain::{Step, Why},
    model::{Fact, Seat, ServiceIx},
    sim::{Life, Pulse},
};

/// Before a decision is booked.
pub(super) fn reasons(scene: Scene<'_>, ix: ServiceIx, step: &Step) -> Result<(), Violation> {
    let (slot, true_one) = match step {
        Step::Recycle(slot, why) => {
            let sitter = scene.ledger.sitter(Seat { service: ix, slot: *slot });
            (slot, sitter.is_some_and(|life| is_so(scene, life, *why)))
        }
        Step::Stop(slot) => {
            let chair = scene.ledger.seat(Seat { service: ix, slot: *slot });
            let replaced = chair.is_some_and(|chair| chair.retired.is_some() || chair.recycle.is_some());
            let sitter = scene.ledger.sitter(Seat { service: ix, slot: *slot });
            let unclear = sitter.is_some_and(|life| life.unclear);
            (slot, replaced || unclear || scene.wish(ix).is_none_or(|wish| !wish.up))
        }
        _ => return Ok(()),
    };
    if true_one {
        return Ok(());
    }
    let what = format!("{} {step:?}", scene.label(Seat { service: ix, slot: *slot }));
    Err(scene.broken("G40 nobody goes without a reason", what))
}

fn is_so(scene: Scene<'_>, life: &Life, why: Why) -> bool {
    match why {
        Why::Liveness => life.liveness.as_ref().is_some_and(|tallied| tallied.verdict == Some(false)),
        Why::StartTimeout => {
            let due = |health: &crate::spec::Health| {
                life.started.is_some_and(|from| from + health.tally.start_timeout <= scene.now)
            };
            !life.was_ready && life.service.health.as_ref().is_some_and(due)
        }
        Why::StartUnknown => life.unclear,
        // Judged elsewhere.
        Why::Dependency(_) => true,
    }
}

impl Scene<'_> {
    /// Judges what a hand tells, before it is booked.
    ///
    /// # Errors
    /// The promise it breaks.
    pub fn fact(self, fact: &Fact) -> Result<(), Violation> {
        let (at, inst, so) = match fact {
            Fact::Started { at, inst } => {
                (at, inst, self.world.body(*inst).is_some_and(|body| body.pulse != Pulse::Unborn))
            }
            Fact::StartFailed { at, inst, certain: true, .. } => {
                let refused = |body: &crate::sim::Body| {
                    let wanted = self.ledger.lives.get(inst).is_some_and(|l| l.stop.is_none() && l.kill.is_none());
                    body.pulse == Pulse::Gone && (body.is_refused() || !wanted)
                };
                (at, inst, self.world.body(*inst).is_none_or(refused))
            }
            Fact::Exited { at, inst, .. } => {
                (at, inst, self.world.body(*inst).is_none_or(|body| body.pulse == Pulse::Gone))
            }
            Fact::Created { .. } | Fact::StartFailed { certain: false, .. } | Fact::Probed { .. } => return Ok(()),
        };
        if so {
            return Ok(());
        }
        Err(self.broken("G40 unknown is not dead", format!("{} ({inst:?}): {fact:?}", self.label(*at))))
    }
}
