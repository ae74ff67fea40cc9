//! Which of the held records are shown: those that pass the level filter, as their numbers in order.

use std::collections::VecDeque;

use super::ring::Id;

/// Sorted numbers.
#[derive(Debug, Default)]
pub struct Shown(VecDeque<Id>);

impl Shown {
    /// All of these, which must come in order.
    pub fn of(ids: impl Iterator<Item = Id>) -> Self {
        Self(ids.collect())
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds or takes off one.
    pub fn set(&mut self, id: Id, shown: bool) {
        let at = self.rank(id);
        let is = self.0.get(at) == Some(&id);
        match (is, shown) {
            (false, true) if at == self.0.len() => self.0.push_back(id),
            (false, true) => self.0.insert(at, id),
            (true, false) => {
                self.0.remove(at);
            }
            (true, true) | (false, false) => {}
        }
    }

    /// Forgets those that are not held any more.
    pub fn drop_before(&mut self, first: Id) {
        while self.0.front().is_some_and(|id| *id < first) {
            self.0.pop_front();
        }
    }

    /// How many are before this one.
    pub fn rank(&self, id: Id) -> usize {
        if self.0.back().is_none_or(|last| *last < id) { self.0.len() } else { self.0.partition_point(|i| *i < id) }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn first(&self) -> Option<Id> {
        self.0.front().copied()
    }

    pub fn last(&self) -> Option<Id> {
        self.0.back().copied()
    }

    /// The nearest that is not before this one.
    pub fn at_or_after(&self, id: Id) -> Option<Id> {
        self.0.get(self.rank(id)).copied()
    }

    pub fn after(&self, id: Id) -> Option<Id> {
        self.at_or_after(id.saturating_add(1))
    }

    pub fn before(&self, id: Id) -> Option<Id> {
        self.rank(id).checked_sub(1).and_then(|at| self.0.get(at).copied())
    }

    /// Those from one to another, both included.
    pub fn range(&self, from: Id, to: Id) -> impl Iterator<Item = Id> + '_ {
        let from = self.rank(from);
        let to = self.rank(to.saturating_add(1)).max(from);
        self.0.range(from..to).copied()
    }

    pub fn contains(&self, id: Id) -> bool {
        self.at_or_after(id) == Some(id)
    }
}
