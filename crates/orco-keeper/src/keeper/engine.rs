//! The engine's process: starting it, and knowing when it is gone.

use std::{
    ffi::CString,
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use libc::{c_int, pid_t};

use super::{detached::LISTENER, guard::LOCK, retry::Retries};
use crate::{
    daemon::{FAILED, SERVING},
    hook, program, sys,
    wire::{VERSION, Welcome, frame},
};

/// The engine's argument 0.
const NAME: &str = "orco";

/// Descriptors kept back, so that an engine can be started when services have used up all others: a socket pair, three
/// copies, the process, and two to spare.
const RESERVE: usize = 8;

/// What services begin with that this process has changed for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) umask: u32,
    pub(super) oom: Option<i32>,
    pub(super) nofile: (u64, u64),
}

/// What is on descriptor 3 at the start.
#[derive(Debug)]
pub(super) enum Found {
    /// Who started this keeper, and wants to know how the first engine does.
    Launcher(UnixStream),
    /// An engine that runs already, and its process.
    Engine { link: OwnedFd, engine: OwnedFd },
}

/// An engine that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Our child, unless it is older than we are.
    pub(super) child: Option<pid_t>,
    pub(super) pidfd: OwnedFd,
    pub(super) since: Instant,
    /// It has said who it is.
    pub(super) greeted: bool,
    pub(super) served: bool,
    /// When it has to be gone, or (of a successor) to serve.
    pub(super) kill_at: Option<Instant>,
}

#[derive(Debug)]
pub(super) enum State {
    Running(Running),
    /// To be started then.
    Due(Instant),
    /// Not to be started by itself; not even if asked before then.
    GivenUp(Instant),
    /// The last one has ended, and so do we.
    Over,
}

/// The engines of a detached keeper, one after the other.
#[derive(Debug)]
pub(super) struct Engines {
    arguments: Vec<CString>,
    /// The program as it was when it was first run, whatever becomes of its file.
    pub(super) program: OwnedFd,
    /// What to run again should `program` never serve.
    pub(super) former: Option<OwnedFd>,
    /// What the running engine wants to be followed by.
    pub(super) successor: Option<OwnedFd>,
    lock: OwnedFd,
    pub(super) listener: OwnedFd,
    pub(super) origin: Origin,
    launcher: Option<UnixStream>,
    /// The first link, of an engine that is older than we are.
    pub(super) link: Option<OwnedFd>,
    pub(super) state: State,
    pub(super) retries: Retries,
    /// An engine has served once.
    pub(super) ever_served: bool,
    /// Signals for the next engine.
    pub(super) signals: Vec<c_int>,
    /// The last full segment that was told and not acknowledged.
    pub(super) full: Option<(orco_core::model::InstanceId, u32)>,
    reserve: Vec<OwnedFd>,
    pub(super) status: i32,
}

impl Engines {
    pub(super) fn new(
        arguments: Vec<CString>,
        program: OwnedFd,
        lock: OwnedFd,
        listener: OwnedFd,
        origin: Origin,
        found: Found,
    ) -> io::Result<Self> {
        let now = Instant::now();
        let (launcher, link, state) = match found {
            Found::Launcher(launcher) => (Some(launcher), None, State::Due(now)),
            Found::Engine { link, engine } => {
                let (greeted, served, kill_at) = (false, false, None);
                let running = Running { child: None, pidfd: engine, since: now, greeted, served, kill_at };
                (None, Some(link), State::Running(running))
            }
        };
        let arguments = std::iter::once(CString::new(NAME)?).chain(arguments).collect();
        let ever_served = link.is_some();
        let mut engines = Self {
            arguments,
            program,
            former: None,
            successor: None,
            lock,
            listener,
            origin,
            launcher,
            link,
            state,
            retries: Retries::new(),
            ever_served,
            signals: Vec::new(),
            full: None,
            reserve: Vec::new(),
            status: 0,
        };
        engines.set_aside();
        Ok(engines)
    }

