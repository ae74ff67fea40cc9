//! The system calls that neither std nor nix offers in the shape needed here, each as a safe function.

use std::{
    io::{self, Seek as _, Write as _},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    time::Duration,
};

use libc::{c_int, pid_t};

/// The system's answer as a result.
fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// The errno of an error, or `EIO` where it has none.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// A descriptor that stays with exactly this process, whatever pid it had.
pub(crate) fn pidfd_open(pid: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two numbers and touches no memory of ours.
    let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as c_int)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Signals the process behind the pidfd; `ESRCH` once it has been reaped. Signal 0 only asks.
pub(crate) fn pidfd_signal(pidfd: BorrowedFd<'_>, signal: c_int) -> io::Result<()> {
    let null = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo is allowed; the descriptor is open for the length of the call.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, null, 0) } as c_int)?;
    Ok(())
}

/// Signals the process group that is led by the process behind the pidfd, which cannot be another's group even if the
/// process has ended.
pub(crate) fn pidfd_signal_group(pidfd: BorrowedFd<'_>, pid: pid_t, signal: c_int) -> io::Result<()> {
    const PROCESS_GROUP: u32 = 1 << 2;
    let null = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: as in `pidfd_signal`.
    let answer = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, null, PROCESS_GROUP) };
    match check(answer as c_int) {
        // Before Linux 6.9 there is no such flag. While the leader lives, the number is its group's; the moment in
        // which it ends, is reaped and its number passes on to a leader of another group is as short as can be.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            pidfd_signal(pidfd, 0)?;
            kill(-pid, signal)
        }
        other => other.map(drop),
    }
}

/// A number for the process behind the pidfd that no other process has until the next boot; 0 where the kernel gives
/// none (before Linux 6.9).
pub(crate) fn pidfd_number(pidfd: BorrowedFd<'_>) -> u64 {
    const PID_FS_MAGIC: i64 = 0x5049_4446;
    let Ok(system) = nix::sys::statfs::fstatfs(pidfd) else { return 0 };
    #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
    if system.filesystem_type().0 as i64 != PID_FS_MAGIC {
        return 0;
    }
    inode(pidfd)
}

/// The number of the file behind a descriptor; 0 if there is none.
pub(crate) fn inode(fd: BorrowedFd<'_>) -> u64 {
    nix::sys::stat::fstat(fd).map_or(0, |stat| stat.st_ino)
}

/// The status that the process behind the pidfd ended with, as waitpid(2) has it, if the kernel knows it: from
/// Linux 6.15 on, once its parent has reaped it.
pub(crate) fn pidfd_status(pidfd: BorrowedFd<'_>) -> Option<c_int> {
    /// `_IOWR(0xFF, 11, struct pidfd_info)` of the first version.
    const PIDFD_GET_INFO: u32 = 0xC040_FF0B;
    const PIDFD_INFO_EXIT: u64 = 1 << 3;
    /// The first version of `struct pidfd_info`: 64 bytes.
    #[repr(C)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    const { assert!(size_of::<Info>() == 64) };
    let mut info = Info { mask: PIDFD_INFO_EXIT, cgroup: 0, ids: [0; 11], exit_code: 0 };
    // SAFETY: the kernel writes at most the 64 bytes that the request's number names, which `info` has.
    let answer = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
    (answer == 0 && info.mask & PIDFD_INFO_EXIT != 0).then_some(info.exit_code)
}

/// Whether the process behind the pidfd has ended.
pub(crate) fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    is_readable(pidfd)
}

/// Whether there is something to be read, or an error.
pub(crate) fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    poll(&mut fds, Some(Duration::ZERO)).is_ok() && fds[0].revents != 0
}

/// Instead of the write end of a pipe one that reads too: while somebody has it, there is no SIGPIPE, and what waits in
/// the pipe stays there.
pub(crate) fn both_ends(write: OwnedFd) -> io::Result<OwnedFd> {
    reopen(None, write.as_raw_fd(), std::fs::OpenOptions::new().read(true).write(true))
}

/// Opens what another descriptor (of this process, or of `pid`) has open, anew.
pub(crate) fn reopen(pid: Option<pid_t>, fd: RawFd, options: &std::fs::OpenOptions) -> io::Result<OwnedFd> {
    let whose = pid.map_or("self".to_owned(), |pid| pid.to_string());
    Ok(options.open(format!("/proc/{whose}/fd/{fd}"))?.into())
}

