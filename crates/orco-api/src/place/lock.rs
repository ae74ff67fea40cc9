//! One manager per stack.

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt as _},
    path::PathBuf,
};

use super::{Meta, Place};

/// The right to run a stack. Held as long as this value, or any process that inherited its descriptor, lives:
/// the lock belongs to the open file, so it is free only when all of them are gone. A crash frees it; there is
/// nothing to clean up.
#[derive(Debug)]
pub struct Lock {
    file: fs::File,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The stack runs.
    #[error("{}", held(.holder.as_deref()))]
    Held {
        /// Who runs it, if that is written down.
        holder: Option<Box<Meta>>,
    },
    /// The lock file cannot be opened.
    #[error("cannot open `{}`", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn held(holder: Option<&Meta>) -> String {
    match holder {
        Some(meta) => {
            let pid = meta.pid.map_or_else(|| "unknown pid".to_owned(), |pid| format!("pid {pid}"));
            format!("stack `{}` already runs: {pid}, folder `{}`", meta.stack, meta.dir.display())
        }
        None => "the stack already runs".to_owned(),
    }
}

impl Lock {
    /// Takes the lock without waiting. The state directory must exist.
    ///
    /// # Errors
    /// [`LockError::Held`] while somebody else has it.
    pub fn take(place: &Place) -> Result<Self, LockError> {
        let path = place.lock();
        let open = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open.map_err(|source| LockError::Io { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(fs::TryLockError::WouldBlock) => {
                Err(LockError::Held { holder: Meta::read(place).ok().flatten().map(Box::new) })
            }
            Err(fs::TryLockError::Error(source)) => Err(LockError::Io { path, source }),
        }
    }

    /// The lock that a parent process has taken and passed on: another descriptor of its open file.
    pub fn inherited(descriptor: OwnedFd) -> Self {
        Self { file: descriptor.into() }
    }

    /// Another descriptor of the same open file, for a process that shall hold the lock too (a keeper).
    ///
    /// # Errors
    /// When there can be no more descriptors.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.file.try_clone().map(Into::into)
    }

    /// Whether anybody holds the lock. A look only: the answer may be old when it arrives.
    pub fn is_held(place: &Place) -> bool {
        // Shared, so that two lookers do not see each other as holders.
        fs::File::open(place.lock())
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use orco_core::model::StackId;

    use super::*;
    use crate::{
        place::StateRoot,
        wire::{Mode, Timestamp},
    };

    #[test]
    fn second_one_learns_who_holds_it() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(temp.path()), StackId::from_bits(7));
        place.create().unwrap();
        let lock = Lock::take(&place).unwrap();
        assert_eq!(Lock::take(&place).unwrap_err().to_string(), "the stack already runs");
        let meta = Meta {
            stack: "demo".into(),
            id: place.id().to_string(),
            dir: "/srv/demo".into(),
            file: "/srv/demo/stack.yaml".into(),
            pid: Some(42),
            keeper_pid: None,
            mode: Mode::Foreground,
            since: Timestamp::from_unix_micros(0),
        };
        meta.write(&place).unwrap();
        assert_eq!(Meta::read(&place).unwrap().as_ref(), Some(&meta));
        assert_eq!(
            Lock::take(&place).unwrap_err().to_string(),
            "stack `demo` already runs: pid 42, folder `/srv/demo`"
        );
        assert!(Lock::is_held(&place));
        let shared = lock.share().unwrap();
        drop(lock);
        assert!(Lock::is_held(&place), "whoever shares it holds it");
        let inherited = Lock::inherited(shared);
        assert!(matches!(Lock::take(&place), Err(LockError::Held { .. })));
        drop(inherited);
        assert!(!Lock::is_held(&place));
        drop(Lock::take(&place).unwrap());
    }
}
