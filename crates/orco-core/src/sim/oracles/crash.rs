//! I2 to I4, I8 and I21 over crashes: what a new engine finds is what was written down, and who was well
//! goes on undisturbed.

use std::collections::BTreeSet;

use super::{Judge, Scene, Violation};
use crate::{
    brain::{Step, Turn, Why},
    model::{EventKind, InstanceId, Moment, Seat, ServiceIx},
    sim::{Chair, Life, Pulse},
};

impl Judge {
    /// Those that a crash of the engine must not disturb: they serve, and nobody wants them away.
    pub fn undisturbed(&self, scene: Scene<'_>) -> BTreeSet<InstanceId> {
        let well = |ix: ServiceIx| {
            let up = scene.wish(ix).is_some_and(|wish| wish.up);
            scene.ledger.live_of(ix).filter(move |(_, life)| {
                let chair = scene.ledger.seat(life.at);
                up && life.serves() && chair.is_some_and(|c| c.retired.is_none() && c.recycle.is_none())
            })
        };
        scene.ledger.live.keys().flat_map(|ix| well(*ix)).map(|(inst, _)| inst).collect()
    }

    /// Judges what a new engine finds, before that is booked.
    ///
    /// # Errors
    /// The promise it breaks.
    pub fn recovered(
        &self,
        scene: Scene<'_>,
        found: &BTreeSet<InstanceId>,
        strangers: &[InstanceId],
    ) -> Result<(), Violation> {
        for (inst, body) in scene.world.bodies() {
            let known = scene.ledger.lives.get(&inst).is_some_and(Life::is_live);
            let there = body.pulse != Pulse::Gone;
            let heard = !scene.world.is_unheard(&body.service);
            if there && !known && heard && !strangers.contains(&inst) {
                let what = format!("{inst:?} of {} is there, and nobody knows it", scene.label(body.at));
                return Err(scene.broken("I3 nobody unknown survives a recovery", what));
            }
            if there && !scene.ledger.lives.contains_key(&inst) && !body.intruder {
                let what = format!("{inst:?} of {} was started, and nobody wrote it down", scene.label(body.at));
                return Err(scene.broken("I4 no start before its intent is written", what));
            }
            if known && !there && !found.contains(&inst) && !body.unseen && !body.is_refused() {
                let what = format!("how {inst:?} of {} ended is lost", scene.label(body.at));
                return Err(scene.broken("I21 an end is kept until it is recorded", what));
            }
        }
        for inst in strangers {
            if scene.ledger.lives.get(inst).is_some_and(Life::is_live) {
                return Err(scene.broken("I3 nobody known is a stranger", format!("{inst:?}")));
            }
        }
        Ok(())
    }

    /// A new engine is there.
    pub fn reborn(&mut self, now: Moment, undisturbed: BTreeSet<InstanceId>) {
        self.reborn = Some(now);
        self.undisturbed = undisturbed;
        // Whom it let through within the last second nobody remembers.
        self.restarts.clear();
    }

    /// The machine was started anew, and with it the clock: nobody leans on anything.
    pub fn rebooted(&mut self) {
        self.leaned.clear();
        self.floors.clear();
        self.away.clear();
        self.reborn = None;
    }

    /// In the first turn of a new engine in a quiet world, whoever was well stays.
    pub(super) fn peaceful(&mut self, scene: Scene<'_>, turn: &Turn) -> Result<(), Violation> {
        let undisturbed = std::mem::take(&mut self.undisturbed);
        for (ix, step) in turn.steps.iter().filter(|_| self.quiet) {
            let (Step::Stop(slot) | Step::Kill(slot) | Step::Recycle(slot, _)) = step else { continue };
            let at = Seat { service: *ix, slot: *slot };
            // What its dependency does to it is no doing of the new engine.
            let moved = |chair: &Chair| matches!(chair.recycle, Some(Why::Dependency(_)));
            let stays = scene.ledger.seat(at).filter(|chair| chair.retired.is_none() && !moved(chair));
            let sitter = stays.and_then(|chair| chair.last);
            if scene.wish(*ix).is_some_and(|w| w.up && w.asked < scene.now && w.renewed < scene.now)
                && sitter.is_some_and(|inst| undisturbed.contains(&inst))
            {
                let what = format!("{} {step:?} by a new engine", scene.label(at));
                return Err(scene.broken("a crash of the engine disturbs nobody", what));
            }
        }
        Ok(())
    }

    /// No end is told twice, over all engines.
    pub(super) fn ends(&mut self, scene: Scene<'_>, turn: &Turn) -> Result<(), Violation> {
        for happening in &turn.happenings {
            let (EventKind::ServiceCrashed | EventKind::ServiceCompleted, Some(ix), Some(replica)) =
                (happening.kind, happening.service, happening.replica)
            else {
                continue;
            };
            let told = self.ends.entry((ix, replica)).or_default();
            *told += 1;
            let ended = scene.ledger.ends.get(&(ix, replica)).copied().unwrap_or(0);
            if *told > ended {
                let what = format!("{}/{replica}: {ended} ends, {told} told", scene.brain.name(ix));
                return Err(scene.broken("I21 an end is told once", what));
            }
        }
        Ok(())
    }
}