    pub(super) const fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) => Some(running),
            State::Due(_) | State::GivenUp(_) | State::Over => None,
        }
    }

    pub(super) const fn running_mut(&mut self) -> Option<&mut Running> {
        match &mut self.state {
            State::Running(running) => Some(running),
            State::Due(_) | State::GivenUp(_) | State::Over => None,
        }
    }

    /// The process among our children.
    pub(super) fn child(&self) -> Option<pid_t> {
        self.running().and_then(|running| running.child)
    }

    /// To be waited for: the end of an engine that is not our child.
    pub(super) fn stranger(&self) -> RawFd {
        self.running().filter(|running| running.child.is_none()).map_or(-1, |running| running.pidfd.as_raw_fd())
    }

    /// To be waited for: somebody who wants an engine, when none is started by itself.
    pub(super) fn knocking(&self) -> RawFd {
        match self.state {
            State::GivenUp(since) if since <= Instant::now() => self.listener.as_raw_fd(),
            State::GivenUp(_) | State::Due(_) | State::Running(_) | State::Over => -1,
        }
    }

    /// When there is something to do by itself.
    pub(super) fn next_look(&self) -> Option<Instant> {
        match &self.state {
            State::Running(running) => running.kill_at,
            State::Due(at) => Some(*at),
            State::GivenUp(since) => (*since > Instant::now()).then_some(*since),
            State::Over => None,
        }
    }

    /// Keeps descriptors back, as far as there are any.
    fn set_aside(&mut self) {
        while self.reserve.len() < RESERVE
            && let Ok(copy) = program::high(self.lock.as_fd())
        {
            self.reserve.push(copy);
        }
    }

    /// Starts one; returns its link.
    pub(super) fn start(&mut self) -> io::Result<UnixStream> {
        self.reserve.clear();
        let started = self.try_start();
        self.set_aside();
        let (link, child, pidfd) = started?;
        let (greeted, served, since) = (false, false, Instant::now());
        // A successor has to show that it can do it; another that hangs may only be slow.
        let kill_at = self.former.is_some().then(|| since + super::tend::TRIAL);
        self.state = State::Running(Running { child: Some(child), pidfd, since, greeted, served, kill_at });
        Ok(link)
    }

    fn try_start(&self) -> io::Result<(UnixStream, pid_t, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        let Origin { umask, oom, nofile } = self.origin;
        let welcome = Welcome { version: VERSION, keeper_pid: std::process::id(), nofile, umask, oom };
        let mut bytes = Vec::new();
        frame(&welcome, &mut bytes);
        (&ours).write_all(&bytes)?;
        let copies = [
            (program::high(theirs.as_fd())?, hook::SOCKET),
            (program::high(self.lock.as_fd())?, LOCK),
            (program::high(self.listener.as_fd())?, LISTENER),
        ];
        let path = CString::new(format!("/proc/self/fd/{}", self.program.as_raw_fd()))?;
        let child = program::posix_spawn(&path, &self.arguments, &program::environment(), &copies)?;
        // Our unreaped child: the pid is still its own.
        match sys::pidfd_open(child) {
            Ok(pidfd) => Ok((ours, child, pidfd)),
            Err(error) => {
                let _ = sys::kill(child, libc::SIGKILL);
                sys::reap(child, true);
                Err(error)
            }
        }
    }

    /// Tells whoever started this keeper that an engine serves.
    pub(super) fn tell_serving(&mut self) {
        self.tell_launcher(SERVING, &std::process::id().to_string());
    }

    /// Tells whoever started this keeper that nothing runs.
    pub(super) fn tell_failed(&mut self, status: i32, text: &str) {
        self.status = status;
        self.tell_launcher(FAILED, &format!("{status}\n{text}"));
    }

    fn tell_launcher(&mut self, first: u8, text: &str) {
        if let Some(mut launcher) = self.launcher.take() {
            // It may have stopped waiting.
            let _ = launcher.write_all(&[&[first], text.as_bytes()].concat());
        }
    }

    /// Opens what the engine wants to be followed by.
    pub(super) fn succeed(&mut self, path: &[u8]) -> io::Result<()> {
        use std::os::unix::ffi::OsStrExt;
        let file = File::open(std::path::Path::new(std::ffi::OsStr::from_bytes(path)))?;
        // What the launcher's end was on is free by now: there it would be overwritten before it is run.
        self.successor = Some(program::high(file.as_fd())?);
        Ok(())
    }

    /// Hangs up on those who wait for an engine that does not come: better told than kept waiting.
    pub(super) fn turn_away(&self) {
        let mut fds = [libc::pollfd { fd: self.listener.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
        while sys::poll(&mut fds, Some(Duration::ZERO)).is_ok() && fds[0].revents & libc::POLLIN != 0 {
            if !sys::accept_and_close(self.listener.as_fd()) {
                return;
            }
            fds[0].revents = 0;
        }
    }
}
