//! A state directory that outlives its engines.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    events::{Event, EventFile},
    ledger::Files,
    saved,
};
use crate::{
    brain::{Brain, BrainConfig},
    crash,
    journal::{Folder, Journal, OpenError},
    model::Moment,
    spec::Stack,
};

/// The opened state of a stack: its journal and its events. At most one at a time for a directory; whoever opens it
/// holds the stack's lock.
#[derive(Debug)]
pub struct Durable {
    pub(super) dir: PathBuf,
    pub(super) files: Files,
    pub(super) past: Vec<Event>,
    pub(super) stack: Option<Stack>,
}

/// Why a state directory cannot be used. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DurableError {
    /// The journal is damaged, of another version, or cannot be read.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// What it holds is not what Orco writes.
    #[error("the journal in {} makes no sense: {why}", .dir.display())]
    Senseless {
        /// The directory.
        dir: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The events cannot be read.
    #[error("cannot open the events in {}", .dir.display())]
    Events {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Durable {
    /// Opens the state in an existing directory; an empty one is a new stack's.
    ///
    /// # Errors
    /// [`DurableError`].
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, DurableError> {
        let dir = dir.into();
        crash::point("open.before-journal");
        let journal = Journal::open(Folder::new(&dir))?;
        if let Some(cut) = journal.cut() {
            tracing::warn!(
                offset = cut.offset,
                bytes = cut.bytes,
                "an unfinished record at the journal's end was cut off"
            );
        }
        crash::point("open.after-journal");
        let senseless = |why: String| DurableError::Senseless { dir: dir.clone(), why };
        let stack = match journal.entries().get(saved::WANTED) {
            Some(json) => Some(Stack::from_json(json).map_err(|e| senseless(e.to_string()))?),
            None => None,
        };
        let events = EventFile::open(&dir).map_err(|source| DurableError::Events { dir: dir.clone(), source });
        let (events, past) = events?;
        crash::point("open.after-events");
        Ok(Self { dir, files: Files { journal, events }, past, stack })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The stack that was wanted last, if there ever was one.
    pub const fn stack(&self) -> Option<&Stack> {
        self.stack.as_ref()
    }

    /// How many instances may live as far as is remembered: those that ran, and those whose start was asked for. They
    /// may have ended since.
    pub fn live(&self) -> usize {
        let entries = || self.files.journal.entries().iter();
        let ran = entries().filter(|(key, value)| saved::read_instance(key, value).is_some()).count();
        let brain = entries().filter(|(key, _)| !key.starts_with(saved::PREFIX)).map(|(key, value)| (&**key, &**value));
        // What the brain cannot read the next engine cannot either, and says so.
        let meant =
            Brain::restore(BrainConfig::new(0), brain, Moment::ZERO).map_or(0, |brain| brain.remembered().len());
        ran.max(meant)
    }

    /// What the host of an earlier engine kept under this name.
    pub fn kept(&self, name: &str) -> Option<&[u8]> {
        self.files.journal.entries().get(format!("{}{name}", saved::KEPT).as_str()).map(|value| &**value)
    }
}
