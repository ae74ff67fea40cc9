//! I2, I5, I8, I27: who is started and signalled, under which name, and how much is done at once.

use super::{Judge, Scene, Violation};
use crate::{
    brain::{Action, Turn},
    model::{InstanceId, Moment, Seat},
};

/// So many starts of one container engine may be unanswered.
pub(super) const CONTAINERS: usize = 8;

impl Judge {
    pub(super) fn identity(&mut self, scene: Scene<'_>, action: &Action) -> Result<(), Violation> {
        match action {
            Action::Start { at, inst, run, service } => {
                if !self.ids.insert(*inst) {
                    return Err(
                        scene.broken("I2 ids are never used again", format!("{inst:?} of {}", scene.label(*at)))
                    );
                }
                if let Some(other) = scene.ledger.sitter(*at) {
                    let what = format!("{} started while {:?} lives there", scene.label(*at), other.at);
                    return Err(scene.broken("I2 one live instance per seat", what));
                }
                let taken = scene.world.living().find(|(_, body)| body.at == *at);
                if let Some((other, _)) = taken {
                    let what = format!("{} started while {other:?} really lives there", scene.label(*at));
                    return Err(scene.broken("I2 one live instance per seat", what));
                }
                if service.ports.iter().any(|p| p.host.is_some()) && scene.ledger.live_of(at.service).next().is_some() {
                    let what = format!("{} started on a fixed port that is taken", scene.label(*at));
                    return Err(scene.broken("I2 one owner per port", what));
                }
                if service.image.is_some() && scene.unanswered(&service.runtime) >= CONTAINERS {
                    return Err(scene.broken("I20 containers start 8 at a time", scene.label(*at)));
                }
                let last = self.runs.entry((service.name.clone(), at.slot.replica)).or_default();
                if *run <= *last {
                    return Err(scene.broken("I8 runs rise", format!("{} run {run} after {last}", scene.label(*at))));
                }
                *last = *run;
                Ok(())
            }
            Action::Probe { at, inst, .. } => live(scene, *at, *inst, "probed"),
            Action::Stop { at, inst, .. } => {
                // An order that an engine gave and died is given again.
                let again = |stop: Moment| self.reborn.is_none_or(|reborn| stop >= reborn);
                if scene.ledger.lives.get(inst).is_some_and(|life| life.stop.is_some_and(again)) {
                    return Err(scene.broken("I5 stopped once", scene.label(*at)));
                }
                live(scene, *at, *inst, "stopped")
            }
            Action::Kill { at, inst } => live(scene, *at, *inst, "killed"),
            Action::Unprobe { .. } => Ok(()),
        }
    }

    pub(super) fn work(&self, scene: Scene<'_>, turn: &Turn) -> Result<(), Violation> {
        let seats: usize = scene.ledger.seats.values().map(std::collections::BTreeMap::len).sum();
        let services = scene.operator.wishes.len() + 8;
        let bound = 8 * (seats + services);
        for (what, count) in
            [("actions", turn.actions.len()), ("happenings", turn.happenings.len()), ("steps", turn.steps.len() / 4)]
        {
            if count > bound {
                return Err(scene.broken("I27 bounded work", format!("{count} {what} in one turn, bound {bound}")));
            }
        }
        if let Some(wake) = scene.brain.next_wake().filter(|wake| *wake <= scene.now) {
            return Err(scene.broken("I22 no wake in the past", format!("asks to be woken at {wake:?}")));
        }
        Ok(())
    }
}

fn live(scene: Scene<'_>, at: Seat, inst: InstanceId, what: &str) -> Result<(), Violation> {
    match scene.ledger.lives.get(&inst) {
        Some(life) if life.at != at => {
            Err(scene.broken("I5 only by its own name", format!("{inst:?} {what} as {}", scene.label(at))))
        }
        Some(life) if life.is_live() => Ok(()),
        Some(_) => Err(scene.broken("I5 the dead rest", format!("{} {what} after its end", scene.label(at)))),
        None => Err(scene.broken("I5 only what was started", format!("{inst:?} {what}"))),
    }
}
