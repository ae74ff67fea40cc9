//! The keeper's main loop. It sleeps until something happens; it has no ticks.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::sys::{signal::SigSet, signalfd::SignalFd};
use orco_core::model::InstanceId;

use super::{
    cgroup::Cgroups,
    cleaner::Cleaner,
    engine::Engines,
    foster::Fosters,
    guard::{FAILED, TOO_LATE},
    job::{Job, Kind, Stage},
    leave::{GRACE, Leaving},
    signals,
    spawn::Spawner,
    strays::{Mains, Strays},
    talk::{Greeting, Talk},
};
use crate::{
    logger::{self, Logger},
    sys,
    wire::{Backend, Report, VERSION},
};

/// Orders are carried out for this long before others get a turn: with a thousand starts waiting, exits are still
/// told and the engine hears of the first starts while the last ones wait.
const SLICE: Duration = Duration::from_millis(4);

/// What the guard hands on.
pub(super) struct Birth {
    pub(super) socket: OwnedFd,
    pub(super) engine: OwnedFd,
    pub(super) cgroups: Option<Cgroups>,
    pub(super) refused: Option<i32>,
    pub(super) ledger: File,
}

/// Everything the keeper knows.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) talk: Talk,
    /// Whose fate we share.
    pub(super) engine: Option<OwnedFd>,
    /// Those we outlive.
    pub(super) engines: Option<Engines>,
    pub(super) refused: Option<i32>,
    pub(super) children: SignalFd,
    pub(super) logger: Logger,
    pub(super) spawner: Spawner,
    pub(super) cgroups: Option<Cgroups>,
    pub(super) jobs: HashMap<InstanceId, Job>,
    pub(super) mains: Mains,
    pub(super) strays: Strays,
    /// Who has lost its main process and is not known to be empty.
    pub(super) leaderless: BTreeSet<InstanceId>,
    /// The commands among the jobs.
    pub(super) commands: BTreeSet<InstanceId>,
    /// Whose trees are to be killed in this turn.
    pub(super) condemned: Vec<InstanceId>,
    pub(super) leaving: Option<Leaving>,
    /// What an earlier keeper has started.
    pub(super) fosters: Fosters,
    /// What is to be cleaned up after the engine.
    pub(super) cleaner: Cleaner,
}

/// Runs the keeper until the engine is gone and nothing is left. Returns the exit status.
pub(super) fn keep(birth: Birth) -> i32 {
    match open(birth) {
        Ok(Some(mut keeper)) => keeper.run().map_or(FAILED, |()| keeper.status()),
        // Should there be anything to clean up, the guard does it.
        Ok(None) => TOO_LATE,
        Err(_) => FAILED,
    }
}

/// Waits for the engine's first words and answers them.
fn open(birth: Birth) -> io::Result<Option<Keeper>> {
    nix::sys::prctl::set_child_subreaper(true)?;
    let signals = signals::block(false)?;
    let mut talk = Talk::new(birth.socket)?;
    let hello = match hear(&mut talk)? {
        Some(Greeting::Hello(hello)) => hello,
        Some(Greeting::Stranger(_)) => {
            let (pid, backend) = (std::process::id(), Backend::Auto);
            talk.tell(&Report::Ready { version: VERSION, pid, backend, refused: None });
            talk.hang_up();
            return Ok(None);
        }
        None => return Ok(None),
    };
    let spawner = Spawner::new(&hello.env, hello.nofile)?;
    raise_descriptor_limit();
    let backend = if birth.cgroups.is_some() { Backend::Cgroup } else { Backend::Sweep };
    talk.tell(&Report::Ready { version: VERSION, pid: std::process::id(), backend, refused: birth.refused });
    talk.flush();
    if birth.refused.is_some() {
        return Ok(None);
    }
    let children = signals::open(&signals)?;
    let logger = logger::start(logger::Limits::new(hello.segment_bytes, hello.unacknowledged_bytes))?;
    let mut keeper = Keeper::new(talk, children, logger, spawner, birth.cgroups)?;
    keeper.engine = Some(birth.engine);
    keeper.cleaner = Cleaner::of(birth.ledger);
    Ok(Some(keeper))
}

fn hear(talk: &mut Talk) -> io::Result<Option<Greeting>> {
    while talk.is_open() {
        match talk.greeting() {
            Some(greeting) => return Ok(Some(greeting)),
            None => {
                sys::poll(&mut [wait_for(talk.raw(), libc::POLLIN)], None)?;
                talk.read();
            }
        }
    }
    Ok(None)
}

/// As many descriptors as we may: four for each instance.
pub(super) fn raise_descriptor_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Without it, late services fail to start with a message that says so.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

const fn wait_for(fd: i32, events: i16) -> libc::pollfd {
    libc::pollfd { fd, events, revents: 0 }
}

impl Keeper {
    fn new(
        talk: Talk,
        children: SignalFd,
        logger: Logger,
        spawner: Spawner,
        cgroups: Option<Cgroups>,
    ) -> io::Result<Self> {
        Ok(Self {
            talk,
            engine: None,
            engines: None,
            refused: None,
            children,
            logger,
            spawner,
            cgroups,
            jobs: HashMap::new(),
            mains: Mains::default(),
            strays: Strays::new(),
            leaderless: BTreeSet::new(),
            commands: BTreeSet::new(),
            condemned: Vec::new(),
            leaving: None,
            fosters: Fosters::new()?,
            cleaner: Cleaner::default(),
        })
    }

