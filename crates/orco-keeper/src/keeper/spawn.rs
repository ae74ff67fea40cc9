//! Making processes.
//!
//! A child shares our memory until it executes its program (as with vfork), so a spawn costs the same however big
//! this process is; and it takes only its own three descriptors along, however many we have.

use std::{
    ffi::{CString, c_char, c_void},
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    ptr,
};

use libc::{c_int, c_ulong, pid_t};

use super::guard::IGNORED;
use crate::{
    STAMP, program, sys,
    wire::{Launch, Stage},
};

/// Set aside for a child's null, output and errors; below: socket (3), lock (4), ledger or listening socket (5).
const SLOTS: [c_int; 3] = [6, 7, 8];
const BEYOND_SLOTS: u32 = 9;

/// The child's stack until it executes its program.
const STACK: usize = 256 << 10;

/// The C library's own constant does not fit its type.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Where a start failed, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) errno: i32,
}

impl Failure {
    pub(super) fn at(stage: Stage) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { stage, errno: sys::errno(&error) }
    }
}

/// What all spawns share.
#[derive(Debug)]
pub(super) struct Spawner {
    null: OwnedFd,
    stack: *mut c_void,
    verdict: *mut Verdict,
    base: Vec<CString>,
    nofile: libc::rlimit,
    umask: Option<libc::mode_t>,
    oom: Option<String>,
    keeper: pid_t,
    /// Whether the kernel can give a child a descriptor table of its own without copying ours (Linux 5.9).
    lean: bool,
}

/// The child's last words, in memory that it shares with us however it was made.
#[repr(C)]
#[derive(Debug)]
struct Verdict {
    stage: u8,
    errno: c_int,
}

/// All that the child needs, prepared: between its birth and its program it may not allocate.
#[repr(C)]
struct Plan {
    program: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
    workdir: *const c_char,
    groups: Option<(*const u32, usize)>,
    user: Option<(u32, u32)>,
    keeper: pid_t,
    nofile: libc::rlimit,
    /// Goes on when the keeper dies.
    outlives: bool,
    umask: Option<libc::mode_t>,
    /// The `oom_score_adj` to write.
    oom: Option<(*const c_char, usize)>,
    lean: bool,
    verdict: *mut Verdict,
}

impl Spawner {
    /// To be made on the main thread, before others open descriptors.
    pub(super) fn new(base: &[Box<[u8]>], nofile: (u64, u64)) -> io::Result<Self> {
        let low = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        // It may have the number of a slot itself, and those are filled with other things in turn.
        let null = program::high(low.as_fd())?;
        drop(low);
        for slot in SLOTS {
            sys::dup_onto(null.as_fd(), slot)?;
        }
        // SAFETY: an empty range beyond all descriptors: only asks whether the call and the flag are known.
        let lean = unsafe { libc::syscall(libc::SYS_close_range, u32::MAX - 1, u32::MAX, 0) } == 0;
        let mut spawner = Self {
            null,
            stack: map(STACK, libc::MAP_PRIVATE | libc::MAP_STACK)?,
            verdict: map(size_of::<Verdict>(), libc::MAP_SHARED)?.cast(),
            base: Vec::new(),
            nofile: libc::rlimit { rlim_cur: nofile.0, rlim_max: nofile.1 },
            umask: None,
            oom: None,
            keeper: std::process::id().cast_signed(),
            lean,
        };
        spawner.rebase(base.iter(), nofile);
        Ok(spawner)
    }

