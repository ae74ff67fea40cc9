//! One segment on disk, read front to back.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    damage::{begin_of, follows, header, last_entry, substitute},
    format::{ENTRY_LEN, Entry, HEADER_LEN, Kind, Open, Stem, decode_header},
    milestones::Milestones,
};

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// A segment and how far it has been read. Files stay open only while there is something to read.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) n: u64,
    pub(super) begin: u64,
    /// The next segment was seen, so this one does not grow any more.
    pub(super) closed: bool,
    /// Entries that are read and not applied yet.
    pub(super) entries: VecDeque<Entry>,
    /// The offset of the last entry that was read.
    last: Option<u64>,
    log_path: PathBuf,
    idx_path: PathBuf,
    /// The bytes and their index, held together: retention may unlink both at any time, and bytes without
    /// the entries that came with them would pass for another stream's.
    /// No index: there is none, or none that can be read.
    files: Option<(File, Option<File>)>,
    has_index: bool,
    log_read: u64,
    idx_read: u64,
}

impl Segment {
    /// `None`: it is not there (yet, or any more).
    pub(super) fn open(dir: &Path, stem: Stem, n: u64) -> io::Result<Option<Self>> {
        let (log_path, idx_path) = (dir.join(stem.log(n)), dir.join(stem.idx(n)));
        // Bytes come after a whole header, and go before it does: where they are and stay without one, it was lost.
        // Hence the bytes are opened first: an index that was looked for too early would pass for a lost one.
        let Some(log) = present(File::open(&log_path))? else { return Ok(None) };
        let idx = present(File::open(&idx_path))?;
        let header = idx.as_ref().map(|idx| header(idx, n)).transpose()?.flatten();
        let (begin, idx, has_index) = match header {
            Some(begin) => (begin, idx, true),
            None if !log_path.try_exists()? => return Ok(None),
            None => (begin_of(dir, stem, n)?, None, false),
        };
        Ok(Some(Self {
            n,
            begin,
            closed: false,
            entries: VecDeque::new(),
            last: None,
            log_path,
            idx_path,
            files: Some((log, idx)),
            has_index,
            log_read: 0,
            idx_read: HEADER_LEN as u64,
        }))
    }

    /// Whether its entries can be read.
    pub(super) const fn has_index(&self) -> bool {
        self.has_index
    }

    /// What is known of places in it. They name entries: without an index they say nothing.
    pub(super) fn milestones(&self) -> Milestones {
        if self.has_index { Milestones::read(&self.log_path, self.begin) } else { Milestones::default() }
    }

    /// Goes to an offset, past everything before it, and says of which stream and time the bytes are that begin there.
    pub(super) fn seek(&mut self, at: u64) -> io::Result<(bool, u64)> {
        let entry = self.milestones().entry_before(at);
        self.seek_from(at, entry)
    }

    /// As [`seek`](Self::seek) on a segment that was just opened: the entry of this number is before the offset.
    pub(super) fn seek_from(&mut self, at: u64, entry: u64) -> io::Result<(bool, u64)> {
        if entry > 0 {
            self.idx_read = HEADER_LEN as u64 + entry * ENTRY_LEN as u64;
            self.last = Some(self.begin);
        }
        self.load_entries(at)?;
        let mut standing = (false, 0);
        while let Some(entry) = self.entries.front().filter(|entry| entry.offset < at) {
            match entry.kind {
                Kind::Stdout => standing = (false, entry.micros),
                Kind::Stderr => standing = (true, entry.micros),
                Kind::Gap(_) | Kind::Footer { .. } => {}
            }
            self.entries.pop_front();
        }
        self.log_read = at.saturating_sub(self.begin);
        Ok(standing)
    }

    /// The offset up to which it has been read.
    pub(super) const fn end(&self) -> u64 {
        self.begin + self.log_read
    }

