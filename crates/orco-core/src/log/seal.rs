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
    milestones::Milestone,
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// The same where so many more lines have ended before.
    fn after(self, lines: u64) -> Self {
        let heads = self.heads.map(|head| head.map(|head| Head { lines: lines + head.lines, ..head }));
        Self { lines: lines + self.lines, heads, ..self }
    }

    /// Takes bytes of one stream in, up to where enough lines have ended.
    fn take(&mut self, stderr: bool, section: &[u8], enough: u64) {
        let mut section = section;
        let mut ends = memchr::memchr_iter(b'\n', section).count() as u64;
        if ends > 0 && self.lines + ends >= enough {
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
    }
}

/// Counts in a segment from place to place.
#[derive(Debug)]
pub(super) struct Counting {
    segment: Segment,
    pub(super) count: Count,
    /// What was read last, and how much of it is counted.
    buf: Vec<u8>,
    at: usize,
    stderr: bool,
}

impl Counting {
    /// From a milestone on, or from the segment's beginning, given the lines before the segment. It was just opened.
    pub(super) fn from(mut segment: Segment, (lines, open): (u64, Open), from: Option<&Milestone>) -> io::Result<Self> {
        let (count, stderr) = match from {
            Some(milestone) => {
                let (stderr, _) = segment.seek_from(milestone.count.offset, milestone.entry)?;
                (milestone.count.after(lines), stderr)
            }
            None => (Count { offset: segment.begin, lines, open, heads: [None, None] }, false),
        };
        Ok(Self { segment, count, buf: Vec::new(), at: 0, stderr })
    }

    /// Goes on to a place, or to the segment's end.
    pub(super) fn to(&mut self, until: Until) -> io::Result<()> {
        while self.count.offset < until.offset && self.count.lines < until.lines {
            if self.at == self.buf.len() {
                self.at = 0;
                if self.segment.fill(&mut self.buf)? == 0 {
                    return Ok(());
                }
            }
            let here = self.count.offset;
            let mut next = until.offset;
            while let Some(entry) = self.segment.entries.front() {
                if entry.offset > here {
                    next = next.min(entry.offset);
                    break;
                }
                match entry.kind {
                    Kind::Stdout => self.stderr = false,
                    Kind::Stderr => self.stderr = true,
                    Kind::Gap(_) | Kind::Footer { .. } => {}
                }
                self.segment.entries.pop_front();
            }
            let rest = &self.buf[self.at..];
            let length = usize::try_from(next - here).unwrap_or(usize::MAX).min(rest.len());
            self.count.take(self.stderr, &rest[..length], until.lines);
            self.at += usize::try_from(self.count.offset - here).unwrap_or(length);
        }
        Ok(())
    }
}

/// Counts the lines of a segment, given those before it. `None`: there is no such segment.
pub(super) fn count(dir: &Path, stem: Stem, n: u64, before: (u64, Open), until: Until) -> io::Result<Option<Count>> {
    let Some(segment) = Segment::open(dir, stem, n)? else { return Ok(None) };
    let milestones = segment.milestones();
    let mut counting = Counting::from(segment, before, milestones.before(until, before.0))?;
    counting.to(until)?;
    Ok(Some(counting.count))
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
