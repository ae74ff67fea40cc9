//! Ending one process that is not the keeper's, without ever meeting another under its number.

use std::io;

use std::os::fd::AsFd;

use crate::sys;

/// Kills a process if, once it is held by a pidfd, `is_it` says that it is still the one that is meant. False: it is not,
/// or is gone.
///
/// # Errors
/// When the process may not be signalled.
pub fn kill_if(pid: u32, is_it: impl FnOnce() -> bool) -> io::Result<bool> {
    let Ok(pid) = i32::try_from(pid) else { return Ok(false) };
    let held = match sys::pidfd_open(pid) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(false),
        other => other?,
    };
    if !is_it() {
        return Ok(false);
    }
    match sys::pidfd_signal(held.as_fd(), libc::SIGKILL) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(false),
        other => other.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;

    #[test]
    fn kills_whom_it_means_and_nobody_else() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        assert!(!kill_if(child.id(), || false).unwrap());
        assert_eq!(child.try_wait().unwrap(), None);
        assert!(kill_if(child.id(), || true).unwrap());
        child.wait().unwrap();
        assert!(!kill_if(child.id(), || true).unwrap(), "nobody has the number any more");
    }
}
