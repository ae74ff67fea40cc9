//! What an engine finds on its descriptors when a detached keeper has started it.

use std::{
    io::Read,
    os::{
        fd::{FromRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    sync::Mutex,
    time::Duration,
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    hook,
    keeper::{LISTENER, LOCK},
    wire::{VERSION, Welcome},
};

/// The keeper has written before it started us: this only ends a wait for somebody who is no keeper.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an engine is born with.
#[derive(Debug)]
pub struct Inherited {
    /// The socket to the keeper, for [`Client::attach`](crate::Client::attach).
    pub link: OwnedFd,
    /// The state lock.
    pub lock: OwnedFd,
    /// The listening control socket.
    pub listener: OwnedFd,
    /// The keeper's pid.
    pub keeper_pid: u32,
    /// What services begin with, as the first keeper was started with it.
    pub origin: Origin,
}

/// What services begin with that keepers and engines have changed for themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The file mode mask.
    pub umask: u32,
    /// `oom_score_adj`, if theirs is another.
    pub oom: Option<i32>,
    /// The soft limit of core files, in bytes: an engine may want none of its own, and starts keepers.
    pub core: Option<u64>,
}

/// Takes what the keeper has put on descriptors 3 to 5, and gives this process the descriptor limit back that the
/// keeper was started with. `None`: no keeper has started this process, or this was called before.
pub fn inherited() -> Option<Inherited> {
    static TAKEN: Mutex<bool> = Mutex::new(false);
    let mut taken = TAKEN.lock().ok()?;
    if *taken || !hook::is_stream_socket(hook::SOCKET) || !hook::is_listener(LISTENER) || !is_open(LOCK) {
        return None;
    }
    let link = UnixStream::from(take(hook::SOCKET));
    let Some(welcome) = read(&link) else {
        // Not ours after all: whoever they belong to keeps them.
        std::mem::forget(link);
        return None;
    };
    *taken = true;
    if welcome.version == VERSION {
        // It only ever goes down: that cannot fail.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, welcome.nofile.0, welcome.nofile.1);
    }
    let core = getrlimit(Resource::RLIMIT_CORE).ok().map(|(soft, _)| soft);
    // The keeper has run us through a descriptor, whose number would be our name in lists of processes.
    let _ = std::fs::write("/proc/self/comm", "orco");
    Some(Inherited {
        link: link.into(),
        lock: take(LOCK),
        listener: take(LISTENER),
        keeper_pid: nix::unistd::getppid().as_raw().cast_unsigned(),
        origin: Origin { umask: welcome.umask, oom: welcome.oom, core },
    })
}

fn is_open(fd: RawFd) -> bool {
    // SAFETY: asks for a flag.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// To be called once for a number that was verified to be the keeper's.
fn take(fd: RawFd) -> OwnedFd {
    // SAFETY: the keeper has opened it for us, and nothing else in this process knows of it.
    unsafe {
        libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        OwnedFd::from_raw_fd(fd)
    }
}

/// Exactly the keeper's first frame; what follows is for the client.
fn read(mut link: &UnixStream) -> Option<Welcome> {
    link.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut length = [0; 4];
    link.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_le_bytes(length)).ok().filter(|length| *length <= Welcome::LONGEST)?;
    let mut body = vec![0; length];
    link.read_exact(&mut body).ok()?;
    link.set_read_timeout(None).ok()?;
    Welcome::of(&body).ok()
}
