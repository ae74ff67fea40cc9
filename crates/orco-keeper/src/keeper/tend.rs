//! Looking after the engine of a detached keeper: greeting it, ending one that talks nonsense, starting the next.

use std::{
    os::fd::AsFd,
    time::{Duration, Instant},
};

use libc::c_int;

use super::{
    detached::say,
    engine::{Engines, State},
    job::{Kind, Stage},
    retry::Next,
    talk::{Greeting, Talk},
    turn::Keeper,
};
use crate::{
    logger::{Limits, Task},
    sys,
    wire::{Backend, Hello, Order, Report, VERSION},
};

/// An engine that has hung up has so long to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// A successor serves by then, or the former program is run again.
pub(super) const TRIAL: Duration = Duration::from_secs(60);
/// When no engine is started by itself, one is started at most so often for those who ask.
const ASKED_TRY: Duration = Duration::from_secs(1);
/// What services get between the stop signal and the kill when everything is to end and no engine is there to see to it.
const GRACE: Duration = Duration::from_secs(10);

/// Not for services: they belong to who started the keeper, and are about its process or its engine's.
const FOR_THE_DAEMON: [&[u8]; 6] =
    [b"NOTIFY_SOCKET=", b"WATCHDOG_USEC=", b"WATCHDOG_PID=", b"LISTEN_FDS=", b"LISTEN_PID=", b"LISTEN_FDNAMES="];

impl Keeper {
    /// The next order of whom we know; strangers have to greet first.
    pub(super) fn next_order(&mut self) -> Option<Order> {
        if let Some(running) = self.engines.as_mut().and_then(Engines::running_mut)
            && !running.greeted
        {
            match self.talk.greeting()? {
                Greeting::Hello(hello) => {
                    running.greeted = true;
                    self.greet(&hello);
                }
                Greeting::Stranger(version) => {
                    say(&format!("the engine speaks protocol {version}, this keeper {VERSION}"));
                    self.tell_ready(None);
                    self.talk.hang_up();
                    return None;
                }
            }
        }
        self.talk.next()
    }

    fn tell_ready(&mut self, refused: Option<i32>) {
        let backend = if self.cgroups.is_some() { Backend::Cgroup } else { Backend::Sweep };
        self.talk.tell(&Report::Ready { version: VERSION, pid: std::process::id(), backend, refused });
    }

    /// A new engine: it is told everything there is.
    fn greet(&mut self, hello: &Hello) {
        let env = hello.env.iter().filter(|variable| !FOR_THE_DAEMON.iter().any(|name| variable.starts_with(name)));
        self.spawner.rebase(env, hello.nofile);
        self.logger.give(Task::Limits(Limits::new(hello.segment_bytes, hello.unacknowledged_bytes)));
        self.tell_ready(self.refused);
        let mut services: Vec<_> = self.jobs.iter().collect();
        services.sort_by_key(|(id, _)| id.0);
        for (id, job) in services {
            let Kind::Service { stop_signal, log_dir, log_stem } = &job.kind else { continue };
            let (ending, bytes) = match job.stage {
                Stage::Over(ending, bytes) => (Some(ending), bytes),
                Stage::Alive | Stage::Leaderless(_) | Stage::Draining(_) => (None, 0),
            };
            let (log_dir, log_stem, pid) = (log_dir.clone(), log_stem.clone(), job.pid.cast_unsigned());
            let stop_signal = *stop_signal;
            self.talk.tell(&Report::Token { id: *id, token: job.token.clone(), stop_signal });
            self.talk.tell(&Report::Held { id: *id, pid, ending, bytes, log_dir, log_stem });
        }
        self.talk.tell(&Report::HeldAll {});
        let Some(engines) = &mut self.engines else { return };
        for signal in engines.signals.drain(..) {
            self.talk.tell(&Report::Asked { signal });
        }
        if let Some((id, segment)) = engines.full {
            self.talk.tell(&Report::Rotated { id, segment });
        }
    }

    /// The engine has recovered.
    pub(super) fn serving(&mut self) {
        let Some(engines) = &mut self.engines else { return };
        let Some(running) = engines.running_mut() else { return };
        running.served = true;
        running.kill_at = None;
        engines.retries.served();
        engines.ever_served = true;
        engines.former = None;
        engines.tell_serving();
    }

    pub(super) fn succeed(&mut self, program: &[u8]) {
        if let Some(engines) = &mut self.engines
            && let Err(error) = engines.succeed(program)
        {
            say(&format!("cannot run {}: {error}; the engine will be the same", String::from_utf8_lossy(program)));
        }
    }

