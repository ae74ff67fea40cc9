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
    /// Over, with so many bytes in its log. Kept until the engine has recorded it; only in detached mode.
    Over(Ending, u64),
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
    /// An instance of a service, with the signal that asks it to end, and where its log is.
    Service { stop_signal: i32, log_dir: Box<[u8]>, log_stem: Box<[u8]> },
    /// A command, with its output and the moment of its timeout.
    Command { capture: Capture, deadline: Instant, timed_out: bool },
}

/// What the keeper knows of an instance or a command.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) pid: pid_t,
    pub(super) stage: Stage,
    pub(super) asked: Asked,
    /// The last stop signal: an engine that begins anew repeats its orders.
    pub(super) stopped_with: Option<i32>,
    pub(super) kind: Kind,
    /// By what another keeper knows it again; only in detached mode.
    pub(super) token: Box<[u8]>,
}

impl Job {
    pub(super) fn new(pid: pid_t, kind: Kind) -> Self {
        Self { pid, stage: Stage::Alive, asked: Asked::Nothing, stopped_with: None, kind, token: Box::default() }
    }
}
