//! A medium in memory that fails, crashes and loses power on demand, for tests and the simulator.

use std::{collections::BTreeMap, io, ops::Range, path::Path, sync::Arc};

use super::medium::Medium;

/// What a disk keeps or loses as a whole, in bytes.
const SECTOR: usize = 512;

/// No space left.
pub const ENOSPC: i32 = 28;
/// Input or output failed.
pub const EIO: i32 = 5;
/// A signal came.
pub const EINTR: i32 = 4;

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// With this errno. A write has put half of its bytes down before, but for `EINTR`.
    Errno(i32),
    /// A write takes at most so many bytes and says so; other calls succeed.
    Short(usize),
}

/// A file in memory. What is written is seen at once; what is synced survives a power cut.
///
/// Calls are counted from 1: `read`, `write`, `truncate` and `sync` are one each, `stage` is two (write, fsync),
/// `publish` is two (rename, fsync of the directory). Cheap to clone: the bytes are shared until written.
#[derive(Clone, Default, Debug)]
pub struct Memory {
    /// What readers see.
    written: Arc<Vec<u8>>,
    /// What a power cut leaves, but for `dirty`.
    durable: Arc<Vec<u8>>,
    /// What the kernel still means to write.
    dirty: Vec<Range<usize>>,
    /// The file that had the name before: a power cut may bring it back, as the directory was not synced.
    earlier: Option<Arc<Vec<u8>>>,
    staged: Option<Arc<Vec<u8>>>,
    calls: u64,
    faults: BTreeMap<u64, Fault>,
    /// From this call on everything fails so, until it is taken back.
    broken: Option<i32>,
}

impl Memory {
    /// No file.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with this content, all of it durable.
    pub fn with(content: Vec<u8>) -> Self {
        let content = Arc::new(content);
        Self { written: content.clone(), durable: content, ..Self::default() }
    }

    /// What a reader sees now.
    pub fn bytes(&self) -> &[u8] {
        &self.written
    }

    /// How many calls there were.
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Makes the `nth` call from now (1 is the next) fail.
    pub fn fail(&mut self, nth: u64, fault: Fault) {
        self.faults.insert(self.calls + nth, fault);
    }

    /// Makes every call fail with this errno from now on; `None` heals it.
    pub const fn break_with(&mut self, errno: Option<i32>) {
        self.broken = errno;
    }

    /// The process dies: nothing that was written is lost. Planned faults are forgotten.
    pub fn crash(&mut self) {
        self.staged = None;
        self.faults.clear();
        self.broken = None;
    }

    /// The machine dies: of what was not synced, any sectors may be lost, earlier ones before later ones too, and with
    /// them the file's length. `seed` is the state of the chance, and goes on.
    pub fn power_cut(&mut self, seed: &mut u64) {
        self.crash();
        let mut durable = std::mem::take(&mut self.durable).to_vec();
        if let Some(earlier) = self.earlier.take()
            && chance(seed).is_multiple_of(2)
        {
            durable = earlier.to_vec();
        } else {
            // Of each sector's writes a first few are kept, in the order of time.
            let mut pieces: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
            for piece in std::mem::take(&mut self.dirty).into_iter().flat_map(sectors) {
                pieces.entry(piece.start / SECTOR).or_default().push(piece);
            }
            // All, none or some: each must happen often.
            let mode = chance(seed) % 4;
            for pieces in pieces.into_values() {
                let kept = match mode {
                    0 => pieces.len(),
                    1 => 0,
                    _ => usize::try_from(chance(seed)).unwrap_or(0) % (pieces.len() + 1),
                };
                pieces.into_iter().take(kept).for_each(|piece| put(&mut durable, &self.written, piece));
            }
            // The new length may have come before the data, which then are zeros.
            if self.written.len() > durable.len() && chance(seed).is_multiple_of(4) {
                let more = usize::try_from(chance(seed)).unwrap_or(0) % (self.written.len() - durable.len() + 1);
                durable.resize(durable.len() + more, 0);
            }
        }
        self.dirty.clear();
        self.durable = Arc::new(durable);
        self.written = self.durable.clone();
    }

