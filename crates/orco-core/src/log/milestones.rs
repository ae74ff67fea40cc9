//! `STEM.N.map`: milestones in a segment, so that who begins in its midst need not count the lines before.
//!
//! Made from the segment by who seals it, also while it grows, and deleted with it. Nothing depends on it: where it is
//! not there or damaged, readers count. All numbers are little-endian:
//!
//! ```text
//! header     8 bytes  magic "ORCOMAP1"
//!            u64      offset, within the instance's output, of the segment's first byte
//!            u64      bytes from milestone to milestone; the first one stands so many bytes behind the segment's begin
//! milestone  u64      offset within the instance's output
//!            u64      line ends before it in this segment
//!            u64      number of the last stream entry of the index that has a lower offset
//!            u64      the latest time of the entries before that one, 0 if there are none
//!            2 × u64  where the unfinished line of stdout begins: offset, and line ends before that in this segment
//!            2 × u64  that of stderr
//!            u8       streams with an unfinished line, as in a footer
//!            u8       streams whose unfinished line begins in this segment: of others both numbers are 0
//!            2 bytes  0
//!            u32      FNV-1a hash of the bytes before
//! ```

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    format::{Kind, Open, Stem, hash, number},
    index::Entries,
    seal::{Count, Counting, Head, Until},
    segment::{Segment, present},
};

/// Bytes from milestone to milestone: a lookup counts no more than that per instance, and what they take of a segment of
/// the usual size is one block of the disk.
pub(super) const STEP: u64 = 512 << 10;

const MAGIC: [u8; 8] = *b"ORCOMAP1";
const HEADER_LEN: usize = 24;
const LEN: usize = 72;

/// What is known at an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Milestone {
    /// What was counted from the segment's beginning up to here.
    pub(super) count: Count,
    /// The number of the last stream entry with a lower offset.
    pub(super) entry: u64,
    /// The latest time of the entries before that one.
    latest: u64,
}

impl Milestone {
    fn encode(&self) -> [u8; LEN] {
        let Count { offset, lines, open, heads } = self.count;
        let [out, err] = heads.map(|head| head.map_or([0, 0], |head| [head.offset, head.lines]));
        let numbers = [offset, lines, self.entry, self.latest, out[0], out[1], err[0], err[1]];
        let mut bytes = [0; LEN];
        for (into, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            into.copy_from_slice(&number.to_le_bytes());
        }
        bytes[64] = open.bits();
        bytes[65] = Open { stdout: heads[0].is_some(), stderr: heads[1].is_some() }.bits();
        let check = hash(&bytes[..LEN - 4]);
        bytes[LEN - 4..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != LEN || bytes[LEN - 4..] != hash(&bytes[..LEN - 4]).to_le_bytes() {
            return None;
        }
        let at = |n: usize| number(&bytes[n * 8..]);
        let begun = Open::from_bits(bytes[65]);
        let head = |is: bool, n: usize| is.then(|| Head { offset: at(n), lines: at(n + 1) });
        let heads = [head(begun.stdout, 4), head(begun.stderr, 6)];
        let count = Count { offset: at(0), lines: at(1), open: Open::from_bits(bytes[64]), heads };
        Some(Self { count, entry: at(2), latest: at(3) })
    }
}

/// A segment's milestones, by offset.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Milestones {
    step: u64,
    list: Vec<Milestone>,
}

impl Milestones {
    /// Those of the segment that has its bytes in this file; none where they cannot be read.
    pub(super) fn read(log: &Path, begin: u64) -> Self {
        let Ok(bytes) = fs::read(path(log)) else { return Self::default() };
        let Some((header, rest)) = bytes.split_at_checked(HEADER_LEN) else { return Self::default() };
        let step = number(&header[16..]);
        if header[..8] != MAGIC || number(&header[8..]) != begin || step == 0 {
            return Self::default();
        }
        // A machine that went down may have kept them, and not the bytes that they are about.
        let end = begin.saturating_add(fs::metadata(log).map_or(0, |log| log.len()));
        let places = (1..).map(|n: u64| begin.saturating_add(n.saturating_mul(step)));
        let list = rest.chunks_exact(LEN).map(Milestone::decode).zip(places).map_while(|(milestone, place)| {
            milestone.filter(|milestone| milestone.count.offset == place && place <= end)
        });
        Self { step, list: list.collect() }
    }

