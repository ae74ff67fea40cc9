//! `meta.json`: what a stranger who finds the state directory wants to know.

use std::{fs, io, io::Write, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::Place;
use crate::wire::{Mode, Timestamp};

/// Name, folder and pids of the stack of a state directory. Stays when the stack has ended, for its logs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// The stack's name.
    pub stack: String,
    /// Its id.
    pub id: String,
    /// The folder of the stack file.
    pub dir: PathBuf,
    /// The stack file.
    pub file: PathBuf,
    /// The engine's process; null once it has ended.
    pub pid: Option<u32>,
    /// The keeper's process, where there is one.
    pub keeper_pid: Option<u32>,
    /// Who keeps the stack running.
    pub mode: Mode,
    /// Since when.
    pub since: Timestamp,
}

/// Why `meta.json` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// It cannot be read or written.
    #[error("cannot access `{}`", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what Orco writes.
    #[error("`{}` is damaged", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Meta {
    /// Reads it; `None` where the stack never ran.
    ///
    /// # Errors
    /// [`MetaError`].
    pub fn read(place: &Place) -> Result<Option<Self>, MetaError> {
        let path = place.meta();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| MetaError::Damaged { path, source }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MetaError::Io { path, source }),
        }
    }

    /// Replaces it in one step: a reader sees the old or the new one, never half of it.
    ///
    /// # Errors
    /// [`MetaError::Io`].
    pub fn write(&self, place: &Place) -> Result<(), MetaError> {
        let path = place.meta();
        let next = path.with_extension("json.new");
        let replace = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            fs::rename(&next, &path)
        };
        replace().map_err(|source| MetaError::Io { path: path.clone(), source })
    }
}
