//! What can go wrong with a journal.

use std::{fmt, io, path::PathBuf};

use thiserror::Error;

use super::format::VERSION;

/// Why a journal is not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("cannot read the journal `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is damaged in a place that was whole once: nothing after it can be trusted, and cutting it off would
    /// forget what happened.
    #[error("the journal `{}` is damaged at byte {offset}: {why}", file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where the first frame begins that is not whole.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another version of Orco wrote it.
    #[error(
        "the journal `{}` has format {}, this Orco reads format {}",
        file.display(),
        theirs.escape_ascii(),
        ours.escape_ascii()
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// Its version, an ASCII digit.
        theirs: u8,
        /// Ours, likewise.
        ours: u8,
    },
}

impl OpenError {
    /// What to do about it, and what that costs.
    pub fn remedy(&self) -> String {
        let lost = "Orco then begins without memory of this stack: what was to run, which processes are its own, their \
                    ports and restart counts; end services that still run first";
        match self {
            Self::Read { file, .. } => {
                format!("make `{}` readable and writable for this user; nothing is lost", file.display())
            }
            Self::Corrupt { file, .. } => {
                let file = file.display();
                format!("restore `{file}` from a backup, or move it away (`mv {file} {file}.damaged`); {lost}")
            }
            Self::Version { file, .. } => {
                let file = file.display();
                format!("use the Orco that wrote it, or move it away (`mv {file} {file}.old`); {lost}")
            }
        }
    }

    pub(super) const fn version(file: PathBuf, theirs: u8) -> Self {
        Self::Version { file, theirs, ours: VERSION }
    }
}

/// What of writing failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A batch with more than 4 GiB; nothing was changed.
    Encode,
    /// Appending to the file.
    Write,
    /// Cutting off what a failed write left.
    Truncate,
    /// Making it durable.
    Sync,
    /// Writing a new file beside it.
    Stage,
    /// Putting the new file in its place.
    Publish,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encode => "take this batch into",
            Self::Write => "write to",
            Self::Truncate => "repair",
            Self::Sync => "sync",
            Self::Stage => "write a new file for",
            Self::Publish => "replace",
        })
    }
}

/// The journal could not be written. Its map has the changes all the same (but for [`Step::Encode`]); the next
/// [`append`](super::Journal::append) or [`sync`](super::Journal::sync) tries again to bring the file there.
#[derive(Debug, Error)]
#[error("cannot {step} the journal `{}`", file.display())]
pub struct WriteError {
    /// The file.
    pub file: PathBuf,
    /// What failed.
    pub step: Step,
    /// Why.
    pub source: io::Error,
}

impl WriteError {
    /// Whether there is no room: the disk, the quota or the allowed size of a file is used up.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self.source.kind(), StorageFull | QuotaExceeded | FileTooLarge)
    }
}
