//! One pull of an image at a time on this machine: a lock file that all Orcos of a user know.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};

/// How often a lock that another has is tried again.
const FIRST: Duration = Duration::from_millis(20);
const LAST: Duration = Duration::from_millis(500);

/// After so long the other one is taken for stuck (a stopped process keeps its locks), and the pull goes on beside it.
/// Engines take two pulls of an image without harm.
const PATIENCE: Duration = Duration::from_mins(15);

/// The locks of pulls.
#[derive(Debug)]
pub(super) struct Turns {
    dir: PathBuf,
}

/// Held while pulling; the lock file goes with it.
#[derive(Debug)]
pub(super) struct Turn {
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl Turns {
    /// Those that all Orcos of this user know.
    pub(super) fn new() -> Self {
        let uid = fs::metadata("/proc/self").map_or(0, |m| m.uid());
        Self::within(std::env::temp_dir().join(format!("orco-pulls-{uid}")))
    }

    pub(super) const fn within(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Waits until no other pulls this from `engine` (which tells engines apart); `waits` is called once if it has to. `None`: there can be no lock here, which
    /// costs at most a second pull. Cancel-safe.
    pub(super) async fn take(&self, engine: &str, subject: &str, waits: impl FnOnce()) -> Option<Turn> {
        let path = self.path(engine, subject);
        let (mut pause, mut waited, mut waits) = (FIRST, Duration::ZERO, Some(waits));
        while waited < PATIENCE {
            match self.attempt(&path) {
                Ok(Some(turn)) => return Some(turn),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, dir = %self.dir.display(), "pulls are not shared with other programs");
                    return None;
                }
            }
            if let Some(waits) = waits.take() {
                waits();
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LAST);
        }
        tracing::warn!(subject, "another program has been pulling this for too long; pulling beside it");
        None
    }

    fn path(&self, engine: &str, subject: &str) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(engine.as_bytes());
        hash.update([0]);
        hash.update(subject.as_bytes());
        let mut name = String::with_capacity(32);
        for byte in hash.finalize().iter().take(16) {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        self.dir.join(name)
    }

    fn attempt(&self, path: &Path) -> io::Result<Option<Turn>> {
        make_dir(&self.dir)?;
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // The one before may have removed the file between our opening and locking it: then this lock is of a file
        // that nobody else will ever find.
        let ours = file.metadata()?;
        match fs::symlink_metadata(path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {
                Ok(Some(Turn { path: path.to_owned(), _file: file }))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before the lock goes, so that it is our own file. What cannot be removed is an empty file that serves again.
        let _ = fs::remove_file(&self.path);
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // A folder of somebody else under this name could hold the locks hostage.
    let (ours, theirs) = (fs::metadata("/proc/self")?.uid(), fs::symlink_metadata(dir)?);
    if theirs.is_dir() && theirs.uid() == ours && theirs.mode().trailing_zeros() >= 6 {
        Ok(())
    } else {
        Err(io::Error::other("it is not a directory of this user alone"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        os::unix::fs::PermissionsExt,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_stays() {
        let dir = tempfile::tempdir().unwrap();
        let locks = dir.path().join("locks");
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        let one = || async {
            // Each its own, as if in its own process.
            let turns = Turns::within(locks.clone());
            let turn = turns.take("engine", "redis:7", || ()).await.unwrap();
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            inside.fetch_sub(1, Ordering::SeqCst);
            drop(turn);
        };
        futures::future::join_all((0..20).map(|_| one())).await;
        assert_eq!(most.load(Ordering::SeqCst), 1);
        assert_eq!(fs::read_dir(&locks).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn other_images_and_engines_do_not_wait() {
        let dir = tempfile::tempdir().unwrap();
        let turns = Turns::within(dir.path().join("l"));
        let never = || panic!("waited");
        let _held = (
            turns.take("a", "x", never).await.unwrap(),
            turns.take("a", "y", never).await.unwrap(),
            turns.take("b", "x", never).await.unwrap(),
        );
    }

    #[tokio::test]
    async fn a_directory_of_others_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let (open, link) = (dir.path().join("open"), dir.path().join("link"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        std::os::unix::fs::symlink(&open, &link).unwrap();
        for path in [open, link] {
            assert!(Turns::within(path).take("e", "x", || ()).await.is_none());
        }
    }
}
