//! Nothing that runs is replaced or asked to end without a true reason, and what hands tell of instances is so:
//! unknown is not dead (G40).

use super::{Judge, Scene, Violation};
use crate::{
    brain::{Step, Why},
    model::{Fact, InstanceId, Seat, ServiceIx, Snapshot},
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
        // What an earlier engine's probes said died with it.
        Why::Liveness => life.liveness.as_ref().is_none_or(|tallied| tallied.failed),
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

/// A service all of whose instances ran when its container engine went away.
#[derive(Clone, Debug)]
pub(super) struct Away {
    instances: Vec<InstanceId>,
    restarts: u64,
}

impl Judge {
    /// A container engine is about to go away.
    pub fn leaves(&mut self, scene: Scene<'_>, engine: &str) {
        let snapshot = scene.brain.snapshot(scene.now);
        for wish in scene.operator.wishes.values().filter(|w| w.service.image.is_some() && w.service.runtime == engine)
        {
            let Some(view) = snapshot.service(wish.service.name.as_str()) else { continue };
            let instances: Vec<InstanceId> = scene.ledger.live_of(view.ix).map(|(inst, _)| inst).collect();
            let seats = scene.ledger.seats_of(view.ix).count();
            if seats == instances.len() && instances.iter().all(|inst| scene.world.is_alive(*inst)) {
                let away = Away { instances, restarts: view.restarts };
                self.away.insert(wish.service.name.clone(), away);
            } else {
                self.away.remove(&wish.service.name);
            }
        }
    }

    /// While a container engine is away, and nothing has ended, nothing was restarted.
    pub(super) fn unmoved(&mut self, scene: Scene<'_>, snapshot: &Snapshot) -> Result<(), Violation> {
        self.away.retain(|name, _| scene.operator.wishes.get(name).is_some_and(|w| scene.world.is_away(&w.service)));
        for (name, Away { instances, restarts }) in &self.away {
            let Some(view) = snapshot.service(name.as_str()) else { continue };
            let runs = |inst: &InstanceId| {
                let life = scene.ledger.lives.get(inst);
                scene.world.is_alive(*inst) && life.is_some_and(|life| life.stop.is_none() && life.kill.is_none())
            };
            if instances.iter().all(runs) && view.restarts != *restarts {
                let what = format!("{name}: {} restarts, {restarts} before", view.restarts);
                return Err(scene.broken("G40 an outage restarts nobody", what));
            }
            let over = |inst: &&InstanceId| runs(inst) && !scene.ledger.lives.get(inst).is_some_and(Life::is_live);
            if let Some(inst) = instances.iter().find(over) {
                return Err(scene.broken("G40 an outage ends nobody", format!("{name}: {inst:?}")));
            }
        }
        Ok(())
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