/// kill(2). The caller knows that `pid` is its own unreaped child (or, negated, such a child's group).
pub(crate) fn kill(pid: pid_t, signal: c_int) -> io::Result<()> {
    // SAFETY: kill takes two numbers and touches no memory of ours.
    check(unsafe { libc::kill(pid, signal) })?;
    Ok(())
}

/// The process at the other end of a Unix socket; of a pair, the one that made it.
pub(crate) fn peer_pid(socket: RawFd) -> io::Result<pid_t> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: `peer` and `length` describe a valid place for a ucred; a bad descriptor is only an error.
    let answer = unsafe {
        libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut peer).cast(), &raw mut length)
    };
    check(answer)?;
    Ok(peer.pid)
}

/// What waitpid(2) found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reaped {
    /// A child has ended, with this status.
    Child(pid_t, c_int),
    /// There are children, none has ended.
    None,
    /// There are no children at all.
    Childless,
}

/// Reaps one child: `pid`, or any for -1.
pub(crate) fn reap(pid: pid_t, block: bool) -> Reaped {
    loop {
        let mut status = 0;
        // SAFETY: `status` is a valid place for an int.
        let found = unsafe { libc::waitpid(pid, &raw mut status, if block { 0 } else { libc::WNOHANG }) };
        match found {
            0 => return Reaped::None,
            found if found > 0 => return Reaped::Child(found, status),
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return Reaped::Childless,
        }
    }
}

/// Reaps the process behind the pidfd, if it is a child of ours that has ended.
pub(crate) fn reap_held(pidfd: BorrowedFd<'_>) -> Reaped {
    // SAFETY: all zeros is a valid siginfo, and a place for one.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let id = pidfd.as_raw_fd().cast_unsigned();
    // SAFETY: `info` is a valid place; a pidfd of another's child is only an error.
    let answer = unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, libc::WEXITED | libc::WNOHANG) };
    if answer < 0 {
        return Reaped::Childless;
    }
    // SAFETY: waitid has filled in these fields, or left them zero.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    match info.si_code {
        _ if pid == 0 => Reaped::None,
        libc::CLD_EXITED => Reaped::Child(pid, status << 8),
        _ => Reaped::Child(pid, status),
    }
}

/// Makes descriptor number `to` another name of `from`, close-on-exec.
pub(crate) fn dup_onto(from: BorrowedFd<'_>, to: RawFd) -> io::Result<()> {
    // SAFETY: dup3 takes numbers; the callers own the number `to` for as long as they use it.
    check(unsafe { libc::dup3(from.as_raw_fd(), to, libc::O_CLOEXEC) })?;
    Ok(())
}

/// A file in memory that begins with these bytes, gone when the last who has it open closes it.
pub(crate) fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    let flags = nix::sys::memfd::MFdFlags::MFD_CLOEXEC;
    let mut file = std::fs::File::from(nix::sys::memfd::memfd_create(c"stdin", flags)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// A pipe, close-on-exec, whose read end does not block.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    nix::fcntl::fcntl(read.as_fd(), nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
    Ok((read, write))
}

/// How many bytes wait in a pipe.
pub(crate) fn waiting_bytes(pipe: BorrowedFd<'_>) -> usize {
    let mut count: c_int = 0;
    // SAFETY: FIONREAD writes one int to `count`.
    let answer = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) };
    if answer < 0 { 0 } else { usize::try_from(count).unwrap_or(0) }
}

