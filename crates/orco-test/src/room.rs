//! Private directories of stacks under the temporary folder, and how those of the dead go away.
//!
//! `TMP/orco-test-UID/NAME` with a lock file in it, held by whoever works in the directory: the kernel frees it
//! however that one ends. A directory whose lock is free belongs to nobody and is removed by the next who comes by.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

/// The lock file in each directory.
const LOCK: &str = "lock";
/// The longest path of a Unix socket is 107 bytes; below the root come `/f-16HEX/hold`.
const LONGEST_ROOT: usize = 80;
/// A directory without a lock file is being made, unless it is as old as this.
const HALF_MADE: Duration = Duration::from_secs(60);

/// A directory that is ours as long as this lives; it goes with it.
#[derive(Debug)]
pub(crate) struct Room {
    path: PathBuf,
    lock: File,
    remove: bool,
}

/// The directory of all rooms of this user, made if need be: nobody else may enter it.
pub(crate) fn root() -> io::Result<PathBuf> {
    let uid = nix::unistd::geteuid().as_raw();
    let name = format!("orco-test-{uid}");
    let near = std::env::temp_dir().join(&name);
    let root = if near.as_os_str().as_bytes().len() <= LONGEST_ROOT { near } else { Path::new("/tmp").join(name) };
    make(&root)?;
    let meta = fs::symlink_metadata(&root)?;
    // In a folder that everybody may write to, anybody could have made it first.
    if !meta.is_dir() || meta.uid() != uid || meta.mode() & 0o077 != 0 {
        let why = format!("`{}` is not a directory that is this user's alone", root.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(root)
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// A file of ours to lock, made if need be.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

impl Room {
    /// A new one.
    pub(crate) fn new() -> io::Result<Self> {
        let root = root()?;
        sweep(&root);
        loop {
            let path = root.join(format!("s-{}", crate::unique::word()));
            // Taken: a sweeper came between making and locking.
            if let Some(mut room) = Self::try_enter(&path)? {
                room.remove = true;
                return Ok(room);
            }
        }
    }

    /// Makes the directory if need be and takes its lock, which is all that this value is for: the directory stays.
    /// `None`: somebody else has it at this moment.
    pub(crate) fn try_enter(path: &Path) -> io::Result<Option<Self>> {
        make(path)?;
        let file = path.join(LOCK);
        let lock = match open(&file) {
            // A sweeper has just removed the directory.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(e)) => return Err(e),
        }
        // It may be the lock of a directory that was removed while we waited.
        let ours = lock.metadata()?.ino();
        let same = fs::metadata(&file).is_ok_and(|there| there.ino() == ours);
        Ok(same.then(|| Self { path: path.to_owned(), lock, remove: false }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// It goes with this value.
    pub(crate) fn remove(mut self) {
        self.remove = true;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.remove {
            // What somebody writes at this moment makes it fail: the next sweep gets it.
            let _ = fs::remove_dir_all(&self.path);
        }
        let _ = self.lock.unlock();
    }
}

/// Removes the directories that nobody holds any more.
pub(crate) fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if !path.join(LOCK).exists() {
            let age = fs::metadata(&path).and_then(|meta| meta.modified()).map(|at| at.elapsed().unwrap_or_default());
            if age.is_ok_and(|age| age > HALF_MADE) {
                let _ = fs::remove_dir_all(&path);
            }
            continue;
        }
        if crate::host::is_alive(&path) {
            continue;
        }
        if let Ok(Some(room)) = Room::try_enter(&path)
            && !crate::host::is_alive(&path)
        {
            room.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rooms_of_the_dead_are_removed_and_those_of_the_living_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let (dead, living, making) = (temp.path().join("dead"), temp.path().join("living"), temp.path().join("making"));
        drop(Room::try_enter(&dead).unwrap().unwrap());
        fs::create_dir_all(dead.join("logs/deep")).unwrap();
        let held = Room::try_enter(&living).unwrap().unwrap();
        fs::create_dir(&making).unwrap();
        assert!(Room::try_enter(&living).unwrap().is_none(), "one holder");
        sweep(temp.path());
        assert!(!dead.exists() && living.exists() && making.exists());
        held.remove();
        assert!(!living.exists());
    }
}
