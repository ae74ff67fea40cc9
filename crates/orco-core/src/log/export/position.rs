//! How far the export of an instance is.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::log::{Record, Source, format::Stem};

/// How far the export of one instance is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Position {
    /// The number of the next line.
    pub(super) next: u64,
    /// Notes of missing bytes that were written and stand before that line: they have no numbers of their own.
    pub(super) notes: u64,
}

/// By instance of one service.
pub(super) type Positions = BTreeMap<Stem, Position>;

/// What matters of a record here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) stem: Stem,
    seq: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Line,
    Dropped(u64),
    Note,
}

impl Mark {
    /// Of a record; `None`: it is of no instance.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let stem = Stem { replica: u32::try_from(record.replica).ok()?, run: record.run };
        Some(Self { stem, seq: record.seq, kind: Kind::of(record.source == Source::System, record.dropped) })
    }

    /// Of a line of an export; `None`: it is none of ours.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(line).ok()?;
        let number = |key: &str| value.get(key).and_then(Value::as_u64);
        let small = |key: &str| number(key).and_then(|n| u32::try_from(n).ok());
        let stem = Stem { replica: small("replica")?, run: small("run")? };
        let system = value.get("source")?.as_str()? == Source::System.as_str();
        Some(Self { stem, seq: number("seq")?, kind: Kind::of(system, number("dropped")) })
    }

    /// Where the export is with this record in it.
    pub(super) const fn after(self, before: Position) -> Position {
        match self.kind {
            Kind::Line => Position { next: self.seq + 1, notes: 0 },
            Kind::Dropped(lines) => Position { next: self.seq + lines, notes: 0 },
            Kind::Note if before.next == self.seq => Position { notes: before.notes + 1, ..before },
            Kind::Note => Position { next: self.seq, notes: 1 },
        }
    }

    /// Whether an export at this position has it. `again`: notes before the next line that were met since it was opened.
    pub(super) const fn is_in(self, at: Position, again: &mut u64) -> bool {
        match self.kind {
            Kind::Line => self.seq < at.next,
            Kind::Dropped(lines) => self.seq + lines <= at.next,
            Kind::Note if self.seq == at.next => {
                *again += 1;
                *again <= at.notes
            }
            Kind::Note => self.seq < at.next,
        }
    }
}

impl Kind {
    const fn of(system: bool, dropped: Option<u64>) -> Self {
        match (system, dropped) {
            (_, Some(lines)) => Self::Dropped(lines),
            (true, None) => Self::Note,
            (false, None) => Self::Line,
        }
    }
}
