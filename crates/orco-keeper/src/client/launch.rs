//! Starting the keeper program.

use std::{
    ffi::{CString, c_int},
    fs::OpenOptions,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::OpenOptionsExt, net::UnixStream},
    },
    path::PathBuf,
    sync::Arc,
};

use super::{
    config::{Config, Detached},
    error::StartError,
};
use crate::{
    hook,
    keeper::{CORE, LEDGER, LISTENER, LOCK, OOM, TAKEOVER, UMASK, WITH_LOCK, WITHOUT_LOCK},
    ledger::Ledger,
    program, sys,
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
pub(super) fn launch(config: &Config, number: u64, ledger: &Ledger) -> Result<Launched, StartError> {
    if config.program.is_none() && !hook::hook_active() {
        return Err(StartError::NoHook);
    }
    let program = program(config);
    let launched = match &config.detached {
        Some(detached) => take_over(config, detached, &program),
        None => try_launch(config, &program, number, ledger),
    };
    launched.map_err(|source| StartError::Launch { program: program.display().to_string(), source: Arc::new(source) })
}

/// The keeper of a running engine: in a session of its own, with our environment and standard streams, which are
/// those of the keeper before.
fn take_over(config: &Config, detached: &Detached, program: &std::path::Path) -> io::Result<Launched> {
    let (ours, theirs) = UnixStream::pair()?;
    let copies = [
        (program::high(theirs.as_fd())?, hook::SOCKET),
        (program::high(detached.lock.as_fd())?, LOCK),
        (program::high(detached.listener.as_fd())?, LISTENER),
    ];
    let umask = format!("{UMASK}{}", detached.origin.umask);
    let oom = detached.origin.oom.map(|oom| format!("{OOM}{oom}"));
    let mut arguments = vec![hook::NAME.to_owned(), CString::new(TAKEOVER)?, CString::new(config.backend.as_str())?];
    let core = detached.origin.core.map(|core| format!("{CORE}{core}"));
    for option in [Some(umask), oom, core].into_iter().flatten() {
        arguments.push(CString::new(option)?);
    }
    arguments.push(c"--".to_owned());
    for argument in &detached.engine_arguments {
        arguments.push(CString::new(argument.as_bytes())?);
    }
    let path = CString::new(program.as_os_str().as_bytes())?;
    let pid = program::posix_spawn(&path, &arguments, &program::environment(), &copies)?;
    let pidfd = sys::pidfd_open(pid)?;
    ours.set_nonblocking(true)?;
    Ok(Launched { socket: ours, guard: Guard { pid, pidfd } })
}

impl Guard {
    /// The keeper that has started this engine: not our child, but our parent.
    pub(super) fn of(keeper: u32) -> io::Result<Self> {
        let pid = keeper.cast_signed();
        Ok(Self { pid, pidfd: sys::pidfd_open(pid)? })
    }
}

fn try_launch(config: &Config, program: &std::path::Path, number: u64, ledger: &Ledger) -> io::Result<Launched> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let errors = match errors_file(config) {
        Some(file) => OpenOptions::new().append(true).create(true).mode(0o600).open(file)?,
        None => null.try_clone()?,
    };
    let (ours, theirs) = UnixStream::pair()?;
    let mut copies =
        vec![(program::high(null.as_fd())?, 0), (program::high(null.as_fd())?, 1), (program::high(errors.as_fd())?, 2)];
    copies.push((program::high(theirs.as_fd())?, hook::SOCKET));
    copies.push((ledger.descriptor()?, LEDGER));
    if let Some(lock) = &config.lock {
        copies.push((program::high(lock.as_fd())?, LOCK));
    }
    let lock = if config.lock.is_some() { WITH_LOCK } else { WITHOUT_LOCK };
    let number = CString::new(number.to_string())?;
    let arguments = [hook::NAME.to_owned(), CString::new(lock)?, CString::new(config.backend.as_str())?, number];
    let path = CString::new(program.as_os_str().as_bytes())?;
    let pid = program::posix_spawn(&path, &arguments, &[], &copies)?;
    let pidfd = sys::pidfd_open(pid)?;
    ours.set_nonblocking(true)?;
    Ok(Launched { socket: ours, guard: Guard { pid, pidfd } })
}
