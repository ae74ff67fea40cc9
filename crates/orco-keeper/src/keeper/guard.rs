//! The keeper's first steps, and the guard that stays behind it.
//!
//! The guard is the process that the engine started. It forks the keeper and waits. When the keeper is killed, all
//! its descendants become the guard's children, whatever sessions and environments they hide in, and the guard ends
//! them before it ends itself. So killing engine and keeper at once leaves nothing: what else is to be cleaned up after the
//! engine is the guard's then, too.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::fd::{AsFd, FromRawFd, OwnedFd},
    thread,
    time::Duration,
};

use libc::{c_int, pid_t};

use super::{
    cgroup::Cgroups,
    detached,
    turn::{self, Birth},
    vigil,
};
use crate::{
    hook::SOCKET,
    proc::OwnChildren,
    program,
    sys::{self, Reaped},
    tree::{self, Member},
    wire::Backend,
};

/// The descriptor that the state lock arrives on, if argument 1 says so. It is only kept open.
pub(crate) const LOCK: c_int = 4;
/// The descriptor that the ledger of clean-ups arrives on.
pub(crate) const LEDGER: c_int = 5;
/// Argument 1 when there is a lock.
pub(crate) const WITH_LOCK: &str = "lock";
/// Argument 1 when there is none.
pub(crate) const WITHOUT_LOCK: &str = "no-lock";

/// The guard's exit status when it ended what a killed keeper had left.
pub(crate) const SWEPT: i32 = 3;

/// The engine was gone before the keeper was up.
pub(super) const TOO_LATE: i32 = 4;
pub(super) const FAILED: i32 = 1;

/// Signals of terminals, session managers and people that are meant for the engine. The engine's end is what ends
/// the keeper. Children get the default back.
pub(crate) const IGNORED: [c_int; 13] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGPIPE,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGXFSZ,
];

/// Signals that the C library keeps to itself: posix_spawn(3) leaves them ignored, and sigaction(3) denies them.
const INTERNAL: [c_int; 2] = [32, 33];

/// What the engine started: sets up, forks the keeper, guards it. Returns the exit status.
pub(crate) fn run(arguments: &[Vec<u8>]) -> i32 {
    if detached::is_meant(arguments) {
        return detached::run(arguments);
    }
    let with_lock = arguments.first().is_some_and(|argument| argument == WITH_LOCK.as_bytes());
    let wanted = arguments.get(1).and_then(|argument| Backend::parse(argument)).unwrap_or_default();
    // Which keeper this is, counted by its engine.
    let number = arguments.get(2).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok()).unwrap_or_default();
    abort_on_panic();
    if !with_lock {
        // SAFETY: nothing of ours: whatever an engine has leaked to this number.
        unsafe { libc::close(LOCK) };
    }
    let Ok(engine) = prepare(LEDGER) else { return FAILED };
    // SAFETY: it was put there for us, or any use of it is an error; nothing else in this process owns it.
    let ledger = unsafe { File::from_raw_fd(LEDGER) };
    let Some(engine) = engine else {
        // It may have died between two keepers.
        vigil::clean_up(&ledger);
        return TOO_LATE;
    };
    // Out of the way of the numbers that the spawner uses.
    let Ok(engine) = program::high(engine.as_fd()) else { return FAILED };
    let (cgroups, refused) = probe(wanted);
    // SAFETY: there is one thread only, so the child may go on using everything.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: descriptor 3 was verified to be our socket, and nothing else in this process uses it.
            let socket = unsafe { OwnedFd::from_raw_fd(SOCKET) };
            turn::keep(Birth { socket, engine, cgroups, refused, ledger })
        }
        keeper if keeper > 0 => {
            // SAFETY: the keeper has its own copy; the engine must see the end when the keeper's goes.
            unsafe { libc::close(SOCKET) };
            let clean = guard(keeper, cgroups.as_ref());
            if !clean {
                vigil::keep(engine.as_fd(), &ledger, number);
            }
            if clean { 0 } else { SWEPT }
        }
        _ => FAILED,
    }
}

