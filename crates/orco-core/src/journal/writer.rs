//! The journal itself: how do changes get into the file, and what is done when that fails?

use std::io;

use super::{
    error::{OpenError, Step, WriteError},
    folder::Folder,
    format::{self, Change, HEADER_LEN, Header, Place},
    medium::Medium,
    read::{self, Cut, Entries, Refused},
};

/// Below this a file is never compacted, in bytes.
const TIDY_BYTES: u64 = 1 << 20;
/// A file so many times longer than its live content is compacted.
const TIDY_TIMES: u64 = 4;
/// So many interruptions in a row are an error.
const INTERRUPTIONS: u32 = 64;
/// A buffer longer than this is not kept, in bytes.
const KEPT_BUFFER: usize = 1 << 20;

/// A map of keys to values that survives crashes, in one file that belongs to it alone.
///
/// Its methods do plain file work: call them where blocking is fine. Dropping it writes nothing: what
/// [`append`](Self::append) returned `Ok` for is in the file.
#[derive(Clone, Debug)]
pub struct Journal<M: Medium = Folder> {
    medium: M,
    entries: Entries,
    /// The bytes that the entries take in a frame.
    live: u64,
    generation: u64,
    /// Of the last batch in the map.
    sequence: u64,
    /// Up to here all is durable.
    synced: u64,
    /// Of the last frame, be it in the file or in `missing`.
    checksum: u32,
    /// Where the last whole frame in the file ends.
    end: u64,
    /// Frames that are not in the file yet.
    missing: Vec<u8>,
    file: File,
    /// Another process wrote some of the file, and its fsync may have failed: pages can look written and be lost. Only
    /// a new file is known to be durable.
    is_inherited: bool,
    cut: Option<Cut>,
    /// After a failed compaction: the length at which the next is worth trying.
    tidy_from: u64,
}

/// What is known of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum File {
    /// It ends with its last whole frame.
    Whole,
    /// Behind its last whole frame may be a part of another.
    Torn,
    /// There is none, or what it holds is not known or not to be built upon.
    Unknown,
}

impl<M: Medium> Journal<M> {
    /// Reads and verifies all of it. Writes nothing: a torn tail goes with the first write.
    ///
    /// An empty or missing file is a fresh journal.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or of another version. Nothing is changed then.
    pub fn open(mut medium: M) -> Result<Self, OpenError> {
        let file = medium.file().to_owned();
        let bytes = match medium.read() {
            Ok(bytes) => bytes,
            Err(source) => return Err(OpenError::Read { file, source }),
        };
        let found = match read::read(&bytes) {
            Ok(found) => found,
            Err(Refused::Version(theirs)) => return Err(OpenError::version(file, theirs)),
            Err(Refused::Corrupt { offset, why }) => return Err(OpenError::Corrupt { file, offset, why }),
        };
        let mut journal = Self {
            medium,
            entries: Entries::new(),
            live: 0,
            generation: 0,
            sequence: 0,
            synced: 0,
            checksum: 0,
            end: 0,
            missing: Vec::new(),
            file: File::Unknown,
            is_inherited: true,
            cut: None,
            tidy_from: 0,
        };
        if let Some(found) = found {
            // A cut file is replaced rather than truncated: nothing of what was cut off can then come back.
            let file = if found.cut.is_some() { File::Unknown } else { File::Whole };
            journal = Self {
                entries: found.entries,
                live: found.live,
                generation: found.generation,
                sequence: found.sequence,
                synced: found.synced,
                checksum: found.checksum,
                end: found.end,
                cut: found.cut,
                file,
                ..journal
            };
        }
        Ok(journal)
    }

    /// The current values: all changes that were appended, in the file or not yet.
    pub const fn entries(&self) -> &Entries {
        &self.entries
    }

    /// What was cut off when it was opened.
    pub const fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// Whether the file lacks something that the map has, or is not to be built upon: the last write failed, or a torn
    /// tail was cut off.
    pub fn is_behind(&self) -> bool {
        self.file != File::Whole && self.sequence > 0 || !self.missing.is_empty()
    }

    /// How many bytes wait to be written.
    #[cfg(test)]
    pub(super) const fn missing_bytes(&self) -> usize {
        self.missing.capacity()
    }

    /// The length of what is believed of the file, in bytes.
    pub const fn len(&self) -> u64 {
        self.end
    }

    /// Whether nothing was ever written.
    pub const fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Its medium.
    pub const fn medium(&self) -> &M {
        &self.medium
    }

    /// Its medium. Whoever writes there breaks the journal; made for setting up faults.
    pub const fn medium_mut(&mut self) -> &mut M {
        &mut self.medium
    }

    /// Ends the journal as a crash would: nothing more is written.
    pub fn into_medium(self) -> M {
        self.medium
    }

    /// Appends one batch, which is atomic, in one write; then it survives this process. A power cut it survives only
    /// after the next [`sync`](Self::sync). A key that comes twice has its last value. Without changes it repairs
    /// what an earlier failure left, if anything.
    ///
    /// The first batch of a fresh journal creates the file, durably.
    ///
    /// # Errors
    /// When the file could not be written. The map has the changes all the same, and the next call of this or of
    /// `sync` writes what is missing first. Only a batch too long for a frame ([`Step::Encode`]) changes nothing.
    pub fn append(&mut self, changes: &[Change]) -> Result<(), WriteError> {
        if !changes.is_empty() {
            let place = Place { sequence: self.sequence + 1, synced: self.synced, previous: self.checksum };
            let batch = changes.iter().map(|change| (&*change.key, change.value.as_deref()));
            let Some(checksum) = format::encode(&mut self.missing, place, batch) else {
                return Err(self.too_long());
            };
            self.sequence = place.sequence;
            self.checksum = checksum;
            for Change { key, value } in changes {
                read::apply(&mut self.entries, &mut self.live, key, value.as_deref());
            }
        }
        self.bring_up()
    }

