//! Writes the footers of closed segments, so that a reader need not count their lines again.

use std::{
    fs,
    io::{self},
    os::unix::fs::FileExt as _,
    path::Path,
};

use super::{
    format::{ENTRY_LEN, Entry, HEADER_LEN, Kind, Open, Stem},
    segment::{Segment, Summary},
};

/// Line ends up to the end of a segment and lines unfinished there, given those before it.
pub(super) fn tally(dir: &Path, stem: Stem, n: u64, before: (u64, Open)) -> io::Result<(u64, Open)> {
    let (mut lines, mut open) = before;
    let Some(mut segment) = Segment::open(dir, stem, n)? else { return Ok(before) };
    let mut buf = Vec::new();
    let mut stderr = false;
    loop {
        let from = segment.end();
        let got = segment.fill(&mut buf)?;
        if got == 0 {
            return Ok((lines, open));
        }
        let mut at = 0;
        while at < got {
            let mut to = got;
            while let Some(entry) = segment.entries.front() {
                if entry.offset > from + at as u64 {
                    to = usize::try_from(entry.offset - from).unwrap_or(got).min(got);
                    break;
                }
                match entry.kind {
                    Kind::Stdout => stderr = false,
                    Kind::Stderr => stderr = true,
                    Kind::Gap(_) | Kind::Footer { .. } => {}
                }
                segment.entries.pop_front();
            }
            let section = &buf[at..to];
            lines += memchr::memchr_iter(b'\n', section).count() as u64;
            let unfinished = section.last() != Some(&b'\n');
            *(if stderr { &mut open.stderr } else { &mut open.stdout }) = unfinished;
            at = to;
        }
    }
}

/// Gives a closed segment its footer, if it has none, and returns what it says.
pub(super) fn seal(dir: &Path, stem: Stem, n: u64, before: (u64, Open)) -> io::Result<(u64, Open)> {
    if let Some(Summary { footer: Some(footer), .. }) = Summary::read(dir, stem, n)? {
        return Ok(footer);
    }
    let (lines, open) = tally(dir, stem, n, before)?;
    let Some(segment) = Segment::open(dir, stem, n)? else { return Ok((lines, open)) };
    let end = segment.begin + fs::metadata(dir.join(stem.log(n)))?.len();
    let idx = fs::OpenOptions::new().read(true).write(true).open(dir.join(stem.idx(n)))?;
    let entries = idx.metadata()?.len().saturating_sub(HEADER_LEN as u64) / ENTRY_LEN as u64;
    let at = HEADER_LEN as u64 + entries * ENTRY_LEN as u64;
    let mut last = [0; ENTRY_LEN];
    let has_last = entries > 0 && idx.read_exact_at(&mut last, at - ENTRY_LEN as u64).is_ok();
    let micros = has_last.then(|| Entry::decode(&last)).flatten().map_or(0, |e| e.micros);
    // Over a torn entry, if there is one.
    idx.write_all_at(&Entry { offset: end, micros, kind: Kind::Footer { lines, open } }.encode(), at)?;
    Ok((lines, open))
}
