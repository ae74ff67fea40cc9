//! How another engine goes on with output that it writes from a stream.
//!
//! `STEM.at` says up to which byte of the instance's output the segments held what the stream had given until a
//! position of the stream's own. It may lag behind the segments: what they hold beyond it is skipped in the stream.

use std::{fs, io, path::Path};

use super::{
    Gone,
    format::{FileName, Stem},
    segment::Summary,
    side,
};

/// The longest position that is kept, in bytes.
const LONGEST: usize = 256;

/// A place in an instance's output that its segments and its stream both know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Bytes of output before it, those that are gone included.
    pub bytes: u64,
    /// The stream's own name for it; empty: its beginning.
    pub position: String,
}

impl Reached {
    /// The last mark of this instance; the beginning where there is none, or nonsense.
    pub fn read(dir: &Path, stem: Stem) -> Self {
        let text = fs::read_to_string(dir.join(stem.at())).unwrap_or_default();
        let parsed = text.strip_suffix('\n').and_then(|line| line.split_once(' '));
        match parsed.and_then(|(bytes, position)| Some((bytes.parse().ok()?, position))) {
            Some((bytes, position)) => Self { bytes, position: position.to_owned() },
            None => Self::default(),
        }
    }

    /// Replaces the file by rename, so that a reader sees the old one or the new one.
    ///
    /// # Errors
    /// When it cannot be written (the old one is then still there), or the position is none that can be kept.
    pub fn write(&self, dir: &Path, stem: Stem) -> io::Result<()> {
        if self.position.len() > LONGEST || self.position.contains('\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a position of a stream"));
        }
        side::replace(&dir.join(stem.at()), format!("{} {}\n", self.bytes, self.position).as_bytes())
    }

    /// The output has ended: nobody goes on with it.
    pub fn remove(dir: &Path, stem: Stem) {
        // It is only of use to who goes on, and nobody does.
        let _ = fs::remove_file(dir.join(stem.at()));
    }
}

/// Where an instance's segments end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    /// The number of the segment to make next.
    pub(super) next: u64,
    /// Bytes of output so far, those that are gone included.
    pub(super) bytes: u64,
}

/// `None`: there are no segments, and never were.
pub(super) fn end(dir: &Path, stem: Stem) -> io::Result<Option<End>> {
    let gone = Gone::read(dir, stem)?;
    let mut last = None;
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        if let Some(FileName::Log(of, n)) = name.to_str().and_then(FileName::parse)
            && of == stem
        {
            last = last.max(Some(n));
        }
    }
    let Some(last) = last else {
        let ever = gone.next > 0;
        return Ok(ever.then_some(End { next: gone.next, bytes: gone.bytes }));
    };
    let begin = Summary::read(dir, stem, last)?.map_or(gone.bytes, |summary| summary.begin);
    let length = fs::metadata(dir.join(stem.log(last)))?.len();
    Ok(Some(End { next: last + 1, bytes: begin + length }))
}
