//! Starting a keeper that outlives who starts it.

use std::{
    ffi::{CString, OsString},
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::{ffi::OsStrExt, net::UnixStream},
    },
};

use super::result::Started;
use crate::{
    hook,
    keeper::{DETACH, DETACHED, LISTENER, LOCK},
    program,
    sys::{self, Reaped},
    wire::Backend,
};

/// What a detached keeper is founded on.
#[derive(Debug)]
pub struct Charter {
    /// The arguments of every engine, after the program's name.
    pub engine_arguments: Vec<OsString>,
    /// How trees are killed.
    pub backend: Backend,
    /// The state lock: free when keeper and engine are both gone.
    pub lock: OwnedFd,
    /// The listening control socket (Unix, stream).
    pub listener: OwnedFd,
}

impl Charter {
    fn arguments(&self, options: &[&str]) -> io::Result<Vec<CString>> {
        let mode = [hook::NAME.to_owned(), CString::new(DETACHED)?, CString::new(self.backend.as_str())?];
        let options = options.iter().map(|option| CString::new(*option)).collect::<Result<Vec<_>, _>>()?;
        let own = self.engine_arguments.iter().map(|argument| CString::new(argument.as_bytes()));
        let own = own.collect::<Result<Vec<_>, _>>()?;
        Ok(mode.into_iter().chain(options).chain([c"--".to_owned()]).chain(own).collect())
    }

    /// The descriptors of the keeper: the result socket, the lock, the listener.
    fn copies(&self, result: &UnixStream) -> io::Result<Vec<(OwnedFd, RawFd)>> {
        Ok(vec![
            (program::high(result.as_fd())?, hook::SOCKET),
            (program::high(self.lock.as_fd())?, LOCK),
            (program::high(self.listener.as_fd())?, LISTENER),
        ])
    }
}

fn need_hook() -> io::Result<()> {
    if hook::hook_active() {
        return Ok(());
    }
    Err(io::Error::other("this program cannot run as its own keeper: `orco_keeper` is not linked in"))
}

/// Starts a keeper in a session of its own, with `log` as standard output and error, and its first engine. Nobody
/// has to wait for it. The environment is the caller's.
///
/// # Errors
/// The program cannot be started again.
pub fn start(charter: Charter, log: File) -> io::Result<Started> {
    need_hook()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let (ours, theirs) = UnixStream::pair()?;
    let mut copies = charter.copies(&theirs)?;
    copies.push((program::high(null.as_fd())?, 0));
    copies.push((program::high(log.as_fd())?, 1));
    copies.push((program::high(log.as_fd())?, 2));
    let pid = program::posix_spawn(program::SELF, &charter.arguments(&[DETACH])?, &program::environment(), &copies)?;
    // It forks the keeper and ends, so that the keeper is nobody's child.
    match sys::reap(pid, true) {
        Reaped::Child(_, 0) | Reaped::Childless => Ok(Started::new(ours)),
        Reaped::Child(..) | Reaped::None => Err(io::Error::other("the keeper ended at its start")),
    }
}

/// Turns this process into a keeper with its first engine; standard input, output, error and the environment stay.
/// Returns only on failure. To be called when nothing else of this process matters any more: descriptors 3 to 5 are
/// replaced.
pub fn become_keeper(charter: Charter) -> io::Error {
    match try_become(&charter) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn try_become(charter: &Charter) -> io::Result<std::convert::Infallible> {
    need_hook()?;
    // Nobody listens to the result; but the socket is what makes the program a keeper.
    let (_ours, theirs) = UnixStream::pair()?;
    let copies = charter.copies(&theirs)?;
    let (arguments, environment) = (charter.arguments(&[])?, program::environment());
    let (argv, envp) = (program::pointers(&arguments), program::pointers(&environment));
    for (from, to) in &copies {
        // SAFETY: dup2 takes numbers; the caller gives these three away.
        if unsafe { libc::dup2(from.as_raw_fd(), *to) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: the arrays end with null and outlive the call.
    unsafe { libc::execve(program::SELF.as_ptr(), argv.as_ptr().cast(), envp.as_ptr().cast()) };
    Err(io::Error::last_os_error())
}