    /// Other children begin with another environment and descriptor limit.
    pub(super) fn rebase<'a>(&mut self, base: impl Iterator<Item = &'a Box<[u8]>>, nofile: (u64, u64)) {
        let stamp = [STAMP.as_bytes(), b"="].concat();
        let base = base.filter(|variable| !variable.starts_with(&stamp));
        self.base = base.filter_map(|variable| CString::new(&**variable).ok()).collect();
        self.nofile = libc::rlimit { rlim_cur: nofile.0, rlim_max: nofile.1 };
    }

    /// Children begin with what this process has changed for itself.
    pub(super) fn originate(&mut self, umask: u32, oom: Option<i32>) {
        self.umask = Some(umask);
        self.oom = oom.map(|oom| oom.to_string());
    }

    /// Starts the program with these as standard input, output and error; where there is none it is /dev/null. When it
    /// returns the pid, the program has been executed.
    pub(super) fn spawn(
        &self,
        launch: &Launch,
        ends: [Option<BorrowedFd<'_>>; 3],
        group: Option<&OwnedFd>,
        outlives: bool,
    ) -> Result<pid_t, Failure> {
        let invalid = |_| Failure { stage: Stage::Prepare, errno: libc::EINVAL };
        let program = CString::new(&*launch.program).map_err(invalid)?;
        let workdir = CString::new(&*launch.workdir).map_err(invalid)?;
        let arguments = launch
            .argv
            .iter()
            .map(|argument| CString::new(&**argument))
            .collect::<Result<Vec<_>, _>>()
            .map_err(invalid)?;
        let added = self.added(launch)?;
        let argv = pointers(arguments.iter());
        let envp = pointers(self.kept(launch).chain(&added));
        let user = launch.credentials.as_ref();
        let plan = Plan {
            program: program.as_ptr(),
            argv: argv.as_ptr(),
            envp: envp.as_ptr(),
            workdir: workdir.as_ptr(),
            groups: user.map(|user| (user.groups.as_ptr(), user.groups.len())),
            user: user.map(|user| (user.uid, user.gid)),
            keeper: self.keeper,
            nofile: self.nofile,
            outlives,
            umask: self.umask,
            oom: self.oom.as_ref().map(|oom| (oom.as_ptr().cast(), oom.len())),
            lean: self.lean,
            verdict: self.verdict,
        };
        let filled = SLOTS.into_iter().zip(ends).try_for_each(|(slot, end)| match end {
            Some(end) => sys::dup_onto(end, slot).map_err(Failure::at(Stage::Prepare)),
            None => Ok(()),
        });
        let born = filled.and_then(|()| self.bear(&plan, group));
        // The slots must not keep the pipes open; closing them would let another thread take the numbers.
        for slot in SLOTS {
            let _ = sys::dup_onto(self.null.as_fd(), slot);
        }
        born
    }

    /// The inherited variables that this launch neither sets nor removes.
    fn kept<'a>(&'a self, launch: &'a Launch) -> impl Iterator<Item = &'a CString> {
        self.base.iter().filter(|variable| {
            let variable = variable.as_bytes();
            launch.inherit
                && !launch
                    .env
                    .iter()
                    .any(|(name, _)| variable.strip_prefix(&**name).is_some_and(|rest| rest.first() == Some(&b'=')))
        })
    }

    /// The variables that this launch sets, and the stamp.
    fn added(&self, launch: &Launch) -> Result<Vec<CString>, Failure> {
        let mut added = Vec::with_capacity(launch.env.len() + 1);
        for (name, value) in &launch.env {
            if let Some(value) = value
                && **name != *STAMP.as_bytes()
            {
                added.push(CString::new([name, &b"="[..], value].concat()));
            }
        }
        added.push(CString::new(format!("{STAMP}={}", launch.id)));
        added.into_iter().collect::<Result<_, _>>().map_err(|_| Failure { stage: Stage::Prepare, errno: libc::EINVAL })
    }

    fn bear(&self, plan: &Plan, group: Option<&OwnedFd>) -> Result<pid_t, Failure> {
        // SAFETY: the verdict is mapped as long as we are, and no child is alive in `child` now.
        unsafe { self.verdict.write_volatile(Verdict { stage: 0, errno: 0 }) };
        let share = if self.lean { libc::CLONE_FILES } else { 0 };
        let born = match group {
            None => self.clone_vm(plan, libc::CLONE_VM | libc::CLONE_VFORK | share),
            #[cfg(target_arch = "x86_64")]
            Some(group) => self.clone_vm_into(group, libc::CLONE_VM | libc::CLONE_VFORK | share, plan),
            #[cfg(not(target_arch = "x86_64"))]
            Some(group) => clone_into(group, libc::CLONE_VFORK | share, plan),
        };
        let pid = born.map_err(Failure::at(Stage::Fork))?;
        // SAFETY: the child has executed its program or ended, so nobody writes.
        let verdict = unsafe { self.verdict.read_volatile() };
        if verdict.errno == 0 {
            return Ok(pid);
        }
        sys::reap(pid, true);
        Err(Failure { stage: Stage::from_u8(verdict.stage).unwrap_or(Stage::Setup), errno: verdict.errno })
    }

    fn clone_vm(&self, plan: &Plan, flags: c_int) -> io::Result<pid_t> {
        // SAFETY: the stack is ours and idle, and grows down from its end. CLONE_VFORK suspends this thread until the
        // child has executed or ended, so `plan` outlives its use; `child` makes no call that takes a lock, allocates
        // or unwinds; all signals that this process handles at all are ignored ones.
        let pid = unsafe {
            let top = self.stack.cast::<u8>().add(STACK).cast();
            libc::clone(child, top, flags | libc::SIGCHLD, ptr::from_ref(plan).cast_mut().cast())
        };
        if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid) }
    }

    /// As `clone_vm`, in a control group. The C library has no call for this.
    #[cfg(target_arch = "x86_64")]
    fn clone_vm_into(&self, group: &OwnedFd, flags: c_int, plan: &Plan) -> io::Result<pid_t> {
        let mut args = clone_args(group, flags);
        args.stack = self.stack as u64;
        args.stack_size = STACK as u64;
        let answer: i64;
        // SAFETY: as in `clone_vm`. The child begins after the call on the stack in `args`, with our registers: it
        // enters `child`, which never returns, so nothing here runs twice. The kernel keeps all registers but these.
        unsafe {
            std::arch::asm!(
                "syscall",
                "test rax, rax",
                "jnz 2f",
                "xor ebp, ebp",
                "mov rdi, r8",
                "call r9",
                "ud2",
                "2:",
                inlateout("rax") libc::SYS_clone3 => answer,
                in("rdi") &raw mut args,
                in("rsi") size_of::<libc::clone_args>(),
                in("r8") ptr::from_ref(plan),
                in("r9") child as extern "C" fn(*mut c_void) -> c_int,
                out("rcx") _,
                out("r11") _,
            );
        }
        if answer < 0 { Err(io::Error::from_raw_os_error(-answer as i32)) } else { Ok(answer as pid_t) }
    }
}

