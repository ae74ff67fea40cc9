//! Where everything must come to rest: the world is as wanted, and whatever is not has a true reason.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use crate::{
    model::{Seat, ServiceIx, ServiceName},
    sim::Wish,
    spec::Kind,
};

/// Why the world is not yet at rest, or `None`.
pub fn unrest(scene: Scene<'_>, cursed: &BTreeMap<ServiceName, Option<i32>>, revived: bool) -> Option<String> {
    let excused = excused(scene, cursed, revived);
    for (inst, body) in scene.world.living() {
        let name = &body.service.name;
        if !scene.ledger.lives.get(&inst).is_some_and(crate::sim::Life::is_live) {
            return Some(format!("{} ({inst:?}) lives and nobody knows it", scene.label(body.at)));
        }
        let wanted = scene.operator.wishes.get(name).is_some_and(|w| w.up);
        if !wanted && !held(scene, name, &excused) {
            return Some(format!("{} ({inst:?}) lives and is not wanted", scene.label(body.at)));
        }
    }
    for (inst, life) in scene.ledger.live.keys().flat_map(|ix| scene.ledger.live_of(*ix)) {
        if life.started.is_some() && !scene.world.is_alive(inst) {
            return Some(format!("{} ({inst:?}) is taken for alive and is not", scene.label(life.at)));
        }
    }
    for (name, wish) in scene.operator.wishes.iter().filter(|(name, wish)| wish.up && !excused.contains(*name)) {
        if let Some(why) = unfinished(scene, wish) {
            return Some(format!("{name}: {why}"));
        }
    }
    None
}

/// What keeps one service from being as wanted.
fn unfinished(scene: Scene<'_>, wish: &Wish) -> Option<String> {
    let Some(ix) = scene.brain.ix(wish.service.name.as_str()) else { return Some("unknown".to_owned()) };
    let wanted = usize::try_from(wish.replicas).unwrap_or(usize::MAX);
    let mut replicas = BTreeSet::new();
    for (slot, chair) in scene.ledger.seats_of(ix) {
        let at = Seat { service: ix, slot };
        replicas.insert(slot.replica);
        match scene.ledger.sitter(at) {
            Some(life) if life.service.revision != wish.service.revision => {
                return Some(format!("{} runs an old revision", scene.label(at)));
            }
            Some(life) if !life.serves() => return Some(format!("{} is not ready", scene.label(at))),
            None if !scene.ledger.done.contains_key(&at) => return Some(format!("{} is empty", scene.label(at))),
            Some(_) | None if chair.retired.is_some() => return Some(format!("{} is leaving", scene.label(at))),
            Some(_) | None => {}
        }
    }
    let seats = scene.ledger.seats_of(ix).count();
    if seats != wanted || replicas.last().is_some_and(|last| *last >= wish.replicas) {
        return Some(format!("{seats} seats {replicas:?}, {wanted} wanted"));
    }
    let snapshot = scene.brain.snapshot(scene.now);
    let view = snapshot.service(wish.service.name.as_str())?;
    let completed = has_completed(scene, ix);
    ((!view.ready && !completed) || view.changing)
        .then(|| format!("shown ready {}, changing {}", view.ready, view.changing))
}

fn has_completed(scene: Scene<'_>, ix: ServiceIx) -> bool {
    scene.ledger.done.keys().any(|at| at.service == ix)
}

/// Services that need not be as wanted: cursed ones, those given up for a true reason, and whatever
/// waits for them.
fn excused(scene: Scene<'_>, cursed: &BTreeMap<ServiceName, Option<i32>>, revived: bool) -> BTreeSet<ServiceName> {
    let mut excused: BTreeSet<ServiceName> = cursed.keys().cloned().collect();
    for (name, wish) in &scene.operator.wishes {
        let Some(ix) = scene.brain.ix(name.as_str()) else { continue };
        let given_up = scene.ledger.seats_of(ix).any(|(slot, chair)| {
            let at = Seat { service: ix, slot };
            let empty = scene.ledger.sitter(at).is_none() && !scene.ledger.done.contains_key(&at);
            let retuned = wish.retuned > chair.made;
            let since = chair.ended.is_some_and(|ended| !revived || wish.asked <= ended);
            empty && since && (retuned || chair.may_be_given_up(&wish.service))
        });
        let completed = wish.service.kind != Kind::Oneshot && has_completed(scene, ix);
        if completed || given_up {
            excused.insert(name.clone());
        }
    }
    loop {
        let before = excused.len();
        for (name, wish) in &scene.operator.wishes {
            let waits = wish.service.depends_on.iter().any(|dep| {
                let stopped = scene.operator.wishes.get(&dep.target).is_none_or(|w| !w.up);
                stopped || excused.contains(&dep.target)
            });
            if waits {
                excused.insert(name.clone());
            }
        }
        if excused.len() == before {
            return excused;
        }
    }
}

/// A removed service that an excused one may still stand on, itself or through others.
fn held(scene: Scene<'_>, name: &ServiceName, excused: &BTreeSet<ServiceName>) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![name.clone()];
    while let Some(name) = todo.pop() {
        if scene.operator.wishes.contains_key(&name) || !seen.insert(name.clone()) {
            continue;
        }
        for life in scene.ledger.lives.values() {
            // What is over counts while its set is kept to turn back to.
            let wish = scene.operator.wishes.get(&life.service.name);
            let kept = wish.is_some_and(|w| w.service.revision != life.service.revision);
            if (life.is_live() || kept) && life.service.depends_on.iter().any(|d| d.target == name) {
                if excused.contains(&life.service.name) {
                    return true;
                }
                todo.push(life.service.name.clone());
            }
        }
    }
    false
}
