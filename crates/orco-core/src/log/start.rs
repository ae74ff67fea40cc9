//! Where a reader begins.

use std::{io, path::Path};

use super::{
    format::{Open, Stem},
    gone::Gone,
    seal::tally,
    segment::Summary,
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

/// A place to begin at: always the beginning of a segment, and what to skip from there.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) n: u64,
    pub(super) offset: u64,
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
    let segments = Segments::read(dir, stem, gone, start)?;
    Ok(match start {
        Start::Beginning => segments.at(0, gone.lines),
        Start::Tail(lines) => {
            let first = segments.total.saturating_sub(lines);
            let index = segments.lines_before.partition_point(|&before| before <= first).saturating_sub(1);
            let wanted_of_gone = gone.lines.saturating_sub(first);
            Place { skip_below_seq: first, ..segments.at(segments.back(index), wanted_of_gone) }
        }
        Start::Line(first) => {
            let index = segments.lines_before.partition_point(|&before| before <= first).saturating_sub(1);
            let wanted_of_gone = gone.lines.saturating_sub(first);
            Place { skip_below_seq: first, ..segments.at(segments.back(index), wanted_of_gone) }
        }
        Start::Since(micros) => {
            let begun = |s: &Summary| s.first_micros.is_some_and(|first| first <= micros);
            match segments.list.iter().rposition(begun) {
                Some(index) => Place { skip_before: micros, ..segments.at(segments.back(index), 0) },
                None => Place { skip_before: micros, ..segments.at(0, gone.lines) },
            }
        }
    })
}

/// What is left of an instance's segments, with line counts.
struct Segments {
    gone: Gone,
    list: Vec<Summary>,
    /// For each segment: line ends before it.
    lines_before: Vec<u64>,
    /// For each segment: lines unfinished at its beginning.
    open_before: Vec<Open>,
    total: u64,
}

impl Segments {
    fn read(dir: &Path, stem: Stem, gone: Gone, start: Start) -> io::Result<Self> {
        let mut this =
            Self { gone, list: Vec::new(), lines_before: Vec::new(), open_before: Vec::new(), total: gone.lines };
        let mut open = gone.open;
        let all = start != Start::Beginning;
        // What is there now: a service that writes without end makes segments faster than they are counted.
        let there = |n: &u64| dir.join(stem.idx(*n)).try_exists().unwrap_or(false);
        let end = (gone.next..).take_while(there).last().map_or(gone.next, |last| last + 1);
        for n in gone.next..end {
            let Some(summary) = Summary::read(dir, stem, n)? else { break };
            this.lines_before.push(this.total);
            this.open_before.push(open);
            this.list.push(summary);
            if !all {
                break;
            }
            (this.total, open) = match summary.footer {
                Some(footer) => footer,
                None => tally(dir, stem, summary.n, (this.total, open))?,
            };
        }
        Ok(this)
    }

    /// The last segment from which on every line that ends in segment `index` is read whole, if that can
    /// be had cheaply: a line of a silent stream may begin much earlier and is then marked.
    fn back(&self, mut index: usize) -> usize {
        if self.open_before.get(index).is_some_and(|open| *open != Open::default()) {
            while index > 0 {
                index -= 1;
                if self.lines_before[index] < self.lines_before[index + 1] {
                    break;
                }
            }
        }
        index
    }

    fn at(&self, index: usize, dropped: u64) -> Place {
        let Some(segment) = self.list.get(index) else {
            let Gone { lines, bytes, open, next } = self.gone;
            return Place { n: next, offset: bytes, seq: lines, open, dropped, ..Place::default() };
        };
        Place {
            n: segment.n,
            offset: segment.begin,
            seq: self.lines_before[index],
            micros: segment.first_micros.unwrap_or(0),
            open: self.open_before[index],
            dropped,
            ..Place::default()
        }
    }
}
