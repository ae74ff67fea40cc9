//! Other things that a program can be when it starts itself again: as the keeper, before its `main`.
//!
//! A library that wants its process to be started again in a role of its own declares a static with
//! [`role!`](crate::role!) and starts it with [`Role::start`]. The new process has the role's name as argument 0 and
//! a listening Unix socket as descriptor 3 (never a variable, which others would inherit); it runs the role's
//! function and never comes to `main`.

use std::{
    ffi::{CStr, CString, OsString, c_char, c_int},
    fs::{File, OpenOptions},
    hint::black_box,
    io,
    os::{
        fd::{AsFd, FromRawFd},
        unix::{ffi::OsStrExt, net::UnixListener},
    },
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    hook, program,
    sys::{self, Reaped},
};

/// What the loader runs before `main`.
#[doc(hidden)]
pub type BeforeMain = extern "C" fn(c_int, *const *const c_char);

/// What a role does: it is given the socket and the arguments that [`Role::start`] was given, and returns the exit
/// status. It runs before `main` and before the standard library has set the process up: alone (no other thread), in a
/// session of its own, as nobody's child, with SIGPIPE ignored, all other signals at their defaults, and no descriptor
/// but the standard ones and the socket. Constructors of other libraries may not have run.
pub type Run = fn(UnixListener, Vec<OsString>) -> i32;

/// A role of this program. Declared with [`role!`](crate::role!).
#[derive(Debug)]
pub struct Role {
    name: &'static CStr,
    run: Run,
    hook: &'static BeforeMain,
    ran: AtomicBool,
}

/// The exit status of a role that could not begin.
const FAILED: i32 = 1;

impl Role {
    #[doc(hidden)]
    pub const fn new(name: &'static CStr, run: Run, hook: &'static BeforeMain) -> Self {
        Self { name, run, hook, ran: AtomicBool::new(false) }
    }

    /// Whether this program can be started in the role: its hook is linked in and has run.
    pub fn is_active(&self) -> bool {
        // That the static refers to its hook makes the linker keep it.
        black_box(self.hook);
        self.ran.load(Ordering::Relaxed)
    }

    /// Starts this program in the role, with the environment and working directory of this one, and `log` as standard
    /// output and error. It outlives this process, and nobody has to wait for it. Blocks for the start of a process.
    ///
    /// # Errors
    /// The role is not [active](Self::is_active), or the program cannot be started again.
    pub fn start(&self, listener: &UnixListener, arguments: &[OsString], log: &File) -> io::Result<()> {
        if !self.is_active() {
            return Err(io::Error::other("this program cannot be started in this role: its hook has not run"));
        }
        let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        let copies = [
            (program::high(null.as_fd())?, 0),
            (program::high(log.as_fd())?, 1),
            (program::high(log.as_fd())?, 2),
            (program::high(listener.as_fd())?, hook::SOCKET),
        ];
        let mut all = vec![self.name.to_owned()];
        for argument in arguments {
            all.push(CString::new(argument.as_bytes())?);
        }
        let pid = program::posix_spawn(program::SELF, &all, &program::environment(), &copies)?;
        // It forks and ends, so that the role is nobody's child: nothing of it is left to be waited for here.
        match sys::reap(pid, true) {
            Reaped::Child(_, 0) | Reaped::Childless => Ok(()),
            Reaped::Child(..) | Reaped::None => Err(io::Error::other("it ended at its start")),
        }
    }

