//! Walks an index: from which entry on something holds.

use std::{fs::File, io};

use super::{
    damage::follows,
    format::{ENTRY_LEN, Entry, HEADER_LEN, Kind},
    segment::read_full,
};

/// Entries read at once.
const CHUNK: usize = 512;

/// The entries of an index from one of them on, without footers.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    idx: &'a File,
    bytes: Vec<u8>,
    pos: usize,
    /// How many entries of the file come before the next one.
    number: u64,
    last: Option<u64>,
}

impl<'a> Entries<'a> {
    /// From the entry of this number on.
    pub(super) const fn from(idx: &'a File, number: u64) -> Self {
        Self { idx, bytes: Vec::new(), pos: 0, number, last: None }
    }

    /// The next one and its number; `None`: there is none (yet).
    pub(super) fn advance(&mut self) -> io::Result<Option<(u64, Entry)>> {
        loop {
            if self.pos == self.bytes.len() && !self.fill()? {
                return Ok(None);
            }
            let (number, entry) = (self.number, Entry::decode(&self.bytes[self.pos..]));
            self.pos += ENTRY_LEN;
            self.number += 1;
            let Some(entry) = entry.filter(|entry| follows(entry, self.last)) else { continue };
            self.last = Some(entry.offset);
            if !matches!(entry.kind, Kind::Footer { .. }) {
                return Ok(Some((number, entry)));
            }
        }
    }

    fn fill(&mut self) -> io::Result<bool> {
        self.bytes.resize(ENTRY_LEN * CHUNK, 0);
        let at = HEADER_LEN as u64 + self.number * ENTRY_LEN as u64;
        let got = read_full(self.idx, &mut self.bytes, at)? / ENTRY_LEN * ENTRY_LEN;
        self.bytes.truncate(got);
        self.pos = 0;
        Ok(got > 0)
    }
}

/// The first offset at which an entry of this time or a later one stands; those before `number` are earlier.
pub(super) fn first_since(idx: &File, micros: u64, number: u64) -> io::Result<Option<u64>> {
    let mut entries = Entries::from(idx, number);
    while let Some((_, entry)) = entries.advance()? {
        if entry.micros >= micros {
            return Ok(Some(entry.offset));
        }
    }
    Ok(None)
}

/// The earliest time among the bytes of a segment from an offset on and before another; the entry of this `number`
/// stands at the first one or before.
pub(super) fn earliest_within(idx: &File, offset: u64, end: u64, number: u64) -> io::Result<Option<u64>> {
    let mut entries = Entries::from(idx, number);
    let mut earliest = None;
    while let Some((_, entry)) = entries.advance()? {
        earliest = match earliest {
            Some(_) if entry.offset >= end => break,
            Some(earliest) if entry.offset > offset => Some(entry.micros.min(earliest)),
            _ => Some(entry.micros),
        };
    }
    Ok(earliest)
}
