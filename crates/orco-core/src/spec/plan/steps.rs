//! In which order things happen.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fate, Planned};
use crate::{
    graph::Dag,
    model::ServiceName,
    spec::{Amount, OnFailure, Service, Stack},
};

/// Something that begins, ends or is replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PlanStep {
    /// What happens.
    pub kind: StepKind,
    /// To which service.
    pub service: ServiceName,
    /// The dependency whose replacement is the cause, where it is (`onFailure`).
    pub because: Option<ServiceName>,
}

/// What happens to a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepKind {
    /// Its instances start, behind the gate.
    Start,
    /// Its instances stop.
    Stop,
    /// New instances take the place of the old, one replica at a time.
    Replace,
    /// Instances come or go until the number is right.
    Scale,
    /// Its instances are restarted, for a dependency stops being ready (`onFailure: restart`).
    Restart,
}

/// As the brain will do it: what is removed leaves in reverse order, once nobody stands on it; what is replaced or new
/// comes after its dependencies.
pub(super) fn order(old: &Stack, new: &Stack, planned: &[Planned]) -> Vec<PlanStep> {
    let fates: BTreeMap<&str, &Planned> = planned.iter().map(|one| (one.name.as_str(), one)).collect();
    let fate = |name: &str| fates.get(name).map_or(Fate::Same, |one| one.fate);
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let before = Dag::new(old);
    let mut held: BTreeSet<&str> = BTreeSet::new();
    let backwards: Vec<_> = before.order().collect();
    for node in backwards.into_iter().rev().filter(|node| fate(node.name.as_str()) == Fate::Removed) {
        let name = node.name.as_str();
        // Instances of the old revision stand on it until they are replaced.
        let stood_on =
            before.dependents(name).any(|by| fate(by.as_str()) == Fate::Replaced || held.contains(by.as_str()));
        let step = PlanStep { kind: StepKind::Stop, service: node.name.clone(), because: None };
        if stood_on {
            held.insert(name);
            last.push(step);
        } else {
            first.push(step);
        }
    }
    let mut unready: BTreeSet<&str> = BTreeSet::new();
    for node in Dag::new(new).order() {
        let (Some(service), Some(one)) = (new.service(node.name.as_str()), fates.get(node.name.as_str())) else {
            continue;
        };
        let Some((kind, because)) = step(service, one, &unready) else { continue };
        let name = service.name.as_str();
        match kind {
            StepKind::Replace | StepKind::Restart | StepKind::Stop if !keeps_ready(service, kind) => {
                unready.insert(name);
            }
            _ => {}
        }
        first.push(PlanStep { kind, service: service.name.clone(), because });
    }
    first.append(&mut last);
    first
}

fn step(service: &Service, one: &Planned, unready: &BTreeSet<&str>) -> Option<(StepKind, Option<ServiceName>)> {
    match one.fate {
        Fate::Added => return Some((StepKind::Start, None)),
        Fate::Replaced => return Some((StepKind::Replace, None)),
        Fate::Removed => return None,
        Fate::Same | Fate::Changed => {}
    }
    let acts = service
        .depends_on
        .iter()
        .find(|edge| edge.on_failure != OnFailure::Ignore && unready.contains(edge.target.as_str()));
    match acts {
        Some(edge) if edge.on_failure == OnFailure::Stop => Some((StepKind::Stop, Some(edge.target.clone()))),
        Some(edge) => Some((StepKind::Restart, Some(edge.target.clone()))),
        None => (one.replicas.0 != one.replicas.1).then_some((StepKind::Scale, None)),
    }
}

/// Whether the service stays ready meanwhile: one replica at a time, and the file allows one to be missing.
fn keeps_ready(service: &Service, kind: StepKind) -> bool {
    let may_miss = match service.update.max_unavailable {
        Amount::Count(count) => u64::from(count),
        Amount::Percent(percent) => u64::from(percent) * u64::from(service.replicas) / 100,
    };
    kind == StepKind::Replace && service.replicas > 1 && may_miss > 0
}
