//! One segment on disk, read front to back.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::format::{ENTRY_LEN, Entry, HEADER_LEN, Kind, Open, Stem, decode_header};

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
    log_path: PathBuf,
    idx_path: PathBuf,
    /// The bytes and their index, held together: retention may unlink both at any time, and bytes without
    /// the entries that came with them would pass for another stream's.
    files: Option<(File, File)>,
    log_read: u64,
    idx_read: u64,
}

impl Segment {
    /// `None`: it is not there (yet, or any more).
    pub(super) fn open(dir: &Path, stem: Stem, n: u64) -> io::Result<Option<Self>> {
        let (log_path, idx_path) = (dir.join(stem.log(n)), dir.join(stem.idx(n)));
        let Some(idx) = present(File::open(&idx_path))? else { return Ok(None) };
        let mut header = [0; HEADER_LEN];
        if read_full(&idx, &mut header, 0)? < HEADER_LEN {
            return Ok(None);
        }
        let Some(begin) = decode_header(&header) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is damaged", idx_path.display())));
        };
        let Some(log) = present(File::open(&log_path))? else { return Ok(None) };
        let (files, idx_read) = (Some((log, idx)), HEADER_LEN as u64);
        Ok(Some(Self {
            n,
            begin,
            closed: false,
            entries: VecDeque::new(),
            log_path,
            idx_path,
            files,
            log_read: 0,
            idx_read,
        }))
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
            None => (File::open(&self.log_path)?, File::open(&self.idx_path)?),
        };
        // Small outputs are the rule and readers are many: no more memory than there is to read.
        let left = log.metadata()?.len().saturating_sub(self.log_read);
        buf.resize(usize::try_from(left).unwrap_or(CHUNK).min(CHUNK), 0);
        let got = if left == 0 { 0 } else { read_full(&log, buf, self.log_read)? };
        buf.truncate(got);
        if got > 0 {
            // After the bytes, so that no byte comes before its entry; a failure is tried again with the same bytes.
            self.read_entries(&idx)?;
            self.log_read += got as u64;
            self.files = Some((log, idx));
        }
        Ok(got)
    }

    /// Loads the entries that have come since.
    pub(super) fn load_entries(&mut self) -> io::Result<()> {
        let Some(idx) = present(File::open(&self.idx_path))? else { return Ok(()) };
        self.read_entries(&idx)
    }

    fn read_entries(&mut self, idx: &File) -> io::Result<()> {
        let mut bytes = [0; ENTRY_LEN * 128];
        loop {
            let got = read_full(idx, &mut bytes, self.idx_read)? / ENTRY_LEN * ENTRY_LEN;
            if got == 0 {
                return Ok(());
            }
            self.idx_read += got as u64;
            self.entries.extend(bytes[..got].chunks_exact(ENTRY_LEN).filter_map(Entry::decode));
        }
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
    /// Line ends up to its end and unfinished lines there.
    pub(super) footer: Option<(u64, Open)>,
}

impl Summary {
    /// `None`: there is no such segment.
    pub(super) fn read(dir: &Path, stem: Stem, n: u64) -> io::Result<Option<Self>> {
        let Some(idx) = present(File::open(dir.join(stem.idx(n))))? else { return Ok(None) };
        let mut head = [0; HEADER_LEN + ENTRY_LEN];
        let got = read_full(&idx, &mut head, 0)?;
        let Some(begin) = decode_header(&head[..got]) else { return Ok(None) };
        let first = head.get(HEADER_LEN..got).and_then(Entry::decode);
        Ok(Some(Self { n, begin, first_micros: first.map(|e| e.micros), footer: last_footer(&idx)? }))
    }
}

fn last_footer(idx: &File) -> io::Result<Option<(u64, Open)>> {
    let entries = idx.metadata()?.len().saturating_sub(HEADER_LEN as u64) / ENTRY_LEN as u64;
    let Some(last) = entries.checked_sub(1) else { return Ok(None) };
    let mut bytes = [0; ENTRY_LEN];
    let got = read_full(idx, &mut bytes, HEADER_LEN as u64 + last * ENTRY_LEN as u64)?;
    match Entry::decode(&bytes[..got]).map(|e| e.kind) {
        Some(Kind::Footer { lines, open }) => Ok(Some((lines, open))),
        Some(Kind::Stdout | Kind::Stderr | Kind::Gap(_)) | None => Ok(None),
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
fn read_full(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
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
