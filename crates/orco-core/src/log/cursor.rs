//! Reads one instance's output, line by line.

mod fill;

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    format::{Kind, Open, Stem},
    line::{Line, MAX_LINE_BYTES, Step, dropped_text},
    parse,
    partial::{Partial, cut_at},
    record::{Origin, Record, Source},
    segment::Segment,
    start::{Place, Start, place},
};

/// Reads one instance's output. Goes on where it stopped whenever there is more.
///
/// Every line is delivered once or counted as dropped, `seq` has no holes beside the counted ones, and
/// stdout and stderr do not mix however they interleave. No file is held open while there is nothing
/// to read.
#[derive(Debug)]
pub struct Cursor {
    origin: Origin,
    dir: PathBuf,
    stem: Stem,
    max: usize,
    ended: bool,
    segment: Option<Segment>,
    next: u64,
    /// The offset of the first byte that has not been read.
    offset: u64,
    buf: Vec<u8>,
    pos: usize,
    /// Up to here in `buf` the stream and time are the current ones.
    section_end: usize,
    stderr: bool,
    micros: u64,
    partials: [Partial; 2],
    /// The partial lines that have not been flushed at the end.
    flushed: usize,
    seq: u64,
    skip_below_seq: u64,
    skip_before: u64,
    /// Where to begin in the segment of this number.
    seek: Option<(u64, u64)>,
    system: VecDeque<System>,
    current: Current,
}

#[derive(Debug)]
struct System {
    text: String,
    dropped: Option<u64>,
    seq: u64,
    ts: u64,
}

#[derive(Debug)]
enum Current {
    Nothing,
    Buffered { range: Range<usize>, cut: Option<u64>, stderr: bool, seq: u64, ts: u64 },
    Joined { cut: Option<u64>, stderr: bool, seq: u64, ts: u64 },
    System(System),
}

impl Cursor {
    /// A reader of the instance whose service has its logs in `dir`. The files need not exist yet.
    ///
    /// # Errors
    /// When files that exist cannot be read.
    pub fn open(dir: &Path, origin: Origin, start: Start) -> io::Result<Self> {
        let stem = Stem { replica: origin.replica, run: origin.run };
        Ok(Self::open_at(dir, origin, place(dir, stem, start)?))
    }

    /// At a place that was found before.
    pub(super) fn open_at(dir: &Path, origin: Origin, place: Place) -> Self {
        let stem = Stem { replica: origin.replica, run: origin.run };
        let mut cursor = Self {
            origin,
            dir: dir.to_owned(),
            stem,
            max: MAX_LINE_BYTES,
            ended: false,
            segment: None,
            next: place.n,
            offset: place.offset,
            buf: Vec::new(),
            pos: 0,
            section_end: 0,
            stderr: false,
            micros: place.micros,
            partials: Default::default(),
            flushed: 0,
            seq: place.seq,
            skip_below_seq: place.skip_below_seq,
            skip_before: place.skip_before,
            seek: (place.at > place.offset).then_some((place.n, place.at)),
            system: VecDeque::new(),
            current: Current::Nothing,
        };
        cursor.behead(place.open);
        if place.dropped > 0 {
            cursor.report_dropped(place.seq.saturating_sub(place.dropped), place.dropped);
        }
        cursor
    }

