//! Is what `status` says of containers so?

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    dock::Found,
    mixed::{Mixed, Seats},
};
use crate::truth::{Mains, lie};

/// The first thing in which the status differs from what the engine and the machine say. `untouched` (containers) and
/// `mains` (processes) have to be as they were, ready, and never restarted.
pub fn untruth(mixed: &Mixed, status: &Value, untouched: &Seats, mains: &Mains) -> Option<String> {
    let mut processes = status.clone();
    processes["services"].as_object_mut()?.retain(|name, _| mixed.ships.iter().any(|ship| ship.name == *name));
    of_containers(status, &mixed.found(), mixed, untouched).or_else(|| lie(&mixed.fleet, &processes, mains))
}

fn of_containers(status: &Value, found: &[Found], mixed: &Mixed, untouched: &Seats) -> Option<String> {
    let mut said = BTreeSet::new();
    for one in &mixed.crates {
        let service = &status["services"][&one.name];
        for instance in service["instances"].as_array().into_iter().flatten() {
            let seat = format!("{}.{}", one.name, instance["replica"]);
            let Some(id) = instance["id"].as_str() else { continue };
            said.insert(id);
            let there = found.iter().find(|container| container.instance == id);
            if instance["state"] == "Running" && !there.is_some_and(Found::runs) {
                return Some(format!("{seat} is said to run, and does not: {there:?}"));
            }
            let Some(known) = untouched.get(&seat) else { continue };
            let container = instance["container"].as_str().unwrap_or_default();
            if container.is_empty() || !known.starts_with(container) {
                return Some(format!("{seat} was {known}, and is said to be {container}"));
            }
            if instance["ready"] != true || service["restarts"] != 0 {
                return Some(format!("{seat} runs since long: {instance} of {service}"));
            }
        }
    }
    let names: BTreeSet<&str> = found.iter().filter(|one| one.runs()).map(|one| &*one.seat).collect();
    if let Some(seat) = untouched.keys().find(|seat| !names.contains(&***seat)) {
        return Some(format!("{seat} ran, and does not any more"));
    }
    let hidden = found.iter().find(|one| one.runs() && !said.contains(&*one.instance))?;
    Some(format!("{hidden:?} is not said to run"))
}
