//! What differs between two stacks.

use std::collections::BTreeSet;

use super::{Service, Stack};
use crate::model::ServiceName;

/// What a service needs to get from one stack to the other.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Change {
    /// Nothing.
    Same,
    /// These fields (by their names in stack files) are taken over by what runs.
    InPlace(Vec<&'static str>),
    /// New instances.
    Replace,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// Every service of either stack: those of `new` in their order, then the removed ones in the order of `old`.
pub fn diff(old: &Stack, new: &Stack) -> Vec<(ServiceName, Change)> {
    let mut kept = BTreeSet::new();
    let mut changes = Vec::with_capacity(new.services().len());
    for service in new.services() {
        let change = match old.service(service.name.as_str()) {
            None => Change::Added,
            Some(before) => {
                kept.insert(before.name.clone());
                change(before, service)
            }
        };
        changes.push((service.name.clone(), change));
    }
    let removed = old.services().iter().filter(|service| !kept.contains(&service.name));
    changes.extend(removed.map(|service| (service.name.clone(), Change::Removed)));
    changes
}

fn change(old: &Service, new: &Service) -> Change {
    if old.revision != new.revision {
        return Change::Replace;
    }
    let changed = in_place(old, new);
    if changed.is_empty() { Change::Same } else { Change::InPlace(changed) }
}

/// The fields that differ and are taken over by what runs.
pub(super) fn in_place(old: &Service, new: &Service) -> Vec<&'static str> {
    let fields = [
        ("replicas", old.replicas != new.replicas),
        ("dependsOn", old.depends_on != new.depends_on),
        ("health", old.health != new.health),
        ("liveness", old.liveness != new.liveness),
        ("restartPolicy", old.restart != new.restart),
        ("stop", old.stop != new.stop),
        ("update", old.update != new.update),
        ("logging", old.logging != new.logging),
        ("maskSecrets", old.mask_secrets != new.mask_secrets),
        ("envFromFile", old.env_from_file != new.env_from_file),
        // The next start goes by them; what runs has its image and its mounts.
        ("pullPolicy", old.pull_policy != new.pull_policy),
        ("allowDockerSocket", old.allow_docker_socket != new.allow_docker_socket),
    ];
    fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

#[cfg(test)]
mod tests;
