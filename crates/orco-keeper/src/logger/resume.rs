//! Where an instance's output stands that another keeper has written.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{ErrorKind, Read},
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::Path,
};

use orco_core::log::{
    Gone,
    format::{self, Entry, Kind, Stem},
};

use super::segment::{Segment, path};

/// Where the next byte goes.
#[derive(Debug)]
pub(super) struct Standing {
    /// The segment to go on with; `None`: the next one is to be made.
    pub(super) segment: Option<Segment>,
    /// The number of the segment after it.
    pub(super) next_segment: u32,
    /// Bytes in all segments, those that are gone included.
    pub(super) total: u64,
    /// A segment that is full, and that nobody has closed with a footer.
    pub(super) full: Option<u32>,
}

/// Looks at what is there. What cannot be gone on with is left as it is: the next segment begins behind it.
pub(super) fn find(dir: &[u8], stem: &[u8], limit: u64) -> Standing {
    let gone = gone(dir, stem);
    let Some(last) = last(dir, stem) else {
        return Standing { segment: None, next_segment: gone.0, total: gone.1, full: None };
    };
    let length = fs::metadata(path(dir, stem, last, "log")).map(|data| data.len());
    let begin = begin(dir, stem, last).unwrap_or_else(|| end_before(dir, stem, last, gone));
    let fresh = |number: u32, total: u64| Standing { segment: None, next_segment: number, total, full: None };
    let length = match length {
        Ok(length) => length,
        // The index is made first: of this segment there is nothing else yet, and it is made again.
        Err(error) if error.kind() == ErrorKind::NotFound => return fresh(last, begin),
        Err(_) => return fresh(last + 1, begin),
    };
    let total = begin + length;
    if is_sealed(dir, stem, last) {
        return fresh(last + 1, total);
    }
    // Its index is the engine's from now on, who may be about to write the footer.
    if length >= limit {
        return Standing { full: Some(last), ..fresh(last + 1, total) };
    }
    // A machine that went down kept entries and lost their bytes: other bytes at these offsets are not theirs.
    if last_entry(dir, stem, last).is_some_and(|entry| entry.offset > total) {
        return fresh(last + 1, total);
    }
    match Segment::reopen(dir, stem, last) {
        Ok(segment) => Standing { segment: Some(segment), next_segment: last + 1, total, full: None },
        // Data without an index is not ours; an empty file may be made again.
        Err(_) if length == 0 => fresh(last, begin),
        Err(_) => fresh(last + 1, total),
    }
}

/// The number of the newest segment of which there is any file.
fn last(dir: &[u8], stem: &[u8]) -> Option<u32> {
    let entries = fs::read_dir(OsStr::from_bytes(dir)).ok()?;
    let number = |name: &[u8]| {
        let rest = name.strip_prefix(stem)?.strip_prefix(b".")?;
        let digits = rest.strip_suffix(b".log").or_else(|| rest.strip_suffix(b".idx"))?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    entries.flatten().filter_map(|entry| number(entry.file_name().as_bytes())).max()
}

/// The offset at which a segment begins, by its own header.
fn begin(dir: &[u8], stem: &[u8], number: u32) -> Option<u64> {
    let mut header = [0; format::HEADER_LEN];
    File::open(path(dir, stem, number, "idx")).ok()?.read_exact(&mut header).ok()?;
    format::decode_header(&header)
}

/// The offset at which the segments before this one end.
fn end_before(dir: &[u8], stem: &[u8], number: u32, gone: (u32, u64)) -> u64 {
    let mut length = 0;
    for before in (gone.0..number).rev() {
        length += fs::metadata(path(dir, stem, before, "log")).map_or(0, |data| data.len());
        if let Some(begin) = begin(dir, stem, before) {
            return begin + length;
        }
    }
    gone.1 + length
}

fn is_sealed(dir: &[u8], stem: &[u8], number: u32) -> bool {
    last_entry(dir, stem, number).is_some_and(|entry| matches!(entry.kind, Kind::Footer { .. }))
}

/// The last whole entry of a segment's index.
fn last_entry(dir: &[u8], stem: &[u8], number: u32) -> Option<Entry> {
    let index = File::open(path(dir, stem, number, "idx")).ok()?;
    let entries = index.metadata().ok()?.len().checked_sub(format::HEADER_LEN as u64)? / format::ENTRY_LEN as u64;
    let mut last = [0; format::ENTRY_LEN];
    let at = format::HEADER_LEN as u64 + entries.checked_sub(1)? * format::ENTRY_LEN as u64;
    index.read_exact_at(&mut last, at).ok()?;
    Entry::decode(&last)
}

/// The number of the first segment that retention has left, and the offset at which it begins.
fn gone(dir: &[u8], stem: &[u8]) -> (u32, u64) {
    let stem = std::str::from_utf8(stem).ok().and_then(Stem::parse);
    let gone = stem.and_then(|stem| Gone::read(Path::new(OsStr::from_bytes(dir)), stem).ok()).unwrap_or_default();
    (u32::try_from(gone.next).unwrap_or(u32::MAX), gone.bytes)
}
