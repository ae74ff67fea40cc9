//! What can be known of a segment whose index was lost: a machine that goes down may keep a file's bytes and lose the
//! index that was written before them, or keep its length and lose what was in it.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use super::{
    format::{ENTRY_LEN, Entry, HEADER_LEN, Kind, Stem, decode_header, encode_header},
    gone::Gone,
    milestones,
    segment::{present, read_full},
    side,
};

/// The offset that an index's header says, if it has one. A zero in a later segment is what was not written.
pub(super) fn header(idx: &File, n: u64) -> io::Result<Option<u64>> {
    let mut header = [0; HEADER_LEN];
    let got = read_full(idx, &mut header, 0)?;
    Ok(decode_header(&header[..got]).filter(|begin| *begin > 0 || n == 0))
}

/// The offset at which a segment begins whose index does not say: where what is before it ends.
pub(super) fn begin_of(dir: &Path, stem: Stem, n: u64) -> io::Result<u64> {
    let gone = Gone::read(dir, stem)?;
    let mut after = 0;
    for before in (gone.next..n).rev() {
        let Some(log) = present(fs::metadata(dir.join(stem.log(before))))? else { continue };
        after += log.len();
        let idx = present(File::open(dir.join(stem.idx(before))))?;
        if let Some(begin) = idx.map(|idx| header(&idx, before)).transpose()?.flatten() {
            return Ok(begin + after);
        }
    }
    Ok(gone.bytes + after)
}

/// Stands for entries that are lost: all bytes are taken for stdout, of the time when the last of them came.
pub(super) fn substitute(log: &Metadata, begin: u64) -> Entry {
    let seconds = u64::try_from(log.mtime()).unwrap_or(0);
    let micros = seconds * 1_000_000 + u64::try_from(log.mtime_nsec()).unwrap_or(0) / 1000;
    Entry { offset: begin, micros, kind: Kind::Stdout }
}

/// Whether an entry can follow another in an index: what a machine that went down left of entries is mostly zeros.
pub(super) const fn follows(entry: &Entry, last: Option<u64>) -> bool {
    match last {
        None => true,
        Some(last) => entry.offset >= last && (entry.micros > 0 || matches!(entry.kind, Kind::Footer { .. })),
    }
}

/// The last entry of an index that is one, and how many there are up to it.
pub(super) fn last_entry(idx: &File) -> io::Result<Option<Entry>> {
    const CHUNK: u64 = 128;
    let mut end = idx.metadata()?.len().saturating_sub(HEADER_LEN as u64) / ENTRY_LEN as u64;
    let mut bytes = vec![0; ENTRY_LEN];
    while end > 0 {
        let from = end.saturating_sub(bytes.len() as u64 / ENTRY_LEN as u64);
        let wanted = usize::try_from(end - from).unwrap_or(0) * ENTRY_LEN;
        let got = read_full(idx, &mut bytes[..wanted], HEADER_LEN as u64 + from * ENTRY_LEN as u64)?;
        let is_one = |(at, entry): (usize, &[u8])| {
            let is_first = from == 0 && at == 0;
            (is_first || entry.iter().any(|byte| *byte != 0)).then(|| Entry::decode(entry)).flatten()
        };
        let whole = bytes[..got].chunks_exact(ENTRY_LEN).enumerate();
        if let Some(entry) = whole.rev().find_map(is_one) {
            return Ok(Some(entry));
        }
        end = from;
        bytes.resize(ENTRY_LEN * CHUNK as usize, 0);
    }
    Ok(None)
}

/// Gives a closed segment without an index another one.
pub(super) fn mend(dir: &Path, stem: Stem, n: u64) -> io::Result<()> {
    let idx = present(File::open(dir.join(stem.idx(n))))?;
    let Some(log) = present(fs::metadata(dir.join(stem.log(n))))? else { return Ok(()) };
    if idx.map(|idx| header(&idx, n)).transpose()?.flatten().is_some() {
        return Ok(());
    }
    // It names entries of the lost one.
    milestones::remove(dir, stem, n)?;
    let begin = begin_of(dir, stem, n)?;
    let mut bytes = encode_header(begin).to_vec();
    bytes.extend(substitute(&log, begin).encode());
    side::replace(&dir.join(stem.idx(n)), &bytes)
}
