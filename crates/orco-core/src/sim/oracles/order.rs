//! I19: stops in reverse order of dependency, kills only when the time is over.

use std::collections::BTreeSet;

use super::{Judge, Scene, Violation};
use crate::{
    brain::Why,
    model::{InstanceId, Seat, ServiceName},
};

impl Judge {
    pub(super) fn order(&self, scene: Scene<'_>, at: Seat, inst: InstanceId, kill: bool) -> Result<(), Violation> {
        let Some(life) = scene.ledger.lives.get(&inst) else { return Ok(()) };
        let ordered_kill = scene.operator.killed.is_some();
        let chair = scene.ledger.seat(at);
        if kill {
            let timeout = life
                .service
                .stop
                .timeout
                .min(scene.wish(at.service).map_or(std::time::Duration::MAX, |w| w.service.stop.timeout));
            let expired = life.stop.is_some_and(|stop| stop + timeout <= scene.now);
            let retuned = scene.wish(at.service).is_some_and(|w| w.retuned > life.ordered);
            if !expired && !retuned && !life.unclear && !ordered_kill {
                let what = format!("{} killed, stop {:?}, timeout {timeout:?}", scene.label(at), life.stop);
                return Err(scene.broken("I19 no kill before the timeout", what));
            }
            return Ok(());
        }
        if life.stop.is_some() {
            // Given again by a new engine: when it was first given it was judged.
            return Ok(());
        }
        let replaced = chair.and_then(|c| c.recycle);
        if ordered_kill || matches!(replaced, Some(Why::Liveness | Why::StartTimeout | Why::StartUnknown)) {
            return Ok(());
        }
        let listed = scene.wish(at.service);
        if listed.is_some_and(|w| w.up) {
            return Ok(());
        }
        let name = scene.brain.name(at.service);
        let below = stands_on(scene, name);
        for (other, wish) in
            scene.ledger.live.keys().map(|ix| (*ix, scene.wish(*ix))).filter(|(ix, _)| *ix != at.service)
        {
            // A removed one that somebody still stands on stays, and nobody waits for who stays.
            let held = |name: &ServiceName| {
                scene.ledger.live.keys().flat_map(|ix| scene.ledger.live_of(*ix)).any(|(_, life)| {
                    let up = scene.operator.wishes.get(&life.service.name).is_none_or(|w| w.up);
                    up && life.service.depends_on.iter().any(|d| d.target == *name)
                })
            };
            let leaves = wish.map_or_else(|| !held(scene.brain.name(other)), |w| !w.up);
            let needs = |inst: &crate::sim::Life| {
                inst.service.depends_on.iter().any(|d| d.target == *name)
                    && wish.is_none_or(|w| w.service.depends_on.iter().any(|d| d.target == *name))
            };
            if !leaves || below.contains(scene.brain.name(other)) {
                continue;
            }
            if let Some((_, dependent)) = scene.ledger.live_of(other).find(|(_, life)| needs(life)) {
                let what = format!("{} stopped while {} lives", scene.label(at), scene.label(dependent.at));
                return Err(scene.broken("I19 dependents go first", what));
            }
        }
        Ok(())
    }
}

/// Everything the live instances of a service stand on, themselves or through others. Two files can
/// make a circle of old and new; then nobody can be first.
fn stands_on(scene: Scene<'_>, name: &ServiceName) -> BTreeSet<ServiceName> {
    let mut seen = BTreeSet::new();
    let mut todo = vec![name.clone()];
    while let Some(name) = todo.pop() {
        let Some(ix) = scene.brain.ix(name.as_str()) else { continue };
        let live = scene.ledger.live_of(ix).flat_map(|(_, life)| life.service.depends_on.iter());
        let wished = scene.wish(ix).into_iter().flat_map(|w| w.service.depends_on.iter());
        for dep in live.chain(wished) {
            if seen.insert(dep.target.clone()) {
                todo.push(dep.target.clone());
            }
        }
    }
    seen
}