    /// Replaces `buf` by the next bytes and loads all entries that concern them. Returns their number.
    pub(super) fn fill(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        buf.clear();
        let (log, idx) = match self.files.take() {
            Some(files) => files,
            None => {
                let log = File::open(&self.log_path)?;
                (log, self.has_index.then(|| File::open(&self.idx_path)).transpose()?)
            }
        };
        // Small outputs are the rule and readers are many: no more memory than there is to read.
        let left = log.metadata()?.len().saturating_sub(self.log_read);
        buf.resize(usize::try_from(left).unwrap_or(CHUNK).min(CHUNK), 0);
        let got = if left == 0 { 0 } else { read_full(&log, buf, self.log_read)? };
        buf.truncate(got);
        if got > 0 {
            // After the bytes, so that no byte comes before its entry; a failure is tried again with the same bytes.
            if let Some(idx) = &idx {
                self.read_entries(idx, self.end() + got as u64)?;
            }
            if self.last.is_none() {
                // The entry is written before its bytes: it was lost.
                self.entries.push_back(substitute(&log.metadata()?, self.begin));
                self.last = Some(self.begin);
            }
            self.log_read += got as u64;
            self.files = Some((log, idx));
        }
        Ok(got)
    }

    /// Loads the entries up to an offset that have come since.
    pub(super) fn load_entries(&mut self, until: u64) -> io::Result<()> {
        if !self.has_index {
            return Ok(());
        }
        let Some(idx) = present(File::open(&self.idx_path))? else { return Ok(()) };
        self.read_entries(&idx, until)
    }

    fn read_entries(&mut self, idx: &File, until: u64) -> io::Result<()> {
        let mut bytes = [0; ENTRY_LEN * 128];
        // Those beyond are loaded with their bytes: an index may be larger than what it is about.
        while self.last.is_none_or(|last| last <= until) {
            let got = read_full(idx, &mut bytes, self.idx_read)? / ENTRY_LEN * ENTRY_LEN;
            if got == 0 {
                return Ok(());
            }
            self.idx_read += got as u64;
            for entry in bytes[..got].chunks_exact(ENTRY_LEN).filter_map(Entry::decode) {
                // A segment begins with an entry.
                if follows(&entry, self.last) && (self.last.is_some() || entry.offset == self.begin) {
                    self.last = Some(entry.offset);
                    self.entries.push_back(entry);
                }
            }
        }
        Ok(())
    }

    /// Lets go of the files until there is more.
    pub(super) fn release(&mut self) {
        self.files = None;
    }
}

/// What can be known of a segment without reading it all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary {
    pub(super) n: u64,
    pub(super) begin: u64,
    /// The time of the first entry.
    pub(super) first_micros: Option<u64>,
    /// The time of the last entry.
    pub(super) last_micros: Option<u64>,
    /// Line ends up to its end and unfinished lines there.
    pub(super) footer: Option<(u64, Open)>,
}

impl Summary {
    /// `None`: there is no such segment.
    pub(super) fn read(dir: &Path, stem: Stem, n: u64) -> io::Result<Option<Self>> {
        let mut head = [0; HEADER_LEN + ENTRY_LEN];
        // Looked at before the index, as in `Segment::open`.
        let log = present(fs::metadata(dir.join(stem.log(n))))?;
        let idx = present(File::open(dir.join(stem.idx(n))))?;
        let got = idx.as_ref().map(|idx| read_full(idx, &mut head, 0)).transpose()?.unwrap_or(0);
        let begin = decode_header(&head[..got]).filter(|begin| *begin > 0 || n == 0);
        let (Some(begin), Some(idx)) = (begin, idx) else {
            let Some(log) = log.filter(|_| dir.join(stem.log(n)).exists()) else { return Ok(None) };
            let begin = begin_of(dir, stem, n)?;
            let micros = Some(substitute(&log, begin).micros);
            return Ok(Some(Self { n, begin, first_micros: micros, last_micros: micros, footer: None }));
        };
        let first = head.get(HEADER_LEN..got).and_then(Entry::decode);
        let last = last_entry(&idx)?;
        let footer = match last.map(|e| e.kind) {
            Some(Kind::Footer { lines, open }) => Some((lines, open)),
            Some(Kind::Stdout | Kind::Stderr | Kind::Gap(_)) | None => None,
        };
        let micros = |entry: Option<Entry>| entry.map(|e| e.micros);
        Ok(Some(Self { n, begin, first_micros: micros(first), last_micros: micros(last), footer }))
    }
}

/// `None` for a file that is not there.
pub(super) fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads until the buffer or the file is used up.
pub(super) fn read_full(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match file.read_at(&mut buf[got..], at + got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
