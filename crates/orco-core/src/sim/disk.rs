//! The journal of a simulated engine, on a disk that fails on demand.

use super::{Chance, Failing};
use crate::journal::{
    Change, Journal, OpenError,
    memory::{EIO, ENOSPC, Fault, Memory},
};

/// Under this key each batch has its number.
const BATCH: &str = "simulator/batch";

/// A journal and its disk.
#[derive(Debug)]
pub(super) struct Disk {
    journal: Journal<Memory>,
    /// The number of the last batch.
    batch: u64,
}

impl Disk {
    /// An empty one.
    pub(super) fn new() -> Result<Self, OpenError> {
        Ok(Self { journal: Journal::open(Memory::new())?, batch: 0 })
    }

    /// The number of the last batch.
    pub(super) const fn batch(&self) -> u64 {
        self.batch
    }

    /// Everything that is remembered.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.journal.entries().iter().map(|(key, value)| (&**key, &**value)).filter(|(key, _)| *key != BATCH)
    }

    /// Writes a batch. False: it is not in the file.
    pub(super) fn append(&mut self, mut changes: Vec<Change>) -> bool {
        if !changes.is_empty() {
            self.batch += 1;
            changes.push(Change::set(BATCH, self.batch.to_le_bytes().to_vec()));
        }
        self.journal.append(&changes).is_ok()
    }

    /// Makes all of it durable. False: it is not.
    pub(super) fn sync(&mut self) -> bool {
        self.journal.sync().is_ok()
    }

    /// The process dies in the middle of writing this.
    pub(super) fn tear(&mut self, changes: Vec<Change>) {
        self.journal.medium_mut().fail(1, Fault::Errno(EIO));
        // Half of it is there; nobody hears of it any more.
        let _ = self.append(changes);
    }

    /// The disk begins to fail, or works again.
    pub(super) const fn fail(&mut self, how: Option<Failing>) {
        let errno = match how {
            Some(Failing::Full) => Some(ENOSPC),
            Some(Failing::Broken) => Some(EIO),
            Some(Failing::Sync) | None => None,
        };
        self.journal.medium_mut().break_with(errno);
    }

    /// A sync fails now, if there is anything to sync.
    pub(super) fn fail_sync(&mut self) {
        self.journal.medium_mut().break_with(Some(EIO));
        // What became of it shows at the next write.
        let _ = self.sync();
        self.journal.medium_mut().break_with(None);
    }

    /// The process has died, or (`cut`) the machine: the journal as the next engine finds it.
    pub(super) fn reopen(self, cut: Option<&mut Chance>) -> Result<Self, OpenError> {
        let mut medium = self.journal.into_medium();
        match cut {
            Some(chance) => medium.power_cut(&mut chance.next()),
            None => medium.crash(),
        }
        let journal = Journal::open(medium)?;
        let batch = journal.entries().get(BATCH).and_then(|value| value.first_chunk()).copied();
        Ok(Self { journal, batch: batch.map_or(0, u64::from_le_bytes) })
    }
}