    /// The machine dies, and keeps the first so many bytes of the file, but never less than what is durable.
    pub fn power_cut_at(&mut self, keep: usize) {
        self.crash();
        self.earlier = None;
        let mut durable = std::mem::take(&mut self.durable).to_vec();
        for Range { start, end } in std::mem::take(&mut self.dirty) {
            put(&mut durable, &self.written, start..end.min(keep.max(start)));
        }
        self.durable = Arc::new(durable);
        self.written = self.durable.clone();
    }

    /// Counts a call; what it fails with, if it does.
    fn call(&mut self) -> Option<Fault> {
        self.calls += 1;
        self.faults.remove(&self.calls).or(self.broken.map(Fault::Errno))
    }

    fn plain_call(&mut self) -> io::Result<()> {
        match self.call() {
            Some(Fault::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
            Some(Fault::Short(_)) | None => Ok(()),
        }
    }
}

/// splitmix64.
const fn chance(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The range in pieces that end where sectors end.
fn sectors(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut from = range.start;
    std::iter::from_fn(move || {
        (from < range.end).then(|| {
            let piece = from..((from / SECTOR + 1) * SECTOR).min(range.end);
            from = piece.end;
            piece
        })
    })
}

/// Copies a range, with zeros before it where there was nothing.
fn put(into: &mut Vec<u8>, from: &[u8], range: Range<usize>) {
    let range = range.start.min(from.len())..range.end.min(from.len());
    if into.len() < range.end {
        into.resize(range.end, 0);
    }
    into[range.clone()].copy_from_slice(&from[range]);
}

impl Medium for Memory {
    fn file(&self) -> &Path {
        Path::new("memory/journal")
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.plain_call()?;
        Ok(self.written.to_vec())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let fault = self.call();
        let taken = match fault {
            Some(Fault::Errno(EINTR)) => 0,
            Some(Fault::Errno(_)) => bytes.len() / 2,
            Some(Fault::Short(most)) => bytes.len().min(most),
            None => bytes.len(),
        };
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if taken > 0 {
            let written = Arc::make_mut(&mut self.written);
            if written.len() < start + taken {
                written.resize(start + taken, 0);
            }
            written[start..start + taken].copy_from_slice(&bytes[..taken]);
            // What is in the same sector goes with it, be it lost to an fsync that failed before.
            self.dirty.push(start / SECTOR * SECTOR..start + taken);
        }
        match fault {
            Some(Fault::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
            Some(Fault::Short(_)) | None => Ok(taken),
        }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.plain_call()?;
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Arc::make_mut(&mut self.written).resize(len, 0);
        for range in &mut self.dirty {
            *range = range.start.min(len)..range.end.min(len);
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Err(error) = self.plain_call() {
            // As Linux does: the pages count as clean from now on, and are not on the disk.
            self.dirty.clear();
            return Err(error);
        }
        let durable = Arc::make_mut(&mut self.durable);
        for range in self.dirty.drain(..) {
            put(durable, &self.written, range);
        }
        durable.resize(self.written.len(), 0);
        Ok(())
    }

    fn stage(&mut self, content: &[u8]) -> io::Result<()> {
        self.staged = None;
        self.plain_call()?;
        self.plain_call()?;
        self.staged = Some(Arc::new(content.to_vec()));
        Ok(())
    }

    fn publish(&mut self) -> io::Result<()> {
        let Some(staged) = self.staged.take() else { return Err(io::ErrorKind::NotFound.into()) };
        self.plain_call()?;
        self.written = staged.clone();
        let earlier = std::mem::replace(&mut self.durable, staged);
        self.dirty.clear();
        self.earlier.get_or_insert(earlier);
        self.plain_call()?;
        self.earlier = None;
        Ok(())
    }
}
