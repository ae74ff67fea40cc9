//! The control socket: who may speak to it.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net},
    },
    path::{Path, PathBuf},
};

use nix::sys::{
    socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, getsockopt, listen, socket, sockopt},
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

/// The control socket. Connections wait in its queue until somebody serves them, also while the process that did so
/// is being replaced: the queue belongs to the open socket, and lives as long as any process holds it.
#[derive(Debug)]
pub struct Listener {
    socket: net::UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Opens the socket, 0600. The lock proves that a socket that is already there is a dead one's.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(place: &Place, _lock: &Lock) -> Result<Self, ListenError> {
        place.check_socket_dir(true)?;
        let path = place.socket();
        match bind_private(&path) {
            Ok(socket) => Ok(Self { socket, path }),
            Err(source) => Err(ListenError::Io { path, source }),
        }
    }

    /// The socket that a parent process has opened for this place and passed on.
    ///
    /// # Errors
    /// [`ListenError::Io`] where the descriptor is no listening Unix socket.
    pub fn inherited(place: &Place, descriptor: OwnedFd) -> Result<Self, ListenError> {
        let path = place.socket();
        let adopt = || -> io::Result<net::UnixListener> {
            if !getsockopt(&descriptor, sockopt::AcceptConn)? {
                return Err(io::Error::other("it does not listen"));
            }
            let socket = net::UnixListener::from(descriptor);
            // Fails for sockets of another kind.
            socket.local_addr()?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        match adopt() {
            Ok(socket) => Ok(Self { socket, path }),
            Err(source) => Err(ListenError::Io { path, source }),
        }
    }

    /// Another descriptor of the same open socket, for a process that shall hold it too.
    ///
    /// # Errors
    /// When there can be no more descriptors.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.socket.try_clone().map(Into::into)
    }

    /// For the loop that serves it, with its path.
    pub(super) fn open(self) -> Result<(UnixListener, PathBuf), ListenError> {
        match UnixListener::from_std(self.socket) {
            Ok(socket) => Ok((socket, self.path)),
            Err(source) => Err(ListenError::Io { path: self.path, source }),
        }
    }
}

fn bind_private(path: &Path) -> io::Result<net::UnixListener> {
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
    // As many as the system lets wait: while an engine is replaced, nobody is refused.
    listen(&fd, Backlog::MAXCONN)?;
    Ok(net::UnixListener::from(fd))
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
        drop(Listener::bind(&place, &lock).unwrap());
        let (listener, path) = Listener::bind(&place, &lock).unwrap().open().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let (_client, server) = (UnixStream::connect(&path).await.unwrap(), listener.accept().await.unwrap().0);
        assert!(is_ours(&server));
    }

    #[tokio::test]
    async fn who_connects_while_nobody_serves_waits_for_who_inherits() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(temp.path()), StackId::from_bits(1));
        place.create().unwrap();
        let lock = Lock::take(&place).unwrap();
        let first = Listener::bind(&place, &lock).unwrap();
        let shared = first.share().unwrap();
        let (serving, _) = first.open().unwrap();
        drop(serving);
        let client = UnixStream::connect(place.socket()).await.unwrap();
        let (next, path) = Listener::inherited(&place, shared).unwrap().open().unwrap();
        assert_eq!(path, place.socket());
        let server = next.accept().await.unwrap().0;
        server.try_write(b"x").unwrap();
        client.readable().await.unwrap();

        let stranger = fs::File::open("/dev/null").unwrap();
        assert!(matches!(Listener::inherited(&place, stranger.into()), Err(ListenError::Io { .. })));
        let connected = std::os::unix::net::UnixStream::pair().unwrap().0;
        assert!(matches!(Listener::inherited(&place, connected.into()), Err(ListenError::Io { .. })));
    }
}
