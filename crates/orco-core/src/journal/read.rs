//! What does a file say, and how much of it is to be believed?

use std::collections::BTreeMap;

use memchr::memmem;

use super::format::{Frame, HEADER_LEN, Header, MARKER, NoHeader, size};

/// Keys and their values.
pub type Entries = BTreeMap<Box<str>, Box<[u8]>>;

/// A tail that was never wholly written, and is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Where it began.
    pub offset: u64,
    /// How long it was.
    pub bytes: u64,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) entries: Entries,
    /// The bytes that the entries take in a frame.
    pub(super) live: u64,
    pub(super) generation: u64,
    /// Of the last frame.
    pub(super) sequence: u64,
    /// Up to here all was durable once.
    pub(super) synced: u64,
    /// Of the last frame.
    pub(super) checksum: u32,
    /// Where the last frame ends.
    pub(super) end: u64,
    pub(super) cut: Option<Cut>,
}

/// Why a file is not believed.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Refused {
    Version(u8),
    Corrupt { offset: u64, why: &'static str },
}

const fn corrupt(offset: usize, why: &'static str) -> Refused {
    Refused::Corrupt { offset: offset as u64, why }
}

/// Sets or takes out a key, and keeps the sum of what the entries take.
pub(super) fn apply(entries: &mut Entries, live: &mut u64, key: &str, value: Option<&[u8]>) {
    let before = match (entries.get_mut(key), value) {
        (Some(held), Some(value)) => Some(std::mem::replace(held, value.into())),
        (None, Some(value)) => entries.insert(key.into(), value.into()),
        (Some(_), None) => entries.remove(key),
        (None, None) => None,
    };
    *live -= before.map_or(0, |before| size(key, &before));
    *live += value.map_or(0, |value| size(key, value));
}

/// Reads the whole file. `None`: it is empty, and a journal begins.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Found>, Refused> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (header, checksum) = match Header::decode(bytes) {
        Ok(header) => header,
        Err(NoHeader::Version(theirs)) => return Err(Refused::Version(theirs)),
        // Not even one that is too short is a beginning: files get their name when they are durable, so this one was
        // longer.
        Err(NoHeader::Damaged) => return Err(corrupt(0, "the header is damaged")),
    };
    let mut found = Found {
        entries: Entries::new(),
        live: 0,
        generation: header.generation,
        sequence: 0,
        synced: 0,
        checksum,
        end: HEADER_LEN as u64,
        cut: None,
    };
    let mut at = HEADER_LEN;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match next(rest, &found, at == HEADER_LEN) {
            Ok(frame) => {
                found.take(&frame, at)?;
                at += frame.len();
                found.end = at as u64;
            }
            // What was durable before the file had its name was never torn.
            Err(why) if found.end < header.settled => return Err(corrupt(at, why)),
            Err(why) => {
                judge_tail(bytes, at, found.sequence + 1, why)?;
                found.cut = Some(Cut { offset: at as u64, bytes: rest.len() as u64 });
                break;
            }
        }
    }
    if found.end < header.settled {
        return Err(corrupt(at, "the file is cut off"));
    }
    Ok(Some(found))
}

/// The frame that comes now, if it is whole and the next one.
fn next<'a>(rest: &'a [u8], found: &Found, is_first: bool) -> Result<Frame<'a>, &'static str> {
    let frame = Frame::decode(rest)?;
    if frame.previous != found.checksum || !is_first && frame.sequence != found.sequence + 1 {
        return Err("the frame does not follow the one before it");
    }
    Ok(frame)
}

impl Found {
    fn take(&mut self, frame: &Frame<'_>, at: usize) -> Result<(), Refused> {
        for change in frame.changes() {
            // The checksum is right, so this was written so.
            let Some((key, value)) = change else { return Err(corrupt(at, "the frame's content makes no sense")) };
            apply(&mut self.entries, &mut self.live, key, value);
        }
        self.sequence = frame.sequence;
        self.synced = self.synced.max(frame.synced);
        self.checksum = frame.checksum;
        Ok(())
    }
}

/// The smallest piece of a file that a disk keeps or loses as a whole, in bytes.
const SECTOR: usize = 512;

/// The frame at `at` is not whole. Is that the end of what was ever written, or is history missing?
///
/// If no later frame is whole, this is a torn tail. If one is, it is still one when a power cut kept later pages of
/// what was not synced and lost earlier ones: then no later frame says that this one was durable, and the loss shows
/// as zeros up to the end of a sector, which no damaged frame does.
fn judge_tail(bytes: &[u8], at: usize, expected: u64, why: &'static str) -> Result<(), Refused> {
    let later = later(bytes, at, expected).map_err(|why| corrupt(at, why))?;
    let Some(first) = later.first else { return Ok(()) };
    if later.synced < expected && has_hole(&bytes[..first], at) {
        return Ok(());
    }
    Err(corrupt(at, why))
}

/// So many zeros in a row are in no frame, whose numbers are small and whose texts have none.
const ZEROS: usize = 16;

/// Whether a sector that ends after `at` ends in zeros: all of it behind `at`, or many.
fn has_hole(bytes: &[u8], at: usize) -> bool {
    let mut from = at;
    while let Some(sector) = bytes.get(from..(from / SECTOR + 1) * SECTOR) {
        if sector[sector.len().saturating_sub(ZEROS)..].iter().all(|byte| *byte == 0) {
            return true;
        }
        from += sector.len();
    }
    false
}

#[derive(Default)]
struct Later {
    /// Where the first whole frame is.
    first: Option<usize>,
    /// The highest mark of all of them.
    synced: u64,
}

/// Looks for whole frames of this sequence or later ones, wherever they begin. Older ones are what a file system may
/// leave in a reused block.
fn later(bytes: &[u8], at: usize, expected: u64) -> Result<Later, &'static str> {
    let finder = memmem::Finder::new(&MARKER);
    let mut later = Later::default();
    // Each candidate may claim to reach to the end: a limit keeps the time linear.
    let mut budget = bytes.len().saturating_mul(16);
    let mut from = at;
    while let Some(found) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
        from += found;
        let rest = &bytes[from..];
        match Frame::decode(rest) {
            Ok(frame) => {
                if frame.sequence >= expected {
                    later.first.get_or_insert(from);
                    later.synced = later.synced.max(frame.synced);
                }
                from += frame.len();
            }
            Err(_) => {
                budget = budget.checked_sub(claimed(rest)).ok_or("too much in it only looks like frames")?;
                from += MARKER.len();
            }
        }
    }
    Ok(later)
}

/// How many bytes were looked at for what seemed to be a frame.
fn claimed(rest: &[u8]) -> usize {
    let length = rest.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |length| u32::from_le_bytes(*length));
    usize::try_from(length).ok().filter(|length| *length <= rest.len()).unwrap_or(0)
}