/// A child in a control group. It has its own copy of our memory, for the raw call cannot switch stacks.
#[cfg(not(target_arch = "x86_64"))]
fn clone_into(group: &OwnedFd, flags: c_int, plan: &Plan) -> io::Result<pid_t> {
    match clone3(group, flags)? {
        0 => {
            child(ptr::from_ref(plan).cast_mut().cast());
            // SAFETY: the copy must not run on into our own code.
            unsafe { libc::_exit(127) }
        }
        pid => Ok(pid),
    }
}

/// A child that does nothing, to see whether it can be moved into a group.
pub(super) fn paused_child_in(group: &OwnedFd) -> io::Result<pid_t> {
    let keeper = std::process::id().cast_signed();
    match clone3(group, 0)? {
        // It has copies of lock and listener: left behind by a killed keeper, it would hold the stack for ever.
        // SAFETY: plain calls of the only thread; the last waits for the signal that ends this copy.
        0 => unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong, 0, 0, 0);
            if libc::getppid() != keeper {
                libc::_exit(127);
            }
            loop {
                libc::pause();
            }
        },
        pid => Ok(pid),
    }
}

fn clone_args(group: &OwnedFd, flags: c_int) -> libc::clone_args {
    // SAFETY: all zeros is a valid clone_args.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags.cast_unsigned().into();
    args.flags |= CLONE_INTO_CGROUP;
    args.exit_signal = libc::SIGCHLD as u64;
    args.cgroup = group.as_raw_fd() as u64;
    args
}

