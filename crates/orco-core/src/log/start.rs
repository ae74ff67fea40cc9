//! Where a reader begins.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    format::{Open, Stem},
    gone::Gone,
    index::{earliest_within, first_since},
    milestones::Milestones,
    seal::{Count, Until, count, tally},
    segment::{Summary, present},
};

/// Where a reader begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// At the first byte; what is gone is reported as dropped.
    #[default]
    Beginning,
    /// At the last so many line ends.
    Tail(u64),
    /// At the first line that ended at this Unix time (microseconds) or later.
    Since(u64),
    /// At the line of this number; what is gone from there on is reported as dropped.
    Line(u64),
}

/// A place to begin at, and what to skip from there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) n: u64,
    /// Where the segment begins.
    pub(super) offset: u64,
    /// Where in it to begin.
    pub(super) at: u64,
    /// The number of the first line from there.
    pub(super) seq: u64,
    pub(super) micros: u64,
    /// Lines whose beginning lies before.
    pub(super) open: Open,
    /// Lines before `seq` that were wanted and are gone.
    pub(super) dropped: u64,
    pub(super) skip_below_seq: u64,
    pub(super) skip_before: u64,
}

/// Finds the place in an instance's segments.
pub(super) fn place(dir: &Path, stem: Stem, start: Start) -> io::Result<Place> {
    let gone = Gone::read(dir, stem)?;
    let mut segments = Segments::read(dir, stem, gone, start)?;
    match start {
        Start::Beginning => segments.first(gone.lines),
        Start::Tail(lines) => segments.tail(lines),
        Start::Line(first) => segments.line(first),
        Start::Since(micros) => segments.since(micros),
    }
}

/// The earliest time among the last so many bytes that an instance wrote up to a time; 0 if there are no more than that.
pub(super) fn reach(dir: &Path, stem: Stem, bytes: u64, until: Option<u64>) -> io::Result<u64> {
    let gone = Gone::read(dir, stem)?;
    // A tail needs all segments.
    let Segments { list, .. } = Segments::read(dir, stem, gone, Start::Tail(0))?;
    let idx = |n: u64| present(File::open(dir.join(stem.idx(n))));
    let milestones = |segment: &Summary| Milestones::read(&dir.join(stem.log(segment.n)), segment.begin);
    let Some(last) = list.last() else { return Ok(0) };
    let length = present(fs::metadata(dir.join(stem.log(last.n))))?.map_or(0, |log| log.len());
    let mut end = last.begin + length;
    if let Some(after) = until.map(|until| until.saturating_add(1))
        && let Some(segment) = list.iter().find(|s| s.last_micros.is_some_and(|last| last >= after))
        && let Some(idx) = idx(segment.n)?
    {
        end = first_since(&idx, after, milestones(segment).entry_before_time(after))?.unwrap_or(end);
    }
    let from = end.saturating_sub(bytes);
    let index = list.partition_point(|segment| segment.begin <= from).saturating_sub(1);
    if index == 0 && list[0].begin >= from {
        return Ok(0);
    }
    let entry = milestones(&list[index]).entry_before(from);
    let here = idx(list[index].n)?.map(|idx| earliest_within(&idx, from, end, entry)).transpose()?.flatten();
    let later =
        list[index + 1..].iter().filter(|segment| segment.begin < end).filter_map(|segment| segment.first_micros);
    Ok(later.chain(here).min().unwrap_or(0))
}

/// What is left of an instance's segments.
struct Segments<'a> {
    dir: &'a Path,
    stem: Stem,
    gone: Gone,
    list: Vec<Summary>,
    /// For each segment as far as was asked: line ends before it and lines unfinished at its beginning.
    befores: Vec<(u64, Open)>,
}

impl<'a> Segments<'a> {
    fn read(dir: &'a Path, stem: Stem, gone: Gone, start: Start) -> io::Result<Self> {
        let mut list = Vec::new();
        // What is there now: a service that writes without end makes segments faster than they are counted.
        let there = |n: &u64| [stem.idx(*n), stem.log(*n)].iter().any(|f| dir.join(f).try_exists().unwrap_or(false));
        let end = match start {
            Start::Beginning => gone.next + 1,
            Start::Tail(_) | Start::Line(_) | Start::Since(_) => {
                (gone.next..).take_while(there).last().map_or(gone.next, |last| last + 1)
            }
        };
        for n in gone.next..end {
            let Some(summary) = Summary::read(dir, stem, n)? else { break };
            list.push(summary);
        }
        Ok(Self { dir, stem, gone, list, befores: vec![(gone.lines, gone.open)] })
    }

