//! Small files beside the segments: replaced whole, so that a reader sees the old one or the new one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Replaces a file. Where the machine goes down soon after, it may be empty.
///
/// # Errors
/// When it cannot be written; the old one is then still there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    prepare(path, bytes)?;
    put(path)
}

/// Writes the next one beside it; [`put`] makes it the one that counts.
pub(super) fn prepare(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(next(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Puts what was prepared in the old one's place.
pub(super) fn put(path: &Path) -> io::Result<()> {
    fs::rename(next(path), path)
}

/// No name of this ending is one of ours, whatever is left behind.
fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// What is read of a file that is not as we write it.
pub(super) fn damaged(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is damaged", path.display()))
}

/// Reads a file that `parse` knows. `None`: there is none; nonsense is an error.
pub(super) fn read<T>(path: &Path, parse: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => parse(&bytes).map(Some).ok_or_else(|| damaged(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::log::format::FileName;

    #[test]
    fn replaced_whole_and_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.1.gone");
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<u64>().ok();
        assert_eq!(read(&path, number).unwrap(), None);
        replace(&path, b"1").unwrap();
        let _ = prepare(&path, b"not yet").unwrap();
        assert_eq!(read(&path, number).unwrap(), Some(1));
        put(&path).unwrap();
        assert_eq!(read(&path, number).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(FileName::parse(next(&path).file_name().unwrap().to_str().unwrap()), None);
    }
}