fn clone3(group: &OwnedFd, flags: c_int) -> io::Result<pid_t> {
    let mut args = clone_args(group, flags);
    // SAFETY: without CLONE_VM this is a fork: the child goes on with a copy of everything.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid as pid_t) }
}

/// The child's life before its program. Returns only by ending.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: `bear` passes a live Plan, and its thread waits for us.
    unsafe {
        let plan = &*plan.cast::<Plan>();
        let stage = become_program(plan) as u8;
        let errno = *libc::__errno_location();
        plan.verdict.write_volatile(Verdict { stage, errno: if errno == 0 { libc::EIO } else { errno } });
        libc::_exit(127)
    }
}

/// Returns only if something failed: the stage, with errno set.
///
/// # Safety
/// Only in a fresh child with a valid plan. Identity calls are raw: glibc's would signal our other thread.
unsafe fn become_program(plan: &Plan) -> Stage {
    // SAFETY: every call takes numbers, or pointers that `Spawner::spawn` keeps alive until we are gone.
    unsafe {
        for signal in IGNORED {
            libc::signal(signal, libc::SIG_DFL);
        }
        if plan.lean && libc::syscall(libc::SYS_close_range, BEYOND_SLOTS, u32::MAX, libc::CLOSE_RANGE_UNSHARE) < 0 {
            return Stage::Setup;
        }
        for (to, slot) in SLOTS.into_iter().enumerate() {
            if libc::dup2(slot, to as c_int) < 0 {
                return Stage::Setup;
            }
        }
        if libc::setsid() < 0 || libc::setrlimit(libc::RLIMIT_NOFILE, &raw const plan.nofile) < 0 {
            return Stage::Setup;
        }
        if let Some(umask) = plan.umask {
            libc::umask(umask);
        }
        if let Some((text, length)) = plan.oom {
            // While we are still the user who may. It is no reason not to run.
            let file = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            if file >= 0 {
                libc::write(file, text.cast(), length);
            }
        }
        if let (Some((uid, gid)), Some((groups, count))) = (plan.user, plan.groups) {
            let id = |id: u32| id as c_ulong;
            if libc::syscall(libc::SYS_setgroups, count, groups) < 0
                || libc::syscall(libc::SYS_setresgid, id(gid), id(gid), id(gid)) < 0
                || libc::syscall(libc::SYS_setresuid, id(uid), id(uid), id(uid)) < 0
            {
                return Stage::User;
            }
        }
        // After the change of user, which clears it. Our death before this line shows in the parent's pid.
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong, 0, 0, 0) < 0 {
            return Stage::Setup;
        }
        if libc::getppid() != plan.keeper {
            libc::_exit(127);
        }
        if libc::chdir(plan.workdir) < 0 {
            return Stage::Workdir;
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        // The last step: until here our death is its death, and nobody knows of it yet.
        if plan.outlives && libc::prctl(libc::PR_SET_PDEATHSIG, 0 as c_ulong, 0, 0, 0) < 0 {
            return Stage::Setup;
        }
        libc::execve(plan.program, plan.argv, plan.envp);
        Stage::Program
    }
}

/// A null-terminated array for execve.
fn pointers<'a>(strings: impl Iterator<Item = &'a CString>) -> Vec<*const c_char> {
    strings.map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

fn map(length: usize, flags: c_int) -> io::Result<*mut c_void> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice; never unmapped.
    let address = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags | libc::MAP_ANONYMOUS, -1, 0) };
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address) }
}