/// poll(2); `None` waits for ever. An interrupted wait counts as nothing ready.
pub(crate) fn poll(fds: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up: waking a little early would only mean to wait again, in a loop.
    let timeout = timeout.map_or(-1, |t| c_int::try_from(t.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX));
    // SAFETY: the pointer and the count describe the slice.
    let answer = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
    match check(answer) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            fds.iter_mut().for_each(|fd| fd.revents = 0);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Asks the scheduler for short turns that come soon, for this thread alone: children begin as usual (Linux 6.12).
pub(crate) fn be_prompt() {
    const SLICE_NANOS: u64 = 100_000;
    const RESET_ON_FORK: u64 = 1;
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    let size = size_of::<Attributes>() as u32;
    let mut attributes = Attributes { size, ..Attributes::default() };
    let place = &raw mut attributes;
    // SAFETY: the kernel reads and writes at most `size` bytes of a structure of its own layout.
    unsafe {
        if libc::syscall(libc::SYS_sched_getattr, 0, place, size, 0) != 0 || (*place).policy != 0 {
            return;
        }
        (*place).size = size;
        (*place).flags = RESET_ON_FORK;
        (*place).runtime = SLICE_NANOS;
        // Older kernels do not care, and nothing depends on it.
        libc::syscall(libc::SYS_sched_setattr, 0, place, 0);
    }
}

/// Accepts a connection and closes it. False: there is none, or it cannot be done now.
pub(crate) fn accept_and_close(listener: BorrowedFd<'_>) -> bool {
    let (address, length) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: no address is asked for.
    let accepted = check(unsafe { libc::accept4(listener.as_raw_fd(), address, length, libc::SOCK_CLOEXEC) });
    let Ok(fd) = accepted else { return false };
    // SAFETY: just made for us.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    true
}

/// Closes all descriptors from `first` on.
pub(crate) fn close_from(first: u32) {
    // SAFETY: only called before anything of this process owns a descriptor at or above `first`.
    if unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) } == 0 {
        return;
    }
    // SAFETY: sysconf takes a number.
    let limit = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) }.clamp(0, 1 << 20) as c_int;
    for fd in first as c_int..limit {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
}

/// Wakes another thread out of its poll.
#[derive(Debug)]
pub(crate) struct Alarm(nix::sys::eventfd::EventFd);

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        use nix::sys::eventfd::{EfdFlags, EventFd};
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
    }

    pub(crate) fn ring(&self) {
        // It can only fail when the counter is full, and then the alarm rings already.
        let _ = self.0.write(1);
    }

    pub(crate) fn quiet(&self) {
        let _ = self.0.read();
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::zombie_processes)]

    use std::process::Command;

    use super::*;

    /// Whether this kernel remembers how a process ended (Linux 6.15).
    fn remembers() -> bool {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
        (numbers.next(), numbers.next()) >= (Some(6), Some(15))
    }

    #[test]
    fn how_a_process_ended_is_known_before_and_after_it_is_reaped() {
        for (script, status) in [("exit 5", 5 << 8), ("kill -15 $$", 15), ("exit 0", 0)] {
            let mut child = Command::new("/bin/sh").args(["-c", script]).spawn().unwrap();
            let pid = child.id().cast_signed();
            let pidfd = pidfd_open(pid).unwrap();
            let start = crate::proc::stat(pid).unwrap().start;
            poll(&mut [libc::pollfd { fd: pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 }], None).unwrap();
            assert!(has_ended(pidfd.as_fd()));
            assert_eq!(crate::proc::zombie_status(pid, start), Some(status), "{script}");
            assert_eq!(crate::proc::zombie_status(pid, start + 1), None);
            child.wait().unwrap();
            assert_eq!(pidfd_status(pidfd.as_fd()), remembers().then_some(status), "{script}");
            assert_eq!(crate::proc::zombie_status(pid, start), None);
        }
    }

    #[test]
    fn only_a_child_of_ours_is_reaped_through_its_descriptor() {
        let child = Command::new("/bin/sh").args(["-c", "kill -9 $$"]).spawn().unwrap();
        let (pid, pidfd) = (child.id().cast_signed(), pidfd_open(child.id().cast_signed()).unwrap());
        poll(&mut [libc::pollfd { fd: pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 }], None).unwrap();
        assert_eq!(reap_held(pidfd.as_fd()), Reaped::Child(pid, 9));
        assert_eq!(reap_held(pidfd.as_fd()), Reaped::Childless);
        assert_eq!(reap_held(pidfd_open(1).unwrap().as_fd()), Reaped::Childless);
    }

    #[test]
    fn a_pipe_with_both_ends_keeps_what_nobody_reads() {
        use std::{fs::File, io::Write};
        let (read, write) = pipe().unwrap();
        let number = inode(read.as_fd());
        let mut both = File::from(both_ends(write).unwrap());
        drop(read);
        // With the read end alone gone this would be the end of us.
        both.write_all(b"kept").unwrap();
        let mut options = std::fs::OpenOptions::new();
        let again = reopen(None, both.as_raw_fd(), options.read(true)).unwrap();
        assert_eq!((inode(again.as_fd()), waiting_bytes(again.as_fd())), (number, 4));
    }
}