    /// Cuts lines at this length instead of [`MAX_LINE_BYTES`].
    #[must_use]
    pub const fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.max = bytes;
        self
    }

    /// Says that the instance is over and all its output is in the files: a last line without an end
    /// is then a line too, and after it comes [`Step::End`].
    pub const fn set_ended(&mut self) {
        self.ended = true;
    }

    /// Whose output it is.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many bytes of the output lie behind it.
    pub const fn read_bytes(&self) -> u64 {
        self.offset
    }

    /// Goes to the next line.
    ///
    /// # Errors
    /// When the files cannot be read; it may be tried again.
    pub fn advance(&mut self) -> io::Result<Step> {
        loop {
            self.drop_current();
            match self.step()? {
                Step::Line if self.is_skipped() => {}
                step => {
                    if !matches!(self.current, Current::Nothing | Current::System(_)) {
                        // From here on all: a clock may be set back.
                        self.skip_before = 0;
                    }
                    return Ok(step);
                }
            }
        }
    }

    /// The line that the last [`advance`](Self::advance) came to.
    pub fn line(&self) -> Option<Line<'_>> {
        let source = |stderr: bool| if stderr { Source::Stderr } else { Source::Stdout };
        Some(match &self.current {
            Current::Nothing => return None,
            Current::Buffered { range, cut, stderr, seq, ts } => Line {
                ts: *ts,
                source: source(*stderr),
                seq: *seq,
                bytes: &self.buf[range.clone()],
                cut: *cut,
                dropped: None,
                partial: false,
            },
            Current::Joined { cut, stderr, seq, ts } => Line {
                ts: *ts,
                source: source(*stderr),
                seq: *seq,
                bytes: self.partials[usize::from(*stderr)].text(),
                cut: *cut,
                dropped: None,
                partial: false,
            },
            Current::System(system) => Line {
                ts: system.ts,
                source: Source::System,
                seq: system.seq,
                bytes: system.text.as_bytes(),
                cut: None,
                dropped: system.dropped,
                partial: false,
            },
        })
    }

    /// Whether [`unfinished`](Self::unfinished) has something to give.
    pub fn has_unfinished(&self) -> bool {
        self.partials.iter().any(Partial::is_fresh)
    }

    /// What has come of lines that have no end yet, at most one per stream; each only if more of it has come since
    /// the last call.
    pub fn unfinished(&mut self, mut deliver: impl FnMut(&Origin, &Line<'_>)) {
        let mut seq = self.seq;
        for (partial, source) in self.partials.iter_mut().zip([Source::Stdout, Source::Stderr]) {
            let is_pending = !partial.is_empty();
            if let Some(bytes) = partial.show() {
                let line = Line { ts: self.micros, source, seq, bytes, cut: None, dropped: None, partial: true };
                deliver(&self.origin, &line);
            }
            // As they are numbered if both end now.
            seq += u64::from(is_pending);
        }
    }

    /// The next lines as records, at most `limit`. Empty: nothing now, or the end.
    ///
    /// # Errors
    /// When the files cannot be read and there is nothing to return.
    pub fn batch(&mut self, limit: usize) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        while records.len() < limit {
            match self.advance() {
                Ok(Step::Line) => records.extend(self.line().map(|line| parse::record(&self.origin, &line))),
                Ok(Step::Idle | Step::End) => break,
                Err(error) if records.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(records)
    }

    fn drop_current(&mut self) {
        if let Current::Joined { stderr, .. } = self.current {
            self.partials[usize::from(stderr)].behead(false);
        }
        self.current = Current::Nothing;
    }

    fn is_skipped(&self) -> bool {
        match self.current {
            Current::Nothing | Current::System(_) => false,
            Current::Buffered { seq, ts, .. } | Current::Joined { seq, ts, .. } => {
                seq < self.skip_below_seq || ts < self.skip_before
            }
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        loop {
            if let Some(system) = self.system.pop_front() {
                self.current = Current::System(system);
                return Ok(Step::Line);
            }
            if self.pos < self.section_end {
                if self.split() {
                    return Ok(Step::Line);
                }
            } else if self.pos < self.buf.len() || self.gap_is_due() {
                self.begin_section();
            } else {
                match self.fill()? {
                    Step::Line => {}
                    // On the way there it may have found that lines are gone: that is told first.
                    Step::Idle | Step::End if !self.system.is_empty() => {}
                    Step::Idle => return Ok(Step::Idle),
                    Step::End => return Ok(self.flush()),
                }
            }
        }
    }

    /// Finds the next end of line in the section, or puts its rest aside.
    fn split(&mut self) -> bool {
        let (from, to) = (self.pos, self.section_end);
        let partial = &mut self.partials[usize::from(self.stderr)];
        let Some(len) = memchr::memchr(b'\n', &self.buf[from..to]) else {
            partial.push(&self.buf[from..to], self.max);
            self.pos = to;
            return false;
        };
        self.pos = from + len + 1;
        let (stderr, seq, ts) = (self.stderr, self.seq, self.micros);
        self.seq += 1;
        self.current = if partial.is_empty() {
            let mut end = from + len;
            if self.buf[from..end].last() == Some(&b'\r') {
                end -= 1;
            }
            let kept = from + cut_at(&self.buf[from..end], self.max);
            let cut = (kept < end).then_some((end - kept) as u64);
            Current::Buffered { range: from..kept, cut, stderr, seq, ts }
        } else {
            partial.push(&self.buf[from..from + len], self.max);
            Current::Joined { cut: partial.finish(self.max), stderr, seq, ts }
        };
        true
    }

    /// Whether lost bytes are to be reported before the next byte.
    fn gap_is_due(&self) -> bool {
        let next = self.segment.as_ref().and_then(|s| s.entries.front());
        next.is_some_and(|e| matches!(e.kind, Kind::Gap(_)) && e.offset <= self.offset)
    }

    /// Applies the entries that begin here and finds where the next one begins.
    fn begin_section(&mut self) {
        let Some(segment) = &mut self.segment else {
            self.section_end = self.buf.len();
            return;
        };
        let base = segment.end() - self.buf.len() as u64;
        let here = base + self.pos as u64;
        while let Some(entry) = segment.entries.front().copied() {
            if entry.offset > here {
                let to = usize::try_from(entry.offset - base).unwrap_or(usize::MAX);
                self.section_end = to.min(self.buf.len());
                return;
            }
            segment.entries.pop_front();
            match entry.kind {
                Kind::Stdout => (self.stderr, self.micros) = (false, entry.micros),
                Kind::Stderr => (self.stderr, self.micros) = (true, entry.micros),
                Kind::Gap(bytes) => {
                    self.micros = entry.micros;
                    self.report_gap(bytes);
                    return;
                }
                Kind::Footer { .. } => {}
            }
        }
        self.section_end = self.buf.len();
    }

    fn report_gap(&mut self, bytes: u64) {
        for partial in &mut self.partials {
            partial.tear(bytes);
        }
        let text = format!("{bytes} bytes of output could not be stored");
        self.system.push_back(System { text, dropped: None, seq: self.seq, ts: self.micros });
    }

    fn report_dropped(&mut self, seq: u64, dropped: u64) {
        let text = dropped_text(dropped);
        self.system.push_back(System { text, dropped: Some(dropped), seq, ts: self.micros });
    }

    fn behead(&mut self, open: Open) {
        self.partials[0].behead(open.stdout);
        self.partials[1].behead(open.stderr);
    }

    /// At the end: unfinished lines are lines too.
    fn flush(&mut self) -> Step {
        while let Some(partial) = self.partials.get_mut(self.flushed) {
            let stderr = self.flushed == 1;
            self.flushed += 1;
            if !partial.is_empty() {
                let cut = partial.finish(self.max);
                self.current = Current::Joined { cut, stderr, seq: self.seq, ts: self.micros };
                self.seq += 1;
                return Step::Line;
            }
        }
        self.buf = Vec::new();
        Step::End
    }
}