    /// A signal that is meant for the engine.
    pub(super) fn asked(&mut self, signal: c_int) {
        let Some(engines) = &mut self.engines else { return };
        if matches!(engines.state, State::GivenUp(_)) && signal != libc::SIGHUP {
            say("no engine can be started: ending everything");
            engines.status = 1;
            engines.state = State::Over;
            return self.leave(GRACE);
        }
        if engines.running().is_some_and(|running| running.greeted) && self.talk.is_open() {
            return self.talk.tell(&Report::Asked { signal });
        }
        if !engines.signals.contains(&signal) {
            engines.signals.push(signal);
        }
        if let State::GivenUp(since) = engines.state {
            engines.state = State::Due(since);
        }
    }

    /// Somebody wants an engine.
    pub(super) fn knocked(&mut self) {
        if let Some(Engines { state: state @ State::GivenUp(_), .. }) = &mut self.engines {
            *state = State::Due(Instant::now());
        }
    }

    /// What has to be done by now.
    pub(super) fn tend(&mut self) {
        let now = Instant::now();
        let Some(engines) = &mut self.engines else { return };
        match &mut engines.state {
            State::Running(running) => {
                if !self.talk.is_open() {
                    let patience = if self.talk.is_nonsense() { Duration::ZERO } else { FAREWELL };
                    let last = now + patience;
                    running.kill_at = Some(running.kill_at.map_or(last, |at| at.min(last)));
                }
                if running.kill_at.is_some_and(|at| at <= now) {
                    let _ = sys::pidfd_signal(running.pidfd.as_fd(), libc::SIGKILL);
                    running.kill_at = Some(now + FAREWELL);
                }
            }
            State::Due(at) if *at <= now && self.leaving.is_none() => self.start_engine(),
            State::Due(_) | State::GivenUp(_) | State::Over => {}
        }
    }

    fn start_engine(&mut self) {
        let Some(engines) = &mut self.engines else { return };
        let started = engines.start().and_then(|link| Talk::new(link.into()));
        self.mains.engine = engines.child();
        match started {
            Ok(talk) => self.talk = talk,
            Err(error) => {
                say(&format!("cannot start the engine: {error}"));
                self.next_engine(false, Duration::ZERO, 1, &format!("cannot start the engine: {error}"));
            }
        }
    }

    /// The engine's process has ended; `None`: nobody knows how.
    pub(super) fn engine_ended(&mut self, status: Option<c_int>) {
        self.hear_out();
        self.talk = Talk::silent();
        self.mains.engine = None;
        self.condemned.extend(&self.commands);
        let Some(engines) = &mut self.engines else { return };
        let State::Running(running) = std::mem::replace(&mut engines.state, State::Over) else { return };
        if self.leaving.is_some() {
            return;
        }
        let (code, text) = describe(status);
        // Whoever kills it wants it to be started again; whoever ends by itself has said why.
        let killed = status.is_some_and(|status| libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL);
        if !engines.ever_served && !killed && self.jobs.is_empty() {
            engines.tell_failed(code, &text);
            return self.leave_now();
        }
        say(&format!("the engine has ended: {text}"));
        self.next_engine(running.served, running.since.elapsed(), code, &text);
    }

    /// Does what the engine asked for before it ended.
    fn hear_out(&mut self) {
        loop {
            let more = self.talk.read();
            while let Some(order) = self.next_order() {
                self.obey(order);
            }
            if !more {
                return;
            }
        }
    }

    fn next_engine(&mut self, served: bool, lived: Duration, code: i32, text: &str) {
        let now = Instant::now();
        let Some(engines) = &mut self.engines else { return };
        if let Some(successor) = engines.successor.take() {
            engines.former = Some(std::mem::replace(&mut engines.program, successor));
            engines.state = State::Due(now);
            return;
        }
        if !served && let Some(former) = engines.former.take() {
            say("the new program did not serve: running the former one again");
            engines.program = former;
            engines.state = State::Due(now);
            return;
        }
        engines.state = match engines.retries.ended(served, lived) {
            Next::After(delay) => State::Due(now + delay),
            Next::GiveUp => {
                say("the engine does not come up: given up until somebody asks for it");
                engines.tell_failed(code, text);
                engines.turn_away();
                State::GivenUp(now + ASKED_TRY)
            }
        };
        if matches!(engines.state, State::GivenUp(_)) && !engines.ever_served && self.jobs.is_empty() {
            self.leave_now();
        }
    }

    /// What this process ends with.
    pub(super) fn status(&self) -> i32 {
        self.engines.as_ref().map_or_else(|| self.cleaner.status(), |engines| engines.status)
    }
}

/// The exit status that stands for this end, and words for it.
fn describe(status: Option<c_int>) -> (i32, String) {
    match status {
        Some(status) if libc::WIFSIGNALED(status) => {
            (128 + libc::WTERMSIG(status), format!("signal {}", libc::WTERMSIG(status)))
        }
        Some(status) => (libc::WEXITSTATUS(status), format!("exit code {}", libc::WEXITSTATUS(status))),
        None => (1, "nobody knows how".to_owned()),
    }
}
