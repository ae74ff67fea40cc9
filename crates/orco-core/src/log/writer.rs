//! Writes an instance's output as segments: what the keeper does for processes, for runtimes that hand
//! the engine a stream.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    format::{Entry, HEADER_LEN, Kind, Open, SEGMENT_BYTES, Stem, encode_header},
    resume::{self, End},
};

/// Writes one instance's segments from their beginning.
///
/// A full disk never blocks: what cannot be stored is dropped and counted in a gap entry as soon as
/// something can be stored again.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    stem: Stem,
    segment_bytes: u64,
    /// The next segment is due: nothing is added to this one any more, though the disk may not take the next yet. Who
    /// reads may have seen a part of the next, and never looks here again.
    due: bool,
    n: u64,
    segment: Segment,
    /// The offset of the next byte within the instance's output.
    offset: u64,
    /// The stream and millisecond of the last entry of this segment.
    last: Option<(bool, u64)>,
    /// The time of the last stream entry.
    stamp: u64,
    lines: u64,
    open: Open,
    /// Bytes dropped since the last gap entry.
    lost: u64,
    /// It goes on with what another one began, whose lines it has not counted: footers are left to
    /// [`Store::seal`](super::Store::seal).
    resumed: bool,
}

#[derive(Debug)]
struct Segment {
    begin: u64,
    log: File,
    idx: File,
    /// Bytes of whole entries in the index.
    idx_len: u64,
}

impl Segment {
    fn create(dir: &Path, stem: Stem, n: u64, begin: u64) -> io::Result<Self> {
        let create = |name: String| {
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(dir.join(name))
        };
        // The index first: a reader that finds the bytes finds their index.
        let mut idx = create(stem.idx(n))?;
        idx.write_all(&encode_header(begin))?;
        let log = create(stem.log(n))?;
        Ok(Self { begin, log, idx, idx_len: HEADER_LEN as u64 })
    }

    /// Appends an entry, or leaves none behind.
    fn enter(&mut self, entry: Entry) -> io::Result<()> {
        let bytes = entry.encode();
        if let Err(error) = self.idx.write_all(&bytes) {
            // Torn entries are ignored only at the end, so nothing may follow one.
            self.idx.set_len(self.idx_len)?;
            io::Seek::seek(&mut self.idx, io::SeekFrom::Start(self.idx_len))?;
            return Err(error);
        }
        self.idx_len += bytes.len() as u64;
        Ok(())
    }
}

impl Writer {
    /// Creates the first segment in a service's log directory, and the directory if need be.
    ///
    /// # Errors
    /// When the files cannot be created.
    pub fn create(dir: &Path, stem: Stem) -> io::Result<Self> {
        Self::with_segment_bytes(dir, stem, SEGMENT_BYTES)
    }

