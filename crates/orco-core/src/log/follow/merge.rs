//! Takes lines from the lanes in the order of time.

use std::{cmp::Reverse, io};

use super::{Follower, Lane, More, State};
use crate::log::{
    line::{Line, dropped_text},
    record::{Origin, Source},
};

/// Lines looked at per line asked for, so that a call ends though nothing matches.
const LOOKS_PER_LINE: usize = 64;

/// Text given at once: lines may be long, and a batch of them lies in memory; one that fits into a processor's cache
/// is made and sent faster.
const BYTES: usize = 256 << 10;
/// What a record takes beside its text, about.
const OVERHEAD: usize = 128;

/// How much a call may still do.
struct Allowance {
    lines: usize,
    bytes: usize,
    looks: usize,
}

/// How far a lane was read.
enum Drained {
    /// To its end, for now or for ever.
    Behind,
    /// To a line of this time: another lane's comes first.
    At(u64),
    /// As far as it is allowed; its next line is of this time.
    Enough(u64),
}

/// Leaves out what lies before a tail.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::log) struct Beyond {
    /// Lines still to be left out.
    pub(in crate::log) skip: u64,
    /// Lines that were missing when they were counted: they are not among them. More are missing now where retention
    /// was faster than the reader.
    pub(in crate::log) known: u64,
}

impl Beyond {
    /// The line, if it is of the tail; of one that says that lines are missing only those of the tail, told in `text`.
    fn line<'a>(&mut self, line: Line<'a>, text: &'a mut String) -> Option<Line<'a>> {
        if self.skip == 0 {
            return Some(line);
        }
        let Some(missing) = line.dropped else {
            self.skip -= 1;
            return None;
        };
        let known = missing.min(self.known);
        self.known -= known;
        let before = (missing - known).min(self.skip);
        self.skip -= before;
        let of_tail = missing - known - before;
        *text = dropped_text(of_tail);
        let line = Line { seq: line.seq + known + before, dropped: Some(of_tail), bytes: text.as_bytes(), ..line };
        (of_tail > 0).then_some(line)
    }
}

impl Follower {
    pub(super) fn merge(&mut self, limit: usize, deliver: &mut dyn FnMut(&Origin, &Line<'_>)) -> io::Result<More> {
        let mut left = Allowance { lines: limit, bytes: BYTES, looks: limit.saturating_mul(LOOKS_PER_LINE) };
        while let Some(Reverse((_, index))) = self.ready.pop() {
            // The next line of the same instance often comes before all others: then the heap is left alone.
            let until = self.ready.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
            match self.drain(index, until, &mut left, deliver)? {
                Drained::Behind => {}
                Drained::At(at) => self.ready.push(Reverse((at, index))),
                Drained::Enough(at) => {
                    self.ready.push(Reverse((at, index)));
                    return Ok(More::Now);
                }
            }
        }
        let over = self.lanes.iter().all(|lane| matches!(lane.state, State::Over));
        Ok(if over { More::Never } else { More::Later })
    }

    /// Delivers a lane's lines as long as they are not after `until`. The lane is not in `ready`.
    fn drain(
        &mut self,
        index: usize,
        until: u64,
        left: &mut Allowance,
        deliver: &mut dyn FnMut(&Origin, &Line<'_>),
    ) -> io::Result<Drained> {
        let mask = self.lanes[index].mask(&self.masks);
        loop {
            let lane = &self.lanes[index];
            if let State::Line(cursor) = &lane.state
                && let Some(line) = cursor.line()
            {
                // What is missing was written before, whenever it is found out.
                let is_late = |end: Option<u64>| line.dropped.is_none() && end.is_some_and(|end| line.ts > end);
                let is_over = line.source != Source::System && is_late(self.query.until);
                if is_over || (lane.is_live && is_late(self.end)) {
                    // It has nothing more for this reader.
                    self.lanes[index].state = State::Over;
                    return Ok(Drained::Behind);
                }
                if left.lines == 0 || left.bytes == 0 || left.looks == 0 {
                    return Ok(Drained::Enough(line.ts));
                }
                if line.ts > until {
                    return Ok(Drained::At(line.ts));
                }
                left.looks -= 1;
                let line = match &mask {
                    Some(mask) => mask.line(&line, &mut self.masked),
                    None => line,
                };
                if self.query.matches(&line) {
                    let mut text = String::new();
                    if let Some(line) = self.beyond.line(line, &mut text) {
                        left.lines -= 1;
                        left.bytes = left.bytes.saturating_sub(line.bytes.len() + OVERHEAD);
                        deliver(&lane.origin, &line);
                    }
                }
            }
            match self.step(index) {
                Ok(true) => {}
                Ok(false) => return Ok(Drained::Behind),
                Err(error) => return Err(error),
            }
        }
    }

    /// What has come of lines that have no end yet, and was not given before. No files are read.
    pub fn unfinished(&mut self, mut deliver: impl FnMut(&Origin, &Line<'_>), is_due: impl Fn(&Origin) -> bool) {
        let Self { lanes, query, masks, .. } = self;
        for lane in lanes {
            // The beginning of a secret cannot be told from other text: where there are secrets, only whole lines are shown.
            let is_open = lane.mask(masks).is_none() && is_due(&lane.origin);
            if let State::Idle(cursor) = &mut lane.state
                && is_open
                && cursor.has_unfinished()
            {
                cursor.unfinished(|origin, line| {
                    if query.matches(line) {
                        deliver(origin, line);
                    }
                });
            }
        }
    }

    /// The instances of which [`unfinished`](Self::unfinished) has something to give.
    pub fn with_unfinished(&self) -> impl Iterator<Item = &Origin> {
        let is_fresh = |lane: &&Lane| matches!(&lane.state, State::Idle(cursor) if cursor.has_unfinished());
        self.lanes.iter().filter(is_fresh).map(|lane| &lane.origin)
    }
}
