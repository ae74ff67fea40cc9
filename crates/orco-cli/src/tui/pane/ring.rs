//! What is held: the newest records, bounded in number and bytes.

use std::collections::{BTreeMap, VecDeque};

use orco_api::wire::{LogRecord, Source};

use super::held::Held;
use crate::tui::text::{fit, width};

/// The number of a record in the order of arrival. It stays the same while others come and go.
pub type Id = u64;

/// Where a line stands that is not complete yet, by instance and by whether it goes to stdout: each stream of an instance
/// has one at most, and what comes next from there is the same line.
type Unfinished = BTreeMap<(u32, i32, u32, bool), Id>;

/// The newest records.
#[derive(Debug, Default)]
pub struct Ring {
    held: VecDeque<Held>,
    /// The number of the first.
    first: Id,
    bytes: usize,
    names: Vec<String>,
    by_name: BTreeMap<String, u32>,
    unfinished: Unfinished,
    most_lines: usize,
    most_bytes: usize,
    /// Columns of the widest label.
    widest: u16,
    /// The highest number of a replica.
    replica: i32,
}

/// Where a record went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pushed {
    /// To the end.
    New(Id),
    /// To the place of the beginning of the same line.
    Instead(Id),
}

impl Ring {
    /// An empty one. It always holds one line, however long.
    pub fn new(most_lines: usize, most_bytes: usize) -> Self {
        Self { most_lines: most_lines.max(1), most_bytes, ..Self::default() }
    }

    /// Forgets all; numbers go on.
    pub fn clear(&mut self) {
        *self = Self { first: self.end(), ..Self::new(self.most_lines, self.most_bytes) };
    }

    /// Stores a record.
    pub fn push(&mut self, record: LogRecord) -> Pushed {
        let name = self.number(&record.service);
        let held = Held::new(record, name);
        let stream = |out| (held.name, held.replica, held.run, out);
        self.replica = self.replica.max(held.replica);
        self.bytes += held.cost();
        let (partial, own) = (held.partial, stream(held.source == Source::Stdout));
        if held.source == Source::System {
            // Lines are missing: nobody knows how those that have begun go on.
            for out in [true, false] {
                self.unfinished.remove(&stream(out));
            }
        } else if let Some(id) = self.unfinished.get(&own).copied() {
            if !partial {
                self.unfinished.remove(&own);
            }
            if let Some(old) = id.checked_sub(self.first).and_then(|at| self.held.get_mut(usize::try_from(at).ok()?)) {
                self.bytes -= old.cost();
                *old = held;
                self.trim();
                return Pushed::Instead(id);
            }
        }
        let id = self.end();
        if partial {
            self.unfinished.insert(own, id);
        }
        self.held.push_back(held);
        self.trim();
        Pushed::New(id)
    }

    /// Lets the oldest go until the limits hold.
    fn trim(&mut self) {
        while self.held.len() > 1 && (self.held.len() > self.most_lines || self.bytes > self.most_bytes) {
            let Some(gone) = self.held.pop_front() else { return };
            self.bytes -= gone.cost();
            self.first += 1;
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.widest = self.widest.max(u16::try_from(width(&fit(name, 100))).unwrap_or(u16::MAX));
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), number);
        number
    }

    /// The record of this number, if it is held.
    pub fn get(&self, id: Id) -> Option<&Held> {
        self.held.get(usize::try_from(id.checked_sub(self.first)?).ok()?)
    }

    /// The service's name.
    pub fn name(&self, held: &Held) -> &str {
        self.names.get(held.name as usize).map_or("", String::as_str)
    }

    /// Columns of the widest `name/replica`.
    pub fn widest_name(&self) -> u16 {
        self.widest + self.widest_replica()
    }

    /// Columns of the widest `/replica`.
    pub fn widest_replica(&self) -> u16 {
        2 + self.replica.unsigned_abs().checked_ilog10().map_or(0, |digits| digits as u16)
    }

    /// Whether there is more than one replica.
    pub const fn has_replicas(&self) -> bool {
        self.replica > 0
    }

    /// The number of the oldest.
    pub const fn first(&self) -> Id {
        self.first
    }

    /// The number that the next one gets.
    pub fn end(&self) -> Id {
        self.first + self.held.len() as u64
    }

    /// How many names are known.
    #[cfg(test)]
    pub const fn names(&self) -> usize {
        self.names.len()
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Bytes they take.
    #[cfg(test)]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}