    /// Becomes the role, if that is what this process was started for.
    ///
    /// # Safety
    /// To be called by the loader alone, before `main`, with what it passes to the functions of `.init_array`.
    #[doc(hidden)]
    pub unsafe fn before_main(&self, argc: c_int, argv: *const *const c_char) {
        self.ran.store(true, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        let Some(arguments) = (unsafe { hook::arguments_of(self.name, argc, argv) }) else { return };
        if hook::is_listener(hook::SOCKET) {
            std::process::exit(self.begin(arguments));
        }
    }

    fn begin(&self, arguments: Vec<Vec<u8>>) -> i32 {
        // SAFETY: there is one thread only. Whoever started us waits for this process alone.
        match unsafe { libc::fork() } {
            0 => {}
            child if child > 0 => return 0,
            _ => return FAILED,
        }
        // The role may want a keeper.
        hook::is_about_to_run();
        // What whoever started us left open for its children (a test runner's pipes) is not for us.
        sys::close_from(hook::SOCKET.unsigned_abs() + 1);
        // SAFETY: ignoring installs no code. The standard library does the same before `main`.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        // SAFETY: verified to be a listening Unix socket, put there for us; nothing else in this process knows of it.
        let listener = unsafe {
            libc::fcntl(hook::SOCKET, libc::F_SETFD, libc::FD_CLOEXEC);
            UnixListener::from_raw_fd(hook::SOCKET)
        };
        let text = |argument| std::os::unix::ffi::OsStringExt::from_vec(argument);
        (self.run)(listener, arguments.into_iter().map(text).collect())
    }
}

/// Declares a [`Role`] of every program that uses the static: `role!(static HOST = c"some-host" => run);`, where `run`
/// is a [`Run`] and the name is the process's argument 0 (at most 15 bytes are seen in lists of processes).
///
/// What is unsafe about it is here: the loader calls a function of this crate with main's own arguments.
#[macro_export]
macro_rules! role {
    ($(#[$meta:meta])* $visible:vis static $role:ident = $name:literal => $run:path) => {
        $(#[$meta])*
        $visible static $role: $crate::role::Role = {
            #[allow(unsafe_code, reason = "the loader calls it, before main, with main's arguments")]
            extern "C" fn before_main(count: ::core::ffi::c_int, arguments: *const *const ::core::ffi::c_char) {
                // SAFETY: only .init_array names this function, so the loader alone calls it.
                unsafe { $role.before_main(count, arguments) }
            }
            #[used]
            #[allow(unsafe_code, reason = "a section of function pointers of exactly this type")]
            #[unsafe(link_section = ".init_array")]
            static HOOK: $crate::role::BeforeMain = before_main;
            $crate::role::Role::new($name, $run, &HOOK)
        };
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        ffi::OsString,
        io::{Read, Write},
        os::unix::net::{UnixListener, UnixStream},
    };

    crate::role!(static ECHO = c"orco-echo" => echo);

    /// Says its arguments, its parent and its session to the first who connects.
    fn echo(listener: UnixListener, arguments: Vec<OsString>) -> i32 {
        let Ok((mut stream, _)) = listener.accept() else { return 1 };
        let own = nix::unistd::getpid();
        let session = nix::unistd::getsid(None).ok();
        let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or(0);
        let parts = [format!("{arguments:?}"), own.to_string(), format!("{session:?}"), open.to_string()];
        write!(stream, "{}", parts.join("|")).map_or(1, |()| 0)
    }

    #[test]
    fn a_role_is_a_process_of_its_own() {
        assert!(ECHO.is_active());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        // Left open for children by somebody else: not for the role.
        let (_ours, theirs) = UnixStream::pair().unwrap();
        nix::fcntl::fcntl(&theirs, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
        ECHO.start(&listener, &["a b".into(), "c".into()], &log).unwrap();
        drop(listener);
        let mut said = String::new();
        UnixStream::connect(&path).unwrap().read_to_string(&mut said).unwrap();
        let parts: Vec<&str> = said.split('|').collect();
        assert_eq!(parts[0], r#"["a b", "c"]"#);
        assert_ne!(parts[1], std::process::id().to_string());
        assert_ne!(parts[2], format!("{:?}", nix::unistd::getsid(None).ok()));
        // Standard ones, the listener, the stream, and the directory that is being read.
        assert_eq!(parts[3], "6");
    }
}