    /// With segments of another size (tests).
    ///
    /// # Errors
    /// When the files cannot be created.
    pub fn with_segment_bytes(dir: &Path, stem: Stem, segment_bytes: u64) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            stem,
            segment_bytes,
            due: false,
            n: 0,
            segment: Segment::create(dir, stem, 0, 0)?,
            offset: 0,
            last: None,
            stamp: 0,
            lines: 0,
            open: Open::default(),
            lost: 0,
            resumed: false,
        })
    }

    /// Goes on with the segments that another writer has left: in a new one, since the last may end in the middle of
    /// an entry. Like [`create`](Self::create) where there are none.
    ///
    /// # Errors
    /// When the files cannot be read or created.
    pub fn resume(dir: &Path, stem: Stem) -> io::Result<Self> {
        let Some(End { next, bytes }) = resume::end(dir, stem)? else { return Self::create(dir, stem) };
        Ok(Self {
            dir: dir.to_owned(),
            stem,
            segment_bytes: SEGMENT_BYTES,
            due: false,
            n: next,
            segment: Segment::create(dir, stem, next, bytes)?,
            offset: bytes,
            last: None,
            stamp: 0,
            lines: 0,
            open: Open::default(),
            lost: 0,
            resumed: true,
        })
    }

    /// Closes segments at this size from now on.
    pub const fn limit(&mut self, segment_bytes: u64) {
        self.segment_bytes = segment_bytes;
    }

    /// The number of the segment that is being written.
    pub const fn segment(&self) -> u64 {
        self.n
    }

    /// Closes the segment of this number, if it is the one being written and holds anything, and makes the next at once.
    ///
    /// # Errors
    /// When the next one cannot be made: it is tried again with the next bytes.
    pub fn turn(&mut self, number: u64) -> io::Result<()> {
        if number == self.n && self.offset > self.segment.begin {
            self.due = true;
            self.next_segment()?;
        }
        Ok(())
    }

    fn next_segment(&mut self) -> io::Result<()> {
        let next = Segment::create(&self.dir, self.stem, self.n + 1, self.offset)?;
        let mut closed = std::mem::replace(&mut self.segment, next);
        self.n += 1;
        self.due = false;
        // Of this segment: a new one begins with an entry.
        self.last = None;
        let footer = Kind::Footer { lines: self.lines, open: self.open };
        if !self.resumed {
            // A missing footer costs a reader time and nothing else.
            let _ = closed.enter(Entry { offset: self.offset, micros: self.stamp, kind: footer });
        }
        Ok(())
    }

    /// Tells readers that bytes are missing here.
    pub const fn miss(&mut self, bytes: u64) {
        self.lost += bytes;
    }

    /// Bytes stored so far.
    pub const fn written(&self) -> u64 {
        self.offset
    }

    /// Appends bytes of one stream that arrived at `now_micros` (Unix time).
    ///
    /// # Errors
    /// What could not be stored is dropped and counted; later calls may succeed again.
    pub fn append(&mut self, stderr: bool, bytes: &[u8], now_micros: u64) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let begun = self.begin_piece(stderr, bytes.len() as u64, now_micros);
        if let Err(error) = begun {
            self.lost += bytes.len() as u64;
            return Err(error);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.segment.log.write(rest) {
                Ok(0) => return Err(self.lose(rest, io::ErrorKind::WriteZero.into())),
                Ok(n) => {
                    self.count(stderr, &rest[..n]);
                    rest = &rest[n..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lose(rest, error)),
            }
        }
        Ok(())
    }

    fn lose(&mut self, rest: &[u8], error: io::Error) -> io::Error {
        self.lost += rest.len() as u64;
        error
    }

    /// Turns to the next segment if this one is full, and writes the entries that the bytes need.
    fn begin_piece(&mut self, stderr: bool, len: u64, micros: u64) -> io::Result<()> {
        let held = self.offset - self.segment.begin;
        self.due |= held > 0 && held + len > self.segment_bytes;
        if self.due {
            self.next_segment()?;
        }
        if self.lost > 0 {
            self.segment.enter(Entry { offset: self.offset, micros, kind: Kind::Gap(self.lost) })?;
            self.lost = 0;
            self.last = None;
        }
        let now = (stderr, micros / 1000);
        if self.last != Some(now) {
            let kind = if stderr { Kind::Stderr } else { Kind::Stdout };
            self.segment.enter(Entry { offset: self.offset, micros, kind })?;
            self.last = Some(now);
            self.stamp = micros;
        }
        Ok(())
    }

    fn count(&mut self, stderr: bool, stored: &[u8]) {
        self.offset += stored.len() as u64;
        self.lines += memchr::memchr_iter(b'\n', stored).count() as u64;
        let unfinished = stored.last() != Some(&b'\n');
        if stderr {
            self.open.stderr = unfinished;
        } else {
            self.open.stdout = unfinished;
        }
    }

    /// Closes the last segment: the output has ended.
    ///
    /// # Errors
    /// When the footer could not be written; the output itself is complete all the same.
    pub fn finish(mut self, now_micros: u64) -> io::Result<()> {
        if self.lost > 0 {
            self.segment.enter(Entry { offset: self.offset, micros: now_micros, kind: Kind::Gap(self.lost) })?;
        }
        if self.resumed {
            return Ok(());
        }
        let kind = Kind::Footer { lines: self.lines, open: self.open };
        self.segment.enter(Entry { offset: self.offset, micros: self.stamp, kind })
    }
}
