//! The control socket: who may speak to it.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::sys::{
    socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket},
    stat::{Mode, fchmod},
};
use tokio::net::{UnixListener, UnixStream};

use crate::place::{Lock, Place, PlaceError};

/// Why the control socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Its directory.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The socket itself.
    #[error("cannot listen on `{}`", .path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Opens the socket, 0600. The lock proves that a socket that is already there is a dead one's.
pub(super) fn open(place: &Place, _lock: &Lock) -> Result<(UnixListener, PathBuf), ListenError> {
    place.check_socket_dir(true)?;
    let path = place.socket();
    let listener = bind_private(&path).map_err(|source| ListenError::Io { path: path.clone(), source })?;
    Ok((listener, path))
}

fn bind_private(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    // Linux gives the socket's file the mode of the descriptor: nobody finds it open for a moment, and the umask,
    // which belongs to the whole process, is left alone.
    fchmod(&fd, Mode::S_IRUSR | Mode::S_IWUSR)?;
    bind(std::os::fd::AsRawFd::as_raw_fd(&fd), &UnixAddr::new(path)?)?;
    // What holds on Linux is made sure of everywhere.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listen(&fd, Backlog::new(128)?)?;
    UnixListener::from_std(std::os::unix::net::UnixListener::from(fd))
}

/// Only this user, and root, who could do everything anyway.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    let us = nix::unistd::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::place::StateRoot;
    use orco_core::model::StackId;

    #[tokio::test]
    async fn private_and_replaces_a_dead_one() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(temp.path()), StackId::from_bits(1));
        place.create().unwrap();
        let lock = Lock::take(&place).unwrap();
        drop(open(&place, &lock).unwrap());
        let (listener, path) = open(&place, &lock).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let (_client, server) = (UnixStream::connect(&path).await.unwrap(), listener.accept().await.unwrap().0);
        assert!(is_ours(&server));
    }
}
