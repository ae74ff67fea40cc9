//! `daemon.log`: what the daemon has to say, one old one kept.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use orco_api::place::Place;

/// Above this a new one is begun.
const LARGEST: u64 = 1 << 20;

/// Opens it to append, 0600; one that has grown too large is put aside first.
///
/// # Errors
/// The system's.
pub fn open(place: &Place) -> io::Result<File> {
    let path = place.daemon_log();
    put_aside(&path);
    File::options().append(true).create(true).mode(0o600).open(path)
}

/// Keeps it small. It is copied and emptied, not renamed: keeper and engine have it open, and append.
pub fn put_aside(path: &Path) {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > LARGEST) && fs::copy(path, old(path)).is_ok() {
        // At worst it stays long.
        let _ = File::options().write(true).open(path).and_then(|file| file.set_len(0));
    }
}

fn old(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use orco_api::place::StateRoot;
    use orco_core::model::StackId;

    use super::*;

    #[test]
    fn one_old_one_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
        place.create().unwrap();
        let mut log = open(&place).unwrap();
        log.write_all(b"first\n").unwrap();
        put_aside(&place.daemon_log());
        assert_eq!(fs::read(place.daemon_log()).unwrap(), b"first\n", "a small one stays");
        log.write_all(&vec![b'x'; 1 << 20]).unwrap();
        put_aside(&place.daemon_log());
        log.write_all(b"second\n").unwrap();
        assert_eq!(fs::read(place.daemon_log()).unwrap(), b"second\n", "who has it open goes on at its beginning");
        assert!(fs::read(old(&place.daemon_log())).unwrap().starts_with(b"first\nxx"));
    }
}
