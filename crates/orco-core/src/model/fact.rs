//! What happened. Facts come from hands (start, wait, probe); stale ones carry an old instance id and
//! change nothing.

use std::{fmt, sync::Arc};

use super::{Exit, InstanceId, Seat};

/// What a probe round of one instance found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The probes hold.
    Pass,
    /// They do not, and why (a short fragment: `connection refused`).
    Fail(Arc<str>),
    /// The prober could not tell; counts as neither success nor failure.
    Unknown(Arc<str>),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("probe passed"),
            Self::Fail(why) => write!(f, "probe failing {why}"),
            Self::Unknown(why) => write!(f, "probe undecided: {why}"),
        }
    }
}

/// What a probe's verdict is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Role {
    /// `health`: gates dependents and traffic; never restarts by itself.
    Readiness,
    /// `liveness`: failing restarts the instance through the restart policy.
    Liveness,
}

/// Rises when a service's probes change in place; verdicts of another version are stale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub struct ProbeVersion(pub u32);

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fact {
    /// The instance exists but does not run yet (a container was created). Runtimes whose start is
    /// one step never report it.
    Created {
        /// Where.
        at: Seat,
        /// Which try.
        inst: InstanceId,
    },
    /// The instance runs.
    Started {
        /// Where.
        at: Seat,
        /// Which try.
        inst: InstanceId,
    },
    /// The start failed.
    StartFailed {
        /// Where.
        at: Seat,
        /// Which try.
        inst: InstanceId,
        /// The reason, a fragment for users.
        why: Arc<str>,
        /// True: nothing was started. False: unknown, so the instance is killed until its exit is seen.
        certain: bool,
    },
    /// The instance is over: its main process has exited and nothing of its tree is left.
    Exited {
        /// Where.
        at: Seat,
        /// Which try.
        inst: InstanceId,
        /// How.
        exit: Exit,
        /// The exit was not the instance's own fault: its port was taken by a stranger and the next
        /// try gets another. Does not count as a restart.
        port_lost: bool,
    },
    /// A probe round ended.
    Probed {
        /// Where.
        at: Seat,
        /// Which try.
        inst: InstanceId,
        /// Readiness or liveness.
        role: Role,
        /// The probe's version.
        version: ProbeVersion,
        /// What it found.
        verdict: Verdict,
    },
}