    /// One that outlives its engines.
    pub(super) fn detached(
        mut engines: Engines,
        signals: &SigSet,
        logger: Logger,
        spawner: Spawner,
        cgroups: (Option<Cgroups>, Option<i32>),
    ) -> io::Result<Self> {
        let talk = engines.link.take().map_or_else(|| Ok(Talk::silent()), Talk::new)?;
        let mut keeper = Self::new(talk, signals::open(signals)?, logger, spawner, cgroups.0)?;
        keeper.engines = Some(engines);
        keeper.refused = cgroups.1;
        Ok(keeper)
    }

    pub(super) fn run(&mut self) -> io::Result<()> {
        loop {
            // Orders that are read already but not carried out leave no trace in poll.
            let unfinished = self.carry_out();
            self.execute();
            self.seek();
            self.fosters.tidy();
            self.settle();
            self.logger.flush();
            self.talk.flush();
            if !self.talk.is_open() && self.engine.is_some() {
                self.leave(GRACE);
            }
            self.tend();
            if self.leaving.is_some() {
                self.cleaner.begin();
            }
            if self.leaving.is_some() && self.take_leave() {
                return Ok(());
            }
            self.wait(if unfinished { Some(Duration::ZERO) } else { self.patience() })?;
        }
    }

    /// Sleeps, and takes in what has happened.
    fn wait(&mut self, patience: Option<Duration>) -> io::Result<()> {
        const FIXED: usize = 7;
        // A negative descriptor is not waited for.
        let engine = self.engine.as_ref().filter(|_| self.talk.is_open()).map(AsRawFd::as_raw_fd);
        let stranger = self.engines.as_ref().map_or(-1, Engines::stranger);
        let mut fds = vec![
            wait_for(self.talk.raw(), self.talk.interest()),
            wait_for(engine.unwrap_or(stranger), libc::POLLIN),
            wait_for(self.children.as_raw_fd(), libc::POLLIN),
            wait_for(self.logger.reports_ready().as_fd().as_raw_fd(), libc::POLLIN),
            wait_for(self.engines.as_ref().map_or(-1, Engines::knocking), libc::POLLIN),
            wait_for(self.fosters.raw(), libc::POLLIN),
            wait_for(self.cleaner.raw(), libc::POLLIN),
        ];
        let captures: Vec<(InstanceId, i32)> = self.captures().collect();
        fds.extend(captures.iter().map(|(_, fd)| wait_for(*fd, libc::POLLIN)));
        sys::poll(&mut fds, patience)?;
        // Before its end may be noticed: these were its last words.
        if fds[0].revents & (libc::POLLIN | libc::POLLHUP | libc::POLLERR) != 0 {
            self.talk.read();
        }
        if fds[2].revents != 0 {
            self.take_signals();
        }
        if fds[3].revents != 0 {
            self.take_log_reports();
        }
        for ((id, _), fd) in captures.iter().zip(&fds[FIXED..]) {
            if fd.revents != 0
                && let Some(Job { kind: Kind::Command { capture, .. }, .. }) = self.jobs.get_mut(id)
            {
                capture.read();
            }
        }
        // The pidfd too: a forked child of the engine may hold its end of the socket open.
        if fds[1].revents != 0 {
            if self.engine.is_some() { self.talk.close() } else { self.engine_ended(None) }
        }
        if fds[4].revents != 0 {
            self.knocked();
        }
        if fds[5].revents != 0 {
            self.take_foster_ends();
        }
        self.time_out();
        Ok(())
    }

    fn take_signals(&mut self) {
        while let Ok(Some(signal)) = self.children.read_signal() {
            match signal.ssi_signo.cast_signed() {
                libc::SIGCHLD => {}
                other => self.asked(other),
            }
        }
        self.reap();
    }

    fn captures(&self) -> impl Iterator<Item = (InstanceId, i32)> + '_ {
        self.commands.iter().filter_map(|id| match &self.jobs.get(id)?.kind {
            Kind::Command { capture, .. } => Some((*id, capture.raw()?)),
            Kind::Service { .. } => None,
        })
    }

    /// How long there is nothing to do by itself.
    fn patience(&self) -> Option<Duration> {
        let timeouts = self.commands.iter().filter_map(|id| match self.jobs.get(id)? {
            Job { kind: Kind::Command { deadline, timed_out: false, .. }, stage: Stage::Alive, .. } => Some(*deadline),
            _ => None,
        });
        let engine = self.engines.as_ref().and_then(Engines::next_look);
        let next = timeouts
            .chain(self.leaving.as_ref().map(Leaving::next_look))
            .chain(engine)
            .chain(self.fosters.next(!self.leaderless.is_empty()))
            .min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Carries out what was read. True if there is more.
    fn carry_out(&mut self) -> bool {
        let until = Instant::now() + SLICE;
        while let Some(order) = self.next_order() {
            self.obey(order);
            if Instant::now() >= until {
                return true;
            }
        }
        false
    }
}
