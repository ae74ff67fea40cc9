//! Starting the keeper program.

use std::{
    ffi::{CStr, CString, c_char, c_int},
    fs::OpenOptions,
    io,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::{ffi::OsStrExt, fs::OpenOptionsExt, net::UnixStream},
    },
    path::PathBuf,
    ptr,
    sync::Arc,
};

use super::{config::Config, error::StartError};
use crate::{
    hook,
    keeper::{LOCK, WITH_LOCK, WITHOUT_LOCK},
    sys,
};

/// A keeper program that has just been started.
#[derive(Debug)]
pub(super) struct Launched {
    pub(super) socket: UnixStream,
    /// The process we started: the keeper's guard.
    pub(super) guard: Guard,
}

/// The process that guards the keeper. It is our child, and ends after everything it guards.
#[derive(Debug)]
pub(super) struct Guard {
    pid: libc::pid_t,
    pub(super) pidfd: OwnedFd,
}

impl Guard {
    /// Its exit status, if it has ended; `None` also if somebody else has reaped it.
    pub(super) fn reap(&self) -> Option<c_int> {
        match sys::reap(self.pid, false) {
            sys::Reaped::Child(_, status) if libc::WIFEXITED(status) => Some(libc::WEXITSTATUS(status)),
            _ => None,
        }
    }
}

/// The program that is run as keeper.
pub(super) fn program(config: &Config) -> PathBuf {
    config.program.clone().unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Where the keeper's standard error goes, if anywhere.
pub(super) fn errors_file(config: &Config) -> Option<PathBuf> {
    config.state_dir.as_ref().map(|dir| dir.join("keeper.err"))
}

/// Starts the program with a socket on descriptor 3, in a session of its own, without our environment.
pub(super) fn launch(config: &Config) -> Result<Launched, StartError> {
    if config.program.is_none() && !hook::hook_active() {
        return Err(StartError::NoHook);
    }
    let program = program(config);
    try_launch(config, &program)
        .map_err(|source| StartError::Launch { program: program.display().to_string(), source: Arc::new(source) })
}

fn try_launch(config: &Config, program: &std::path::Path) -> io::Result<Launched> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let errors = match errors_file(config) {
        Some(file) => OpenOptions::new().append(true).create(true).mode(0o600).open(file)?,
        None => null.try_clone()?,
    };
    let (ours, theirs) = UnixStream::pair()?;
    // Numbers well above those they are copied to, so that no copy destroys another's source.
    let high = |fd: RawFd| -> io::Result<OwnedFd> {
        // SAFETY: fcntl with these arguments takes numbers only, and answers with a new descriptor.
        let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 16) };
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made for us.
        Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(copy) })
    };
    let mut copies = vec![(high(null.as_raw_fd())?, 0), (high(null.as_raw_fd())?, 1), (high(errors.as_raw_fd())?, 2)];
    copies.push((high(theirs.as_raw_fd())?, hook::SOCKET));
    if let Some(lock) = &config.lock {
        copies.push((high(lock.as_raw_fd())?, LOCK));
    }
    let lock = if config.lock.is_some() { WITH_LOCK } else { WITHOUT_LOCK };
    let arguments = [hook::NAME.to_owned(), CString::new(lock)?, CString::new(config.backend.as_str())?];
    let path = CString::new(program.as_os_str().as_bytes())?;
    let pid = posix_spawn(&path, &arguments, &copies)?;
    let pidfd = sys::pidfd_open(pid)?;
    ours.set_nonblocking(true)?;
    Ok(Launched { socket: ours, guard: Guard { pid, pidfd } })
}

/// posix_spawn(3): unlike fork it costs the same however big this process is. All signals go back to their defaults,
/// none is blocked, the session is new, the environment empty.
fn posix_spawn(path: &CStr, arguments: &[CString], copies: &[(OwnedFd, c_int)]) -> io::Result<libc::pid_t> {
    let done = |answer: c_int| if answer == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(answer)) };
    let argv: Vec<*mut c_char> =
        arguments.iter().map(|argument| argument.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect();
    let envp: [*mut c_char; 1] = [ptr::null_mut()];
    let mut pid = 0;
    // SAFETY: both objects are initialised before use and destroyed after it; every pointer stays valid for the
    // call; the sets are filled by sigemptyset and sigfillset.
    unsafe {
        let mut actions: libc::posix_spawn_file_actions_t = std::mem::zeroed();
        let mut attributes: libc::posix_spawnattr_t = std::mem::zeroed();
        done(libc::posix_spawn_file_actions_init(&raw mut actions))?;
        done(libc::posix_spawnattr_init(&raw mut attributes))?;
        let spawned = (|| {
            for (from, to) in copies {
                done(libc::posix_spawn_file_actions_adddup2(&raw mut actions, from.as_raw_fd(), *to))?;
            }
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            done(libc::posix_spawnattr_setsigmask(&raw mut attributes, &raw const set))?;
            libc::sigfillset(&raw mut set);
            done(libc::posix_spawnattr_setsigdefault(&raw mut attributes, &raw const set))?;
            let signals = (libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF) as libc::c_short;
            let flags = signals | libc::POSIX_SPAWN_SETSID as libc::c_short;
            done(libc::posix_spawnattr_setflags(&raw mut attributes, flags))?;
            let (actions, attributes) = (&raw const actions, &raw const attributes);
            done(libc::posix_spawn(&raw mut pid, path.as_ptr(), actions, attributes, argv.as_ptr(), envp.as_ptr()))
        })();
        libc::posix_spawn_file_actions_destroy(&raw mut actions);
        libc::posix_spawnattr_destroy(&raw mut attributes);
        spawned?;
    }
    Ok(pid)
}
