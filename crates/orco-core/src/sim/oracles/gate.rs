//! I1 and `onFailure`: no start before the dependencies are met, and what follows when they fail.

use std::sync::Arc;

use super::{Judge, Scene, Violation};
use crate::{
    brain::{Step, Why},
    model::{Seat, ServiceIx},
    spec::{OnFailure, Service},
};

impl Judge {
    /// Before a start: every dependency of the set meets its requirement as far as facts tell.
    pub(super) fn gate(&self, scene: Scene<'_>, at: Seat, service: &Arc<Service>) -> Result<(), Violation> {
        for dep in &service.depends_on {
            let Some(ix) = scene.brain.ix(dep.target.as_str()) else { continue };
            if !scene.may_hold(ix, dep.require) {
                let what = format!("{} started while {} is not {}", scene.label(at), dep.target, dep.require.as_str());
                return Err(scene.broken("I1 gates", what));
            }
        }
        Ok(())
    }

    /// A service goes down or is restarted for a dependency's sake only where it says so and the
    /// dependency did fail it.
    pub(super) fn yields(&self, scene: Scene<'_>, ix: ServiceIx, step: &Step) -> Result<(), Violation> {
        let (dep, wanted) = match step {
            Step::Yield(dep) => (*dep, OnFailure::Stop),
            Step::Recycle(_, Why::Dependency(dep)) => (*dep, OnFailure::Restart),
            _ => return Ok(()),
        };
        let name = scene.brain.name(dep);
        let says_so =
            |service: &Service| service.depends_on.iter().any(|d| d.target == *name && d.on_failure == wanted);
        let said = scene.wish(ix).is_some_and(|w| says_so(&w.service))
            || scene.ledger.live_of(ix).any(|(_, life)| says_so(&life.service));
        let failed = scene.wish(dep).is_none_or(|w| !w.up) || !scene.is_ready(dep);
        if said && failed {
            return Ok(());
        }
        let what = format!("{} for the sake of {name}: said {said}, failed {failed}", scene.brain.name(ix));
        Err(scene.broken("onFailure only when it fails", what))
    }

    /// Whose edge is gone leans no more.
    pub fn forget_leans(&mut self, scene: Scene<'_>) {
        self.leaned.retain(|(inst, dep)| {
            let on = |service: &Service| {
                let name = scene.brain.name(*dep);
                service.depends_on.iter().any(|d| d.target == *name && d.on_failure != OnFailure::Ignore)
            };
            scene.ledger.lives.get(inst).is_some_and(|life| life.is_live() && on(&life.service))
        });
    }

    /// After a turn: whoever runs on a dependency with an `onFailure` that was ready with it and is not
    /// any more, is on its way out.
    pub(super) fn leaning(&mut self, scene: Scene<'_>) -> Result<(), Violation> {
        self.forget_leans(scene);
        for wish in scene.operator.wishes.values() {
            let edges = wish.service.depends_on.iter().filter(|d| d.on_failure != OnFailure::Ignore);
            for edge in edges {
                let (Some(ix), Some(dep)) =
                    (scene.brain.ix(wish.service.name.as_str()), scene.brain.ix(edge.target.as_str()))
                else {
                    continue;
                };
                let ready = scene.is_ready(dep);
                for (inst, life) in scene.ledger.live_of(ix) {
                    let same = life.service.depends_on.contains(edge);
                    if life.started.is_none() || life.stop.is_some() || life.kill.is_some() || !same {
                        self.leaned.remove(&(inst, dep));
                        continue;
                    }
                    if ready {
                        self.leaned.insert((inst, dep));
                        continue;
                    }
                    let going = scene.ledger.seat(life.at).is_some_and(|c| c.retired.is_some() || c.recycle.is_some());
                    if wish.up && !going && self.leaned.contains(&(inst, dep)) {
                        let what = format!("{} runs on, {} is not ready any more", scene.label(life.at), edge.target);
                        return Err(scene.broken("onFailure is obeyed", what));
                    }
                }
            }
        }
        Ok(())
    }
}