    /// The last one that is not beyond what is to be counted, in a segment with so many lines before it.
    pub(super) fn before(&self, until: Until, lines: u64) -> Option<&Milestone> {
        let is_before = |m: &Milestone| m.count.offset <= until.offset && lines + m.count.lines < until.lines;
        self.list[..self.list.partition_point(is_before)].last()
    }

    /// The number of an entry before which all are of earlier times.
    pub(super) fn entry_before_time(&self, micros: u64) -> u64 {
        self.list[..self.list.partition_point(|m| m.latest < micros)].last().map_or(0, |m| m.entry)
    }

    /// The number of a stream entry that stands at this offset or before.
    pub(super) fn entry_before(&self, offset: u64) -> u64 {
        self.before(Until { offset, ..Until::END }, 0).map_or(0, |m| m.entry)
    }
}

/// The file beside a segment's bytes.
fn path(log: &Path) -> PathBuf {
    log.with_extension("map")
}

/// Whether the file of this length says all that can be said of a segment of so many bytes, which may be rounded up to
/// whole blocks of the disk.
pub(super) const fn is_complete(length: u64, segment: u64) -> bool {
    length >= HEADER_LEN as u64 + segment.saturating_sub(1) / STEP * LEN as u64
}

/// Removes what is said of a segment.
pub(super) fn remove(dir: &Path, stem: Stem, n: u64) -> io::Result<()> {
    present(fs::remove_file(dir.join(stem.map(n)))).map(|_| ())
}

/// Adds the milestones that are missing up to where the segment ends now. `open`: what is unfinished at its beginning.
pub(super) fn extend(dir: &Path, stem: Stem, n: u64, open: Open, step: u64) -> io::Result<()> {
    let log = dir.join(stem.log(n));
    let Some(segment) = Segment::open(dir, stem, n)? else { return Ok(()) };
    let Some(length) = present(fs::metadata(&log))?.map(|log| log.len()) else { return Ok(()) };
    let Some(idx) = present(fs::File::open(dir.join(stem.idx(n))))?.filter(|_| segment.has_index()) else {
        return Ok(());
    };
    let begin = segment.begin;
    let mut known = segment.milestones();
    if known.step != step {
        known = Milestones { step, list: Vec::new() };
    }
    let before = known.list.len();
    let mut counting = Counting::from(segment, (0, open), known.list.last())?;
    for place in (before as u64 + 1..=length.saturating_sub(1) / step).map(|n| begin + n * step) {
        counting.to(Until { offset: place, ..Until::END })?;
        if counting.count.offset < place {
            break;
        }
        known.list.push(Milestone { count: counting.count, entry: 0, latest: 0 });
    }
    if known.list.len() > before {
        find_entries(&idx, &mut known.list, before)?;
        write(&path(&log), begin, &known, before)?;
    }
    Ok(())
}

/// Looks for the entries that belong to the milestones from `first` on.
fn find_entries(idx: &fs::File, list: &mut [Milestone], first: usize) -> io::Result<()> {
    let (known, news) = list.split_at_mut(first);
    let mut standing = known.last().map_or((0, 0), |m| (m.entry, m.latest));
    let mut latest = standing.1;
    let mut entries = Entries::from(idx, standing.0);
    let mut news = news.iter_mut().peekable();
    while let Some((number, entry)) = entries.advance()? {
        while let Some(milestone) = news.next_if(|milestone| milestone.count.offset <= entry.offset) {
            (milestone.entry, milestone.latest) = standing;
        }
        if news.peek().is_none() {
            return Ok(());
        }
        if matches!(entry.kind, Kind::Stdout | Kind::Stderr) {
            standing = (number, latest);
        }
        latest = latest.max(entry.micros);
    }
    for milestone in news {
        (milestone.entry, milestone.latest) = standing;
    }
    Ok(())
}

/// Appends the milestones from `first` on, or begins anew.
fn write(path: &Path, begin: u64, milestones: &Milestones, first: usize) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let mut bytes = Vec::new();
    if first == 0 {
        bytes.write_all(&MAGIC)?;
        bytes.write_all(&begin.to_le_bytes())?;
        bytes.write_all(&milestones.step.to_le_bytes())?;
    }
    for milestone in &milestones.list[first..] {
        bytes.write_all(&milestone.encode())?;
    }
    let at = if first == 0 { 0 } else { HEADER_LEN + first * LEN };
    let file = fs::OpenOptions::new().write(true).create(true).truncate(first == 0).mode(0o600).open(path)?;
    file.write_all_at(&bytes, at as u64)
}
