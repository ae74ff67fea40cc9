//! Which stack is meant.

use std::{
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::model::StackId;

/// The name of stack files.
const NAME: &str = "stack.yaml";

/// `stack.yaml` in this folder or the nearest one above it.
///
/// # Errors
/// When the folder itself cannot be found.
pub fn find_stack_file(folder: &Path) -> io::Result<Option<PathBuf>> {
    let here = folder.join(NAME);
    if here.is_file() {
        // As the user would write it.
        return Ok(Some(if folder == Path::new(".") { PathBuf::from(NAME) } else { here }));
    }
    let folder = folder.canonicalize()?;
    Ok(folder.ancestors().skip(1).map(|above| above.join(NAME)).find(|file| file.is_file()))
}

/// The identity of the stack of a file: the first 12 hex digits of the SHA-256 of its canonical path. Its content does
/// not matter, so a broken file has the same identity.
///
/// # Errors
/// When the file does not exist or its path cannot be followed.
pub fn stack_id(file: &Path) -> io::Result<StackId> {
    let digest = Sha256::digest(file.canonicalize()?.as_os_str().as_bytes());
    Ok(StackId::from_bits(digest.iter().take(6).fold(0, |bits, byte| bits << 8 | u64::from(*byte))))
}
