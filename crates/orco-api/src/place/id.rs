//! From a stack file's path to the stack's id.

use std::{
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use orco_core::model::StackId;
use sha2::{Digest, Sha256};

/// Why there is no stack file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackFileError {
    /// None in this folder or above it.
    #[error("no `stack.yaml` in `{}` or a folder above it", .from.display())]
    None {
        /// Where the search began.
        from: PathBuf,
    },
    /// The path leads nowhere.
    #[error("cannot find `{}`", .path.display())]
    Unreachable {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The stack file: the one that was named, or `stack.yaml` in `from` or the nearest folder above it.
/// Canonical. A named file may be missing as long as its folder exists: a stack whose file was removed
/// can still be stopped.
///
/// # Errors
/// [`StackFileError`].
pub fn find_stack_file(named: Option<&Path>, from: &Path) -> Result<PathBuf, StackFileError> {
    match named {
        Some(path) => {
            let path = from.join(path);
            canonical(&path).map_err(|source| StackFileError::Unreachable { path, source })
        }
        None => from
            .ancestors()
            .map(|dir| dir.join("stack.yaml"))
            .find_map(|path| path.is_file().then(|| path.canonicalize().ok()).flatten())
            .ok_or_else(|| StackFileError::None { from: from.to_owned() }),
    }
}

fn canonical(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok(parent.canonicalize()?.join(name)),
            _ => Err(e),
        },
        other => other,
    }
}

/// The id of the stack in this (canonical) file: the first 12 hex digits of the SHA-256 of its path.
pub fn id_of(canonical: &Path) -> StackId {
    let hash = Sha256::digest(canonical.as_os_str().as_bytes());
    StackId::from_bits(hash.iter().take(6).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn id_is_the_same_that_the_loader_gives() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().canonicalize().unwrap().join("stack.yaml");
        std::fs::write(&file, "").unwrap();
        assert_eq!(id_of(&file), orco_core::load::stack_id(&file).unwrap());
        // And the one that everybody can compute.
        let hash = Sha256::digest(b"/srv/demo/stack.yaml");
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(id_of(Path::new("/srv/demo/stack.yaml")).to_string(), hex[..12]);
    }

    #[test]
    fn finds_upwards_and_follows_links() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let deep = dir.join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        let file = dir.join("stack.yaml");
        std::fs::write(&file, "broken: [").unwrap();
        std::os::unix::fs::symlink(&file, dir.join("link.yaml")).unwrap();

        assert_eq!(find_stack_file(None, &deep).unwrap(), file);
        assert_eq!(find_stack_file(Some(Path::new("../../link.yaml")), &deep).unwrap(), file);
        assert_eq!(find_stack_file(Some(Path::new("gone.yaml")), &dir).unwrap(), dir.join("gone.yaml"));
        assert!(matches!(
            find_stack_file(Some(Path::new("no/such.yaml")), &dir),
            Err(StackFileError::Unreachable { .. })
        ));
    }
}
