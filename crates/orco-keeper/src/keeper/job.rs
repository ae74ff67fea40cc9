//! What the keeper knows of an instance or a command.

use std::time::Instant;

use libc::pid_t;

use super::capture::Capture;
use crate::wire::Ending;

/// How far the main process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Not reaped yet.
    Alive,
    /// Reaped; something of its tree may be left.
    Leaderless(Ending),
    /// Nothing is left; the last output is on its way into the log.
    Draining(Ending),
}

/// What was asked of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// Nothing: what the main process leaves behind is killed.
    Nothing,
    /// To stop: what it leaves behind may live until it is killed.
    Stop,
    /// To die.
    Kill,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Kind {
    /// An instance of a service, with the signal that asks it to end.
    Service { stop_signal: i32 },
    /// A command, with its output and the moment of its timeout.
    Command { capture: Capture, deadline: Instant, timed_out: bool },
}

/// What the keeper knows of an instance or a command.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) pid: pid_t,
    pub(super) stage: Stage,
    pub(super) asked: Asked,
    pub(super) kind: Kind,
}

impl Job {
    pub(super) const fn new(pid: pid_t, kind: Kind) -> Self {
        Self { pid, stage: Stage::Alive, asked: Asked::Nothing, kind }
    }
}
