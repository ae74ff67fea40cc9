//! Reads one instance's output, line by line.

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    format::{Kind, Open, Stem},
    gone::Gone,
    parse,
    partial::{Partial, cut_at},
    record::{Origin, Record, Source},
    segment::{Segment, Summary},
    start::{Start, place},
};

/// Lines longer than this are cut, unless told otherwise.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// A line as it lies in the reader's buffer: nothing is copied or decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Line<'a> {
    /// Microseconds since the Unix epoch: the arrival of its end.
    pub ts: u64,
    /// Where it came from.
    pub source: Source,
    /// Its number within the instance; for a `dropped` line the number of the first missing one.
    pub seq: u64,
    /// The text without its end of line.
    pub bytes: &'a [u8],
    /// Bytes that are missing of it; see [`Record::cut`].
    pub cut: Option<u64>,
    /// On lines of Orco itself: how many lines are missing here.
    pub dropped: Option<u64>,
}

/// What came of an attempt to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Step {
    /// There is a line.
    Line,
    /// Nothing more now.
    Idle,
    /// Nothing more ever.
    End,
}

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
        let place = place(dir, stem, start)?;
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
            system: VecDeque::new(),
            current: Current::Nothing,
        };
        cursor.behead(place.open);
        if place.dropped > 0 {
            cursor.report_dropped(place.seq - place.dropped, place.dropped);
        }
        Ok(cursor)
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
                step => return Ok(step),
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
            },
            Current::Joined { cut, stderr, seq, ts } => Line {
                ts: *ts,
                source: source(*stderr),
                seq: *seq,
                bytes: self.partials[usize::from(*stderr)].text(),
                cut: *cut,
                dropped: None,
            },
            Current::System(system) => Line {
                ts: system.ts,
                source: Source::System,
                seq: system.seq,
                bytes: system.text.as_bytes(),
                cut: None,
                dropped: system.dropped,
            },
        })
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
        let text = format!("{dropped} lines dropped: the log went over its size");
        self.system.push_back(System { text, dropped: Some(dropped), seq, ts: self.micros });
    }

    fn behead(&mut self, open: Open) {
        self.partials[0].behead(open.stdout);
        self.partials[1].behead(open.stderr);
    }

    /// Brings the next bytes into the buffer, or says that there are none.
    fn fill(&mut self) -> io::Result<Step> {
        loop {
            let Some(segment) = &mut self.segment else {
                match self.open_next()? {
                    Step::Line => continue,
                    step => return Ok(step),
                }
            };
            (self.pos, self.section_end) = (0, 0);
            match segment.fill(&mut self.buf) {
                Ok(0) => {}
                Ok(_) => {
                    self.offset = segment.end();
                    return Ok(Step::Line);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if self.jump()? {
                        return Ok(Step::Line);
                    }
                    return Ok(if self.ended { Step::End } else { Step::Idle });
                }
                Err(error) => return Err(error),
            }
            if segment.closed || self.ended {
                segment.load_entries()?;
                if self.gap_is_due() {
                    return Ok(Step::Line);
                }
            }
            if self.pass_on()? {
                continue;
            }
            return Ok(if self.ended { Step::End } else { Step::Idle });
        }
    }

    /// At the end of what is in the segment: turns to the next one if there is one. False: this is the
    /// last.
    fn pass_on(&mut self) -> io::Result<bool> {
        let Some(segment) = &mut self.segment else { return Ok(false) };
        if segment.closed {
            self.next = segment.n + 1;
            self.segment = None;
            return Ok(true);
        }
        // What was written before the next segment appeared must still be read: hence once more.
        segment.closed = self.dir.join(self.stem.idx(segment.n + 1)).try_exists()?;
        if segment.closed {
            return Ok(true);
        }
        segment.release();
        self.jump()
    }

    /// Opens the segment that follows. `Line`: go on.
    fn open_next(&mut self) -> io::Result<Step> {
        if let Some(segment) = Segment::open(&self.dir, self.stem, self.next)? {
            if segment.begin > self.offset {
                // Whoever wrote it lost something in between, and knew how much.
                self.report_gap(segment.begin - self.offset);
            }
            self.offset = segment.begin;
            self.segment = Some(segment);
            self.buf.clear();
            (self.pos, self.section_end) = (0, 0);
            return Ok(Step::Line);
        }
        if self.jump()? {
            return Ok(Step::Line);
        }
        Ok(if self.ended { Step::End } else { Step::Idle })
    }

    /// Goes to what is left, if retention has passed by, and reports what was missed.
    fn jump(&mut self) -> io::Result<bool> {
        let gone = Gone::read(&self.dir, self.stem)?;
        if gone.bytes <= self.offset && gone.lines <= self.seq {
            return Ok(false);
        }
        if let Some(Summary { first_micros: Some(micros), .. }) = Summary::read(&self.dir, self.stem, gone.next)? {
            self.micros = micros;
        }
        let from = self.seq.max(self.skip_below_seq);
        if gone.lines > from {
            self.report_dropped(from, gone.lines - from);
        }
        self.segment = None;
        self.buf.clear();
        (self.pos, self.section_end) = (0, 0);
        (self.next, self.offset, self.seq) = (gone.next, gone.bytes, gone.lines);
        self.behead(gone.open);
        Ok(true)
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