    /// Makes everything appended so far durable; returns at once if it is.
    ///
    /// # Errors
    /// When that failed: then nothing since the last good call is known to be durable, and the next call of this or of
    /// `append` writes a whole new file.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        if self.is_inherited && self.sequence > 0 {
            return self.replace();
        }
        if !self.is_behind() && self.synced == self.sequence {
            return Ok(());
        }
        self.bring_up()?;
        if let Err(source) = self.medium.sync() {
            self.file = File::Unknown;
            return Err(self.error(Step::Sync, source));
        }
        self.synced = self.sequence;
        Ok(())
    }

    /// Compacts the file when it is long (over 1 MiB) and mostly of old values (over 4 times its live content). Says
    /// whether it did; it is then durable too.
    ///
    /// # Errors
    /// When the new file could not be written. The old one goes on to be used, and the next try waits until it has
    /// grown by 1 MiB.
    pub fn tidy(&mut self) -> Result<bool, WriteError> {
        if self.end <= TIDY_BYTES.max(self.live.saturating_mul(TIDY_TIMES)) || self.end < self.tidy_from {
            return Ok(false);
        }
        let replaced = self.replace();
        self.tidy_from = if replaced.is_err() { self.end + TIDY_BYTES } else { 0 };
        replaced.map(|()| true)
    }

    /// Brings into the file what is missing there.
    fn bring_up(&mut self) -> Result<(), WriteError> {
        match self.file {
            File::Whole if self.missing.is_empty() => Ok(()),
            File::Whole => self.write(),
            File::Torn => {
                let end = self.end;
                if let Err(source) = patiently(|| self.medium.truncate(end)) {
                    return Err(self.fell_behind(Step::Truncate, source));
                }
                self.file = File::Whole;
                self.write()
            }
            File::Unknown if self.sequence == 0 => Ok(()),
            File::Unknown => self.replace(),
        }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let mut written = 0;
        while let Some(rest) = self.missing.get(written..).filter(|rest| !rest.is_empty()) {
            let at = self.end + written as u64;
            match patiently(|| self.medium.write(at, rest)) {
                Ok(0) => return Err(self.fell_behind(Step::Write, io::ErrorKind::WriteZero.into())),
                Ok(taken) => written += taken,
                Err(source) => return Err(self.fell_behind(Step::Write, source)),
            }
        }
        self.end += self.missing.len() as u64;
        self.forget_missing();
        Ok(())
    }

    fn fell_behind(&mut self, step: Step, source: io::Error) -> WriteError {
        self.file = File::Torn;
        // The map has it all: beyond some length, writing that is cheaper, and the memory is bounded.
        if self.missing.len() as u64 > TIDY_BYTES.max(self.live) {
            self.file = File::Unknown;
            self.forget_missing();
        }
        self.error(step, source)
    }

    /// Writes a new file with the map in it; it is durable.
    fn replace(&mut self) -> Result<(), WriteError> {
        let generation = self.generation.wrapping_add(1);
        let Some((content, checksum)) = self.snapshot(generation) else { return Err(self.too_long()) };
        if let Err(source) = self.medium.stage(&content) {
            if self.file == File::Unknown {
                self.forget_missing();
            }
            return Err(self.error(Step::Stage, source));
        }
        self.generation = generation;
        // Whichever file is in place from here on, the missing frames do not fit behind it.
        self.forget_missing();
        if let Err(source) = self.medium.publish() {
            self.file = File::Unknown;
            return Err(self.error(Step::Publish, source));
        }
        self.file = File::Whole;
        self.is_inherited = false;
        self.synced = self.sequence;
        self.checksum = checksum;
        self.end = content.len() as u64;
        Ok(())
    }

    /// A file with the map as its only frame, and that frame's checksum.
    fn snapshot(&self, generation: u64) -> Option<(Vec<u8>, u32)> {
        let settled = (HEADER_LEN + format::FRAME_LEN) as u64 + self.live;
        let header = Header { generation, settled }.encode();
        let mut content = Vec::with_capacity(usize::try_from(settled).unwrap_or(0));
        content.extend_from_slice(&header);
        let previous = Header::decode(&header).ok()?.1;
        let place = Place { sequence: self.sequence, synced: self.sequence, previous };
        let all = self.entries.iter().map(|(key, value)| (&**key, Some(&**value)));
        let checksum = format::encode(&mut content, place, all)?;
        Some((content, checksum))
    }

    fn forget_missing(&mut self) {
        self.missing.clear();
        self.missing.shrink_to(KEPT_BUFFER);
    }

    fn too_long(&self) -> WriteError {
        self.error(Step::Encode, io::Error::new(io::ErrorKind::InvalidInput, "more than 4 GiB at once"))
    }

    fn error(&self, step: Step, source: io::Error) -> WriteError {
        WriteError { file: self.medium.file().to_owned(), step, source }
    }
}

/// Tries again when a signal interrupts it, but not for ever.
fn patiently<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut interruptions = 0;
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted && interruptions < INTERRUPTIONS => {
                interruptions += 1;
            }
            result => return result,
        }
    }
}
