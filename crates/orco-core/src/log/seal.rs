//! Counts lines, and writes the footers of closed segments, so that a reader need not count them again.

use std::{
    fs::{self},
    io::{self},
    os::unix::fs::FileExt as _,
    path::Path,
};

use super::{
    damage::mend,
    format::{ENTRY_LEN, Entry, HEADER_LEN, Kind, Open, Stem},
    segment::{Segment, Summary, present},
};

/// Where an unfinished line begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) offset: u64,
    /// Line ends before it, of both streams.
    pub(super) lines: u64,
}

/// What was counted up to an offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) offset: u64,
    /// Line ends.
    pub(super) lines: u64,
    /// Lines that are unfinished there.
    pub(super) open: Open,
    /// Where those of stdout and stderr begin; `None` of an open one: before the segment.
    pub(super) heads: [Option<Head>; 2],
}

/// Where counting stops, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    /// At this offset.
    pub(super) offset: u64,
    /// When there are so many line ends.
    pub(super) lines: u64,
}

impl Until {
    pub(super) const END: Self = Self { offset: u64::MAX, lines: u64::MAX };
}

impl Count {
    /// Takes bytes of one stream in; true if enough lines have ended.
    fn take(&mut self, stderr: bool, section: &[u8], enough: u64) -> bool {
        let mut section = section;
        let mut ends = memchr::memchr_iter(b'\n', section).count() as u64;
        let done = ends > 0 && self.lines + ends >= enough;
        if done {
            ends = enough.saturating_sub(self.lines).max(1);
            let nth = usize::try_from(ends - 1).unwrap_or(usize::MAX);
            let end = memchr::memchr_iter(b'\n', section).nth(nth).unwrap_or(section.len() - 1);
            section = &section[..=end];
        }
        let from = self.offset;
        self.offset += section.len() as u64;
        self.lines += ends;
        let open = if stderr { &mut self.open.stderr } else { &mut self.open.stdout };
        let head = &mut self.heads[usize::from(stderr)];
        match memchr::memrchr(b'\n', section) {
            Some(last) => {
                *open = last + 1 < section.len();
                *head = open.then_some(Head { offset: from + last as u64 + 1, lines: self.lines });
            }
            None if *open => {}
            None => {
                *open = true;
                *head = Some(Head { offset: from, lines: self.lines });
            }
        }
        done
    }
}

/// Counts the lines of a segment, given those before it. `None`: there is no such segment.
pub(super) fn count(
    dir: &Path,
    stem: Stem,
    n: u64,
    (lines, open): (u64, Open),
    until: Until,
) -> io::Result<Option<Count>> {
    let Some(mut segment) = Segment::open(dir, stem, n)? else { return Ok(None) };
    let mut count = Count { offset: segment.begin, lines, open, heads: [None, None] };
    let mut buf = Vec::new();
    let mut stderr = false;
    // Who has enough already stops here.
    if lines >= until.lines {
        return Ok(Some(count));
    }
    while count.offset < until.offset {
        let from = segment.end();
        let got = segment.fill(&mut buf)?;
        if got == 0 {
            break;
        }
        let got = usize::try_from(until.offset - from).unwrap_or(usize::MAX).min(got);
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
            if count.take(stderr, &buf[at..to], until.lines) {
                return Ok(Some(count));
            }
            at = to;
        }
    }
    Ok(Some(count))
}

/// Line ends up to the end of a segment and lines unfinished there, given those before it.
pub(super) fn tally(dir: &Path, stem: Stem, n: u64, before: (u64, Open)) -> io::Result<(u64, Open)> {
    let counted = count(dir, stem, n, before, Until::END)?;
    Ok(counted.map_or(before, |count| (count.lines, count.open)))
}

/// Gives a closed segment its footer, if it has none, and returns what it says.
pub(super) fn seal(dir: &Path, stem: Stem, n: u64, before: (u64, Open)) -> io::Result<(u64, Open)> {
    let Some(summary) = Summary::read(dir, stem, n)? else { return Ok(before) };
    if let Some(footer) = summary.footer {
        return Ok(footer);
    }
    let (lines, open) = tally(dir, stem, n, before)?;
    mend(dir, stem, n)?;
    let Some(log) = present(fs::metadata(dir.join(stem.log(n))))? else { return Ok((lines, open)) };
    let end = summary.begin + log.len();
    let idx = fs::OpenOptions::new().read(true).write(true).open(dir.join(stem.idx(n)))?;
    let entries = idx.metadata()?.len().saturating_sub(HEADER_LEN as u64) / ENTRY_LEN as u64;
    // Over a torn entry, if there is one.
    let at = HEADER_LEN as u64 + entries * ENTRY_LEN as u64;
    let micros = summary.last_micros.unwrap_or(0);
    idx.write_all_at(&Entry { offset: end, micros, kind: Kind::Footer { lines, open } }.encode(), at)?;
    Ok((lines, open))
}
