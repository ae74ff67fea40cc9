//! The files of one service.

use std::{
    fs::{self, File},
    io::{self, BufRead as _},
    os::unix::fs::{DirEntryExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    file::{self, Saved},
    position::{Mark, Position, Positions},
    writer::Place,
};
use crate::{
    crash,
    log::{Record, format::Stem, ndjson, side},
};

/// The cursor is written after so many bytes: whoever goes on reads no more than that.
const SAVE_EACH: u64 = 1 << 20;

/// The files of one service.
#[derive(Debug)]
pub(super) struct Sink {
    directory: PathBuf,
    service: String,
    stack: String,
    limits: (u64, u32),
    /// The current file, how long it is in whole lines, and whether something else stands behind that.
    file: File,
    inode: u64,
    length: u64,
    torn: bool,
    saved: u64,
    positions: Positions,
    /// Notes that were met again since it was opened, before the next line of their instance.
    again: std::collections::BTreeMap<Stem, u64>,
}

impl Sink {
    /// Goes on with what is there, or begins.
    pub(super) fn open(place: &Place, stack: &str, service: &str) -> io::Result<Self> {
        let directory = place.directory.clone();
        let saved = file::read(&file::path(&directory, service))?;
        if let Some(other) = saved.as_ref().filter(|saved| saved.stack != stack) {
            let path = current(&directory, service);
            let message = format!("`{}` belongs to the stack {}", path.display(), other.stack);
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let (file, inode) = create(&current(&directory, service))?;
        let known = saved.is_some();
        let Saved { inode: named, length: reached, mut positions, .. } = saved.unwrap_or_default();
        let from = if named == inode { reached.min(file.metadata()?.len()) } else { 0 };
        if named != inode && known {
            // Renamed since, by a rotation or by somebody else: its last lines may be newer than the cursor.
            if let Some(earlier) = of_inode(&directory, service, named)? {
                read_on(&earlier, reached, &mut positions)?;
            }
        }
        let length = read_on(&file, from, &mut positions)?;
        let mut sink = Self {
            directory,
            service: service.to_owned(),
            stack: stack.to_owned(),
            limits: (place.max_file_bytes, place.max_files),
            file,
            inode,
            length,
            torn: true,
            saved: 0,
            positions,
            again: std::collections::BTreeMap::new(),
        };
        if !known || named != inode {
            sink.save()?;
        }
        Ok(sink)
    }

    pub(super) const fn positions(&self) -> &Positions {
        &self.positions
    }

    /// Forgets instances of which nobody will hear again.
    pub(super) fn keep_only(&mut self, exists: impl Fn(Stem) -> bool) {
        self.positions.retain(|stem, _| exists(*stem));
    }

    /// Writes records that it does not have yet. Returns how many of them it has then, and why not all.
    pub(super) fn write(&mut self, records: &[&Record]) -> (usize, io::Result<()>) {
        let mut taken = 0;
        while taken < records.len() {
            let (piece, done) = match self.piece(&records[taken..]) {
                Ok(piece) => piece,
                Err(error) => return (taken, Err(error)),
            };
            if let Err(error) = self.append(&piece) {
                return (taken, Err(error));
            }
            for record in &records[taken..taken + done] {
                self.advance(record);
            }
            taken += done;
            if let Err(error) = step("export.after-append") {
                return (taken, Err(error));
            }
            if self.length.saturating_sub(self.saved) >= SAVE_EACH {
                // The lines are there: a cursor that lags costs time at the next start and nothing else.
                let _ = self.save();
            }
        }
        (taken, Ok(()))
    }

    /// As many records as the current file takes, at least one, encoded; and their number. Turns to the next file if
    /// this one takes none.
    fn piece(&mut self, records: &[&Record]) -> io::Result<(Vec<u8>, usize)> {
        self.ready()?;
        let mut piece = Vec::new();
        let mut again = self.again.clone();
        for (done, record) in records.iter().enumerate() {
            let before = piece.len();
            if !self.has(record, &mut again) {
                ndjson::write(record, &mut piece);
            }
            if piece.len() > before && self.length + piece.len() as u64 > self.limits.0 {
                if self.length + before as u64 == 0 {
                    return Ok((piece, done + 1));
                }
                if before == 0 && done == 0 {
                    self.rotate()?;
                    return self.piece(records);
                }
                piece.truncate(before);
                return Ok((piece, done));
            }
        }
        Ok((piece, records.len()))
    }

    fn has(&self, record: &Record, again: &mut std::collections::BTreeMap<Stem, u64>) -> bool {
        let Some(mark) = Mark::of(record) else { return false };
        let at = self.positions.get(&mark.stem).copied().unwrap_or_default();
        mark.is_in(at, again.entry(mark.stem).or_default())
    }

    /// A record is in the files.
    fn advance(&mut self, record: &Record) {
        let Some(mark) = Mark::of(record) else { return };
        let at = self.positions.get(&mark.stem).copied().unwrap_or_default();
        let again = self.again.entry(mark.stem).or_default();
        if !mark.is_in(at, again) {
            let now = mark.after(at);
            // Notes before another line are others.
            *again = if now.next == at.next { now.notes } else { 0 };
            self.positions.insert(mark.stem, now);
        }
    }

    /// The current file is where it should be, and ends with a whole line.
    fn ready(&mut self) -> io::Result<()> {
        let path = current(&self.directory, &self.service);
        let there = match fs::symlink_metadata(&path) {
            Ok(found) => found.ino() == self.inode,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !there {
            // Somebody has taken it away, or a rotation got no further.
            self.begin(&path)?;
        } else if self.length > self.file.metadata()?.len() {
            // Somebody has emptied it.
            self.length = self.file.metadata()?.len();
            self.save()?;
        }
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        Ok(())
    }

    fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        step("export.before-append")?;
        self.torn = true;
        #[cfg(test)]
        if let Some(half) = super::tests::torn(piece) {
            self.file.write_all_at(half, self.length)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(piece, self.length)?;
        self.torn = false;
        self.length += piece.len() as u64;
        Ok(())
    }

    /// `NAME.ndjson` becomes `NAME.ndjson.1`, that one `.2`, and so on up to the first number that is free.
    fn rotate(&mut self) -> io::Result<()> {
        // From here on the cursor says all there is to say of the file.
        self.save()?;
        let path = current(&self.directory, &self.service);
        let numbered = |n: u32| self.directory.join(format!("{}.ndjson.{n}", self.service));
        let most = self.limits.1.saturating_sub(1);
        let free = (1..=most).find(|&n| !numbered(n).exists()).unwrap_or(most);
        for n in (1..free).rev() {
            fs::rename(numbered(n), numbered(n + 1))?;
            step("export.rotating")?;
        }
        if most == 0 {
            fs::remove_file(&path)?;
        } else {
            fs::rename(&path, numbered(1))?;
        }
        step("export.rotated")?;
        self.begin(&path)
    }

    /// Begins a file.
    fn begin(&mut self, path: &Path) -> io::Result<()> {
        (self.file, self.inode) = create(path)?;
        step("export.begun")?;
        // Where somebody else has put one there, it goes on behind its lines.
        (self.length, self.torn) = (read_on(&self.file, 0, &mut Positions::new())?, true);
        self.save()
    }

    /// Writes the cursor.
    pub(super) fn save(&mut self) -> io::Result<()> {
        let path = file::path(&self.directory, &self.service);
        let saved = Saved {
            stack: self.stack.clone(),
            inode: self.inode,
            length: self.length,
            positions: self.positions.clone(),
        };
        file::prepare(&path, &saved)?;
        step("export.before-cursor")?;
        side::put(&path)?;
        self.saved = self.length;
        step("export.after-cursor")
    }
}

fn current(directory: &Path, service: &str) -> PathBuf {
    directory.join(format!("{service}.ndjson"))
}

/// A moment at which a test may end it all.
#[cfg_attr(not(test), expect(clippy::unnecessary_wraps, reason = "tests stop here"))]
fn step(name: &'static str) -> io::Result<()> {
    crash::point(name);
    #[cfg(test)]
    super::tests::step()?;
    Ok(())
}

/// The file, made if need be, and its inode.
fn create(path: &Path) -> io::Result<(File, u64)> {
    let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let inode = file.metadata()?.ino();
    Ok((file, inode))
}

/// The file of the service that has this inode, whatever it is called now.
fn of_inode(directory: &Path, service: &str, inode: u64) -> io::Result<Option<File>> {
    let prefix = format!("{service}.ndjson");
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.ino() == inode && entry.file_name().to_string_lossy().starts_with(&prefix) {
            return File::open(entry.path()).map(Some);
        }
    }
    Ok(None)
}

/// Reads the whole lines from there on, and returns where they end.
fn read_on(file: &File, from: u64, positions: &mut Positions) -> io::Result<u64> {
    let mut reader = io::BufReader::new(file);
    io::Seek::seek(&mut reader, io::SeekFrom::Start(from))?;
    let (mut end, mut line) = (from, Vec::new());
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
            return Ok(end);
        }
        end += line.len() as u64;
        if let Some(mark) = Mark::read(&line) {
            let at: &mut Position = positions.entry(mark.stem).or_default();
            *at = mark.after(*at);
        }
    }
}
