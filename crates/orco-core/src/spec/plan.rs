//! What an apply will do, told before it does it.

mod reasons;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use reasons::Reason;
pub use steps::{PlanStep, StepKind};

use super::{Change, Stack, diff, secrets};
use crate::model::ServiceName;

/// The way from one stack to another. Empty where nothing would change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Plan {
    /// Fields of the stack itself that are taken over at once.
    pub stack: Vec<&'static str>,
    /// Every service of either stack: those of the new one in its order, then the removed ones.
    pub services: Vec<Planned>,
    /// What begins, ends or is replaced, in the order in which it happens. What is taken over in place is no step.
    pub order: Vec<PlanStep>,
}

/// What becomes of one service.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Planned {
    /// Which.
    pub name: ServiceName,
    /// What becomes of it.
    pub fate: Fate,
    /// Fields (by their names in stack files) that are taken over by what runs.
    pub fields: Vec<&'static str>,
    /// Why it is replaced.
    pub why: Vec<Reason>,
    /// Replicas before and after; 0 where it is not there.
    pub replicas: (u32, u32),
}

/// What becomes of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Nothing changes.
    Same,
    /// It is new.
    Added,
    /// It leaves.
    Removed,
    /// Its instances stay, under other rules or in another number.
    Changed,
    /// New instances take the place of the old ones.
    Replaced,
}

impl Plan {
    /// From `old` to `new`. `running`: how many replicas services have now, where that differs from `old`
    /// (somebody scaled them).
    pub fn new(old: &Stack, new: &Stack, running: &BTreeMap<ServiceName, u32>) -> Self {
        let declared = secrets::declared([old, new]);
        let planned = |(name, change): (ServiceName, Change)| {
            let (before, after) = (old.service(name.as_str()), new.service(name.as_str()));
            let now = before.map_or(0, |service| running.get(&name).copied().unwrap_or(service.replicas));
            let replicas = (now, after.map_or(0, |service| service.replicas));
            let mut fields = match (&change, before, after) {
                (Change::InPlace(fields), ..) => fields.clone(),
                (Change::Replace, Some(before), Some(after)) => diff::in_place(before, after),
                _ => Vec::new(),
            };
            // What counts is how many there are, not what the old stack said.
            fields.retain(|field| *field != "replicas");
            let both = before.is_some() && after.is_some();
            if both && replicas.0 != replicas.1 {
                fields.insert(0, "replicas");
            }
            let why = match (&change, before, after) {
                (Change::Replace, Some(before), Some(after)) => reasons::between(before, after, &declared),
                _ => Vec::new(),
            };
            let fate = match change {
                Change::Added => Fate::Added,
                Change::Removed => Fate::Removed,
                Change::Replace => Fate::Replaced,
                Change::Same | Change::InPlace(_) if fields.is_empty() => Fate::Same,
                Change::Same | Change::InPlace(_) => Fate::Changed,
            };
            Planned { name, fate, fields, why, replicas }
        };
        let services: Vec<_> = diff::diff(old, new).into_iter().map(planned).collect();
        let order = steps::order(old, new, &services);
        let stack = if old.logging() == new.logging() { Vec::new() } else { vec!["logging"] };
        Self { stack, services, order }
    }

    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        self.stack.is_empty() && self.services.iter().all(|service| service.fate == Fate::Same)
    }
}
