//! Starting programs that are no services: keepers and engines.

use std::{
    ffi::{CStr, CString, OsString, c_char, c_int},
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    ptr,
};

use crate::STAMP;

/// This program, even if its file has been replaced.
pub(crate) const SELF: &CStr = c"/proc/self/exe";

/// Copies have numbers well above those they are copied to, so that no copy destroys another's source.
const HIGH: c_int = 16;

/// A copy with a high number, close-on-exec.
pub(crate) fn high(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: fcntl with these arguments takes numbers only, and answers with a new descriptor.
    let copy = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made for us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// The environment of this process without the stamp: who keeps services is none.
pub(crate) fn environment() -> Vec<CString> {
    let variables = std::env::vars_os().filter(|(name, _)| name != STAMP);
    let join = |(name, value): (OsString, OsString)| [name.into_vec(), b"=".to_vec(), value.into_vec()].concat();
    variables.filter_map(|variable| CString::new(join(variable)).ok()).collect()
}

/// A null-terminated array of the strings.
pub(crate) fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// posix_spawn(3): unlike fork it costs the same however big this process is. All signals go back to their defaults,
/// none is blocked, the session is new; of the descriptors only standard ones and these copies stay open (as far as
/// the others are close-on-exec).
pub(crate) fn posix_spawn(
    path: &CStr,
    arguments: &[CString],
    environment: &[CString],
    copies: &[(OwnedFd, c_int)],
) -> io::Result<libc::pid_t> {
    let done = |answer: c_int| if answer == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(answer)) };
    let (argv, envp) = (pointers(arguments), pointers(environment));
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
