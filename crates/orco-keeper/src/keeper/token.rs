//! By what a process is known again after its keeper's death.

use std::{
    fmt,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use libc::pid_t;
use orco_core::model::InstanceId;

use super::cgroup;
use crate::{proc, sys};

/// The first part of the printed form.
const FORMAT: &str = "1";

/// By what a main process is known again: printed as `1:PID:START:BOOT:NUMBER:OUT:ERR:GROUP`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) pid: pid_t,
    /// Its start in clock ticks since boot.
    pub(super) start: u64,
    /// The boot that pid and start belong to.
    pub(super) boot: String,
    /// Its number that no other process of that boot has, or 0 where the kernel gives none.
    pub(super) number: u64,
    /// The numbers of the pipes that it began with as output and errors; 0 if they are not known.
    pub(super) pipes: [u64; 2],
    /// Its control group, if it has one of its own.
    pub(super) group: Option<PathBuf>,
}

impl Token {
    /// Of a process that cannot have been reaped.
    pub(super) fn of(pid: pid_t, pipes: [u64; 2], group: Option<PathBuf>) -> Option<Self> {
        let number = sys::pidfd_open(pid).map_or(0, |pidfd| sys::pidfd_number(pidfd.as_fd()));
        Some(Self { pid, start: proc::stat(pid)?.start, boot: proc::boot()?, number, pipes, group })
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(text).ok()?.splitn(8, ':');
        if parts.next()? != FORMAT {
            return None;
        }
        let pid: pid_t = parts.next()?.parse().ok().filter(|pid| *pid > 1)?;
        let start = parts.next()?.parse().ok()?;
        let boot = parts.next()?.to_owned();
        let number = parts.next()?.parse().ok()?;
        let pipes = [parts.next()?.parse().ok()?, parts.next()?.parse().ok()?];
        let group = Some(parts.next()?).filter(|group| !group.is_empty()).map(PathBuf::from);
        Some(Self { pid, start, boot, number, pipes, group })
    }

    /// Holds on to the process if it still is the one that is meant, dead or alive.
    ///
    /// The descriptor comes first: what is verified after it is verified of what it holds. A number that no other
    /// process has is enough, for a program may write over its environment (many do, to change their title).
    pub(super) fn hold(&self, id: InstanceId) -> Option<OwnedFd> {
        let pidfd = sys::pidfd_open(self.pid).ok()?;
        if proc::stat(self.pid)?.start != self.start {
            return None;
        }
        let stamp = proc::stamp(self.pid);
        if stamp.is_some_and(|stamp| stamp != id) {
            return None;
        }
        let number = sys::pidfd_number(pidfd.as_fd());
        let is_it = if self.number != 0 && number != 0 {
            number == self.number
        } else {
            stamp.is_some() || self.group_of(id).is_some_and(|group| cgroup::members_of(group).contains(&self.pid))
        };
        // Whatever was read was read of this process only if it has not been reaped meanwhile.
        (is_it && sys::pidfd_signal(pidfd.as_fd(), 0).is_ok()).then_some(pidfd)
    }

    /// The control group, if it can be this instance's.
    pub(super) fn group_of(&self, id: InstanceId) -> Option<&Path> {
        self.group.as_deref().filter(|group| group.file_name().is_some_and(|name| *name == *id.to_string()))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, start, boot, number, pipes: [out, err], group } = self;
        // A path that cannot be printed is found again through the process.
        let group = group.as_deref().and_then(Path::to_str).unwrap_or_default();
        write!(f, "{FORMAT}:{pid}:{start}:{boot}:{number}:{out}:{err}:{group}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::{Child, Command};

    use super::*;
    use crate::STAMP;

    /// A child that certainly runs its own program, and ends with the test.
    struct Sleeper(Child);

    impl Sleeper {
        /// `spawn` may come back while the kernel is still setting the new program up: since its old memory is gone by
        /// then (execve(2) under vfork(2)), but its arguments and variables are not there yet.
        fn start(command: &mut Command) -> Self {
            let child = Self(command.arg("1000").spawn().unwrap());
            let line = format!("/proc/{}/cmdline", child.0.id());
            while !std::fs::read(&line).unwrap().starts_with(b"sleep") {
                std::thread::yield_now();
            }
            child
        }

        fn token(&self) -> Token {
            Token::of(self.0.id().cast_signed(), [0, 0], None).unwrap()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn what_is_printed_is_read() {
        for group in [None, Some(PathBuf::from("/sys/fs/cgroup/a:b/orco-1-2/7"))] {
            let token = Token { pid: 12, start: 345, boot: "a-b".to_owned(), number: 6, pipes: [7, 8], group };
            assert_eq!(Token::parse(token.to_string().as_bytes()), Some(token));
        }
        for text in
            ["", "1", "2:12:345:a:6:7:8:", "1:1:345:a:6:7:8:", "1:-5:3:a:6:7:8:", "1:12:x:a:6:7:8:", "1:12:3:a:6:7"]
        {
            assert_eq!(Token::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn only_the_process_that_is_meant_is_held() {
        let id = InstanceId(0x1234_5678_9abc);
        let child = Sleeper::start(Command::new("sleep").env(STAMP, id.to_string()));
        let token = child.token();
        assert!(token.hold(id).is_some());
        assert!(token.hold(InstanceId(5)).is_none(), "another's stamp");
        assert!(Token { start: token.start + 1, ..token.clone() }.hold(id).is_none(), "a reused pid");
        assert!(Token { number: 0, ..token.clone() }.hold(id).is_some(), "an old kernel's");
        if token.number != 0 {
            assert!(Token { number: token.number + 1, ..token.clone() }.hold(id).is_none(), "a reused pid and start");
        }
        // A stranger without any stamp, of the same start.
        let stranger = Sleeper::start(Command::new("sleep").env_clear());
        assert!(Token { number: 0, ..stranger.token() }.hold(id).is_none(), "no stamp");
        drop(child);
        assert!(token.hold(id).is_none(), "gone");
    }
}