    /// Line ends before a segment and lines unfinished at its beginning.
    fn before(&mut self, index: usize) -> io::Result<(u64, Open)> {
        let mut last = (self.gone.lines, self.gone.open);
        for at in 0..=index {
            last = match (self.befores.get(at), at.checked_sub(1).and_then(|before| self.list.get(before))) {
                (Some(known), _) => *known,
                (None, Some(segment)) => {
                    let after = match segment.footer {
                        Some(footer) => footer,
                        None => tally(self.dir, self.stem, segment.n, last)?,
                    };
                    self.befores.push(after);
                    after
                }
                (None, None) => last,
            };
        }
        Ok(last)
    }

    fn count(&mut self, index: usize, until: Until) -> io::Result<Option<Count>> {
        let before = self.before(index)?;
        let Some(segment) = self.list.get(index) else { return Ok(None) };
        count(self.dir, self.stem, segment.n, before, until)
    }

    fn tail(&mut self, lines: u64) -> io::Result<Place> {
        let (total, _) = self.before(self.list.len())?;
        self.line(total.saturating_sub(lines))
    }

    fn line(&mut self, first: u64) -> io::Result<Place> {
        // The last one with no more line ends before it than are to be skipped.
        let mut index = self.list.len().saturating_sub(1);
        while index > 0 && self.before(index)?.0 > first {
            index -= 1;
        }
        let counted = self.count(index, Until { lines: first, ..Until::END })?;
        let place = self.whole(index, counted, self.gone.lines.saturating_sub(first))?;
        // Also where it is not there yet.
        Ok(Place { skip_below_seq: first, ..place })
    }

    fn since(&mut self, micros: u64) -> io::Result<Place> {
        let begun_before = self.list.first().is_some_and(|s| s.first_micros.is_none_or(|first| first <= micros));
        let dropped = if begun_before { 0 } else { self.gone.lines };
        let reaches = |s: &Summary| s.last_micros.is_some_and(|last| last >= micros);
        let index = self.list.iter().position(reaches).unwrap_or(self.list.len().saturating_sub(1));
        let Some(segment) = self.list.get(index).copied() else { return self.first(dropped) };
        let idx = present(File::open(self.dir.join(self.stem.idx(segment.n))))?;
        let offset = match idx {
            Some(idx) => {
                let milestones = Milestones::read(&self.dir.join(self.stem.log(segment.n)), segment.begin);
                first_since(&idx, micros, milestones.entry_before_time(micros))?.unwrap_or(u64::MAX)
            }
            // Its bytes have the time of their file.
            None if reaches(&segment) => segment.begin,
            None => u64::MAX,
        };
        let counted = self.count(index, Until { offset, ..Until::END })?;
        Ok(Place { skip_before: micros, ..self.whole(index, counted, dropped)? })
    }

    /// Back from what was counted to where the lines begin that are unfinished there, if that can be had cheaply: a line of
    /// a silent stream may begin much earlier and is then marked.
    fn whole(&mut self, index: usize, counted: Option<Count>, dropped: u64) -> io::Result<Place> {
        let (Some(count), Some(segment)) = (counted, self.list.get(index).copied()) else { return self.first(dropped) };
        let Count { offset, lines, open, heads } = count;
        let is_headless = |open: bool, stream: usize| open && heads[stream].is_none();
        if is_headless(open.stdout, 0) || is_headless(open.stderr, 1) {
            let place = self.back(index, dropped)?;
            return Ok(Place { skip_below_seq: lines, ..place });
        }
        let heads = heads.into_iter().flatten().map(|head| (head.offset, head.lines));
        let (at, seq) = heads.chain([(offset, lines)]).min().unwrap_or((offset, lines));
        let micros = segment.first_micros.unwrap_or(0);
        let place = Place { n: segment.n, offset: segment.begin, at, seq, micros, dropped, ..Place::default() };
        Ok(Place { skip_below_seq: lines, ..place })
    }

    /// The segment before this one in which a line has ended.
    fn back(&mut self, mut index: usize, dropped: u64) -> io::Result<Place> {
        let mut after = self.before(index)?;
        while index > 0 {
            index -= 1;
            let before = self.before(index)?;
            if before.0 < after.0 {
                break;
            }
            after = before;
        }
        self.begin(index, dropped)
    }

    fn first(&mut self, dropped: u64) -> io::Result<Place> {
        self.begin(0, dropped)
    }

    fn begin(&mut self, index: usize, dropped: u64) -> io::Result<Place> {
        let Some(segment) = self.list.get(index).copied() else {
            let Gone { lines, bytes, open, next } = self.gone;
            return Ok(Place { n: next, offset: bytes, at: bytes, seq: lines, open, dropped, ..Place::default() });
        };
        let (seq, open) = self.before(index)?;
        Ok(Place {
            n: segment.n,
            offset: segment.begin,
            at: segment.begin,
            seq,
            micros: segment.first_micros.unwrap_or(0),
            open,
            dropped,
            ..Place::default()
        })
    }
}