/// The groups, if they are wanted and work; and why they do not, if nothing else will do.
pub(super) fn probe(wanted: Backend) -> (Option<Cgroups>, Option<i32>) {
    match wanted {
        Backend::Sweep => (None, None),
        Backend::Auto => (Cgroups::probe().ok(), None),
        Backend::Cgroup => match Cgroups::probe() {
            Ok(cgroups) => (Some(cgroups), None),
            Err(error) => (None, Some(sys::errno(&error))),
        },
    }
}

/// A keeper with half its threads is worse than none: the guard cleans up after it, and the engine starts another.
pub(super) fn abort_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}

/// Signals, descriptors up to `last`, place. Returns the parent, which is the engine; `None`: it is gone already.
pub(super) fn prepare(last: c_int) -> io::Result<Option<OwnedFd>> {
    for signal in IGNORED {
        // SAFETY: ignoring a signal installs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    for signal in INTERNAL {
        let default = [0u64; 4];
        // SAFETY: the kernel's own sigaction is these four words, all zero for the default action.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), 0usize, 8usize) };
    }
    // Stopped children are no news: SIGCHLD is for ends only.
    // SAFETY: an all-zero sigaction is SIG_DFL with an empty mask.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_flags = libc::SA_NOCLDSTOP;
        libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut());
    }
    sys::close_from(last.unsigned_abs() + 1);
    for fd in SOCKET..=last {
        // SAFETY: a flag on our own descriptors.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    #[cfg(target_env = "gnu")]
    // SAFETY: allocator tuning, before the first thread: one arena is enough, and freed memory goes back soon.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 10);
    }
    nix::sys::prctl::set_child_subreaper(true)?;
    nix::sys::prctl::set_name(crate::hook::NAME)?;
    // Not to hold a file system busy.
    std::env::set_current_dir("/")?;
    // Whoever made the socket. If it ends before the descriptor is there, the parent is somebody else, and may have been
    // from our first moment on: posix_spawn(3) lets a child go on whose parent was killed meanwhile.
    let Ok(maker) = sys::peer_pid(SOCKET) else { return Ok(None) };
    let Ok(engine) = sys::pidfd_open(maker) else { return Ok(None) };
    Ok((nix::unistd::getppid().as_raw() == maker).then_some(engine))
}

/// Waits for the keeper, then ends what it left. Blocks without a timer. Whether the keeper has done all by itself.
fn guard(keeper: pid_t, cgroups: Option<&Cgroups>) -> bool {
    let clean = loop {
        match sys::reap(-1, true) {
            Reaped::Child(pid, status) if pid == keeper => {
                break libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
            }
            Reaped::Child(..) | Reaped::None => {}
            Reaped::Childless => break false,
        }
    };
    end_all(cgroups);
    if let Some(cgroups) = cgroups {
        cgroups.remove_all();
    }
    clean
}

/// Kills every descendant of this process until there is none. An orphan always comes to us, so "no children" means
/// that nothing is left.
fn end_all(cgroups: Option<&Cgroups>) {
    let mut own = OwnChildren::new();
    while kill_children(&mut own, cgroups) {
        let pause = Duration::from_millis(2);
        thread::sleep(pause);
    }
}

/// One round of killing all children and reaping who has died. Whether there may be more.
fn kill_children(own: &mut OwnChildren, cgroups: Option<&Cgroups>) -> bool {
    kill_all_but(None, own, cgroups);
    loop {
        match sys::reap(-1, false) {
            Reaped::Child(..) => {}
            Reaped::None => return true,
            Reaped::Childless => return false,
        }
    }
}

/// Kills all children and what is below them, but not the spared one.
pub(super) fn kill_all_but(spared: Option<pid_t>, own: &mut OwnChildren, cgroups: Option<&Cgroups>) {
    let others = own.read().into_iter().filter(|pid| Some(*pid) != spared);
    let children: BTreeMap<pid_t, Member> = others.map(|pid| (pid, Member::Child)).collect();
    if !children.is_empty() {
        if let Some(cgroups) = cgroups {
            cgroups.kill_all();
        }
        tree::kill(children, Some(std::process::id().cast_signed()), |_, _| {});
    }
}
