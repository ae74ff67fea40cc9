//! The state directory of one stack.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use orco_core::model::StackId;

use super::{Lock, StateRoot, socket_path};

/// The state directory of one stack and what is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    id: StackId,
    dir: PathBuf,
}

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// It cannot be created or looked at.
    #[error("cannot prepare the directory `{}`", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not a private directory of ours.
    #[error("`{}` is not safe to use: {why}", .path.display())]
    Unsafe {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Place {
    /// The place of this stack; nothing is created.
    pub fn new(root: &StateRoot, id: StackId) -> Self {
        Self { id, dir: root.path().join(id.to_string()) }
    }

    /// The place that this directory is: its last component is the stack's id. `None`: no such place.
    pub fn at(dir: &Path) -> Option<Self> {
        let name = dir.file_name()?.to_str().filter(|name| name.len() == 12)?;
        let id = StackId::from_bits(u64::from_str_radix(name, 16).ok()?);
        Some(Self::new(&StateRoot::new(dir.parent()?), id))
    }

    /// The stack.
    pub const fn id(&self) -> StackId {
        self.id
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        socket_path(&self.dir, self.id)
    }

    /// Removes the control socket's file: the stack has ended. The lock proves that it is nobody else's.
    pub fn remove_socket(&self, _lock: &Lock) {
        // One that is missing or stays is stale, and is replaced.
        let _ = fs::remove_file(self.socket());
    }

    /// The lock file.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Name, folder and pids.
    pub fn meta(&self) -> PathBuf {
        self.dir.join("meta.json")
    }

    /// What a daemon is to do first, written by whoever starts it.
    pub fn incoming(&self) -> PathBuf {
        self.dir.join("incoming.json")
    }

    /// What the daemon has to say.
    pub fn daemon_log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// The log segments.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Creates the directory, 0700, and checks that it is ours alone. Also the socket's, where it is another.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn create(&self) -> Result<(), PlaceError> {
        if let Some(root) = self.dir.parent() {
            make(root, true)?;
        }
        make(&self.dir, false)?;
        private(&self.dir)?;
        self.check_socket_dir(true)
    }

    /// Checks the folder of a socket that is outside the state directory; `create`: makes it if it is missing.
    ///
    /// # Errors
    /// [`PlaceError::Unsafe`] where somebody else could have put a socket there.
    pub fn check_socket_dir(&self, create: bool) -> Result<(), PlaceError> {
        let socket = self.socket();
        match socket.parent() {
            Some(dir) if dir != self.dir => {
                if create {
                    make(dir, false)?;
                }
                private(dir)
            }
            _ => Ok(()),
        }
    }
}

fn make(dir: &Path, recursive: bool) -> Result<(), PlaceError> {
    match fs::DirBuilder::new().mode(0o700).recursive(recursive).create(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|source| PlaceError::Io { path: dir.to_owned(), source }),
    }
}

/// Ours, a real directory, and closed to everybody else.
fn private(dir: &Path) -> Result<(), PlaceError> {
    let io = |source| PlaceError::Io { path: dir.to_owned(), source };
    let bad = |why: String| Err(PlaceError::Unsafe { path: dir.to_owned(), why });
    let meta = fs::symlink_metadata(dir).map_err(io)?;
    if !meta.is_dir() {
        return bad("it is not a directory".to_owned());
    }
    if meta.uid() != nix::unistd::geteuid().as_raw() {
        return bad(format!("it belongs to user {}", meta.uid()));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return bad(format!("others may enter it (mode {:o}); `chmod 700` it", meta.permissions().mode() & 0o777));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn private_or_refused() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(temp.path().join("a/b")), StackId::from_bits(7));
        place.create().unwrap();
        place.create().unwrap();
        assert_eq!(Place::at(place.dir()).as_ref(), Some(&place));
        assert_eq!(Place::at(temp.path()), None);
        assert_eq!(fs::metadata(place.dir()).unwrap().permissions().mode() & 0o777, 0o700);

        fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(place.create(), Err(PlaceError::Unsafe { .. })));

        fs::remove_dir(place.dir()).unwrap();
        std::os::unix::fs::symlink(temp.path(), place.dir()).unwrap();
        assert!(matches!(place.create(), Err(PlaceError::Unsafe { .. })));
    }
}
