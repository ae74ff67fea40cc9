//! `STEM.gone`: the count of what retention has deleted of an instance.

use std::{io, path::Path};

use super::{
    format::{Open, Stem},
    side,
};

/// What is gone of an instance: its output up to an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gone {
    /// Lines that ended in what is gone.
    pub lines: u64,
    /// Bytes: the offset of the first byte that is left.
    pub bytes: u64,
    /// Streams that had an unfinished line there.
    pub open: Open,
    /// The number of the first segment that is left.
    pub next: u64,
}

impl Gone {
    /// What is gone of this instance; nothing where there is no such file.
    ///
    /// # Errors
    /// When the file is there and cannot be read or makes no sense.
    pub fn read(dir: &Path, stem: Stem) -> io::Result<Self> {
        let Some([lines, bytes, open, next]) = numbers(&dir.join(stem.gone()))? else {
            return Ok(Self::default());
        };
        Ok(Self { lines, bytes, open: Open::from_bits(open as u8), next })
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// When it cannot be written; the old one is then still there.
    pub(super) fn write(self, dir: &Path, stem: Stem) -> io::Result<()> {
        replace(&dir.join(stem.gone()), [self.lines, self.bytes, u64::from(self.open.bits()), self.next])
    }
}

/// Four numbers from a one-line file.
pub(super) fn numbers(path: &Path) -> io::Result<Option<[u64; 4]>> {
    side::read(path, |bytes| {
        let text = std::str::from_utf8(bytes).ok()?;
        let found = text.split_ascii_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>()?;
        found.try_into().ok()
    })
}

/// Replaces such a file.
pub(super) fn replace(path: &Path, [a, b, c, d]: [u64; 4]) -> io::Result<()> {
    side::replace(path, format!("{a} {b} {c} {d}\n").as_bytes())
}
