//! How many rows records have, for as long as nothing changes that: a key lays out the same few records several times.

use std::collections::BTreeMap;

use super::ring::Id;

/// More are never seen at once.
const MOST: usize = 1_024;

/// Rows of records.
#[derive(Debug, Default)]
pub struct Heights {
    rows: BTreeMap<Id, usize>,
    /// What they are right for: the width, and whether records are shown raw.
    right_for: (usize, bool),
}

impl Heights {
    /// The rows of a record: `count` if they are not known.
    pub fn of(&mut self, id: Id, now: (usize, bool), count: impl FnOnce() -> usize) -> usize {
        if self.right_for != now || self.rows.len() >= MOST {
            self.rows.clear();
            self.right_for = now;
        }
        *self.rows.entry(id).or_insert_with(count)
    }

    /// Forgets one that has changed.
    pub fn forget(&mut self, id: Id) {
        self.rows.remove(&id);
    }
}
