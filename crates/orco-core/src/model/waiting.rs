//! Why something has not happened yet. Computed by each decision, never stored, so it cannot go stale.

use std::{fmt, sync::Arc, time::Duration};

use super::{Moment, Require, ServiceName, State};

/// Why a seat or a service is not where it should be. Its `Display` is the message users read.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Waiting {
    /// A dependency does not meet its requirement.
    Gate {
        /// The dependency.
        dep: ServiceName,
        /// What is required of it.
        require: Require,
        /// The state it is in.
        state: State,
        /// After this long the wait is reported as `ServiceBlocked`.
        timeout: Duration,
        /// Since when.
        since: Moment,
        /// The last evidence: what its probe said, how it ended, or that the user stopped it.
        evidence: Option<Arc<str>>,
        /// The other dependencies that do not meet theirs.
        others: Vec<ServiceName>,
    },
    /// A dependency's own replacement is not finished, and this is a new revision.
    DepChanging {
        /// The dependency.
        dep: ServiceName,
    },
    /// Too many starts or restarts at once; its turn comes.
    Admission,
    /// A restart waits for its delay.
    Backoff {
        /// Until then.
        until: Moment,
        /// Which retry this will be, from 1.
        attempt: u32,
        /// The limit, `None` for unlimited.
        limit: Option<u32>,
        /// What ended the last try.
        reason: Arc<str>,
    },
    /// A start was asked for and has not been answered yet.
    Starting,
    /// A start was decided and cannot be recorded: nothing starts that a crash would forget.
    Unrecorded {
        /// What stands in the way of the disk.
        trouble: Arc<str>,
    },
    /// Its runtime cannot start anything at present; it is tried again, and that costs no retry.
    Unavailable {
        /// What stands in the way.
        why: Arc<str>,
    },
    /// What it starts from is on its way: its image is pulled.
    Preparing {
        /// What, and how far that is.
        what: Arc<str>,
    },
    /// It runs; its probes do not pass yet.
    Probe {
        /// What they last said.
        last: Option<Arc<str>>,
        /// When the start counts as failed.
        until: Moment,
    },
    /// It was ready and is not now.
    Unready {
        /// What the probe said.
        last: Arc<str>,
    },
    /// Ready, but not yet for `minReady`.
    Settling {
        /// Until then.
        until: Moment,
    },
    /// A replacement waits until another replica is ready (`maxSurge`, `maxUnavailable`).
    Budget,
    /// A stop waits for what depends on it to go first.
    Dependents {
        /// Who is still there.
        on: Vec<ServiceName>,
    },
    /// It was asked to stop and has not gone yet.
    Exit {
        /// When it will be killed.
        kill_at: Moment,
    },
    /// It was asked to stop, and its runtime cannot do that at present; it is tried again.
    Unstoppable {
        /// What stands in the way.
        why: Arc<str>,
    },
    /// Given up.
    Halted {
        /// Why.
        reason: Arc<str>,
    },
    /// A removed service is kept while others may still need it.
    Held {
        /// By whom.
        by: ServiceName,
    },
    /// The user, or the failure of a dependency, stopped it.
    Down {
        /// Why, if it was not the user.
        reason: Option<Arc<str>>,
    },
}

/// A duration as people write it: `800ms`, `1.5s`, `2m10s`.
pub(crate) struct Human(pub(crate) Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            0..1000 => write!(f, "{ms}ms"),
            1000..10_000 if ms % 1000 >= 100 => write!(f, "{}.{}s", ms / 1000, ms % 1000 / 100),
            1000..60_000 => write!(f, "{}s", ms / 1000),
            60_000..3_600_000 if (ms / 1000).is_multiple_of(60) => write!(f, "{}m", ms / 60_000),
            60_000..3_600_000 => write!(f, "{}m{}s", ms / 60_000, ms / 1000 % 60),
            _ if (ms / 60_000).is_multiple_of(60) => write!(f, "{}h", ms / 3_600_000),
            _ => write!(f, "{}h{}m", ms / 3_600_000, ms / 60_000 % 60),
        }
    }
}

/// A duration as people write it: `800ms`, `1.5s`, `2m10s`.
pub fn human(duration: Duration) -> String {
    Human(duration).to_string()
}

fn names(services: &[ServiceName]) -> String {
    services.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(", ")
}

impl Waiting {
    /// It waits for a dependency.
    pub const fn is_gate(&self) -> bool {
        matches!(self, Self::Gate { .. } | Self::DepChanging { .. })
    }

    /// The message as it reads at `now` (remaining times are counted from there).
    pub fn message(&self, now: Moment) -> String {
        let left = |until: &Moment| Human(until.since(now));
        match self {
            Self::Gate { dep, require, timeout, evidence, others, .. } => {
                let what = match require {
                    Require::Exists => "not created",
                    Require::Started => "not Started",
                    Require::Ready => "not Ready",
                    Require::Completed => "not Completed",
                };
                let timeout = Human(*timeout);
                let evidence = evidence.as_ref().map(|e| format!(", {e}")).unwrap_or_default();
                let others = match others.as_slice() {
                    [] => String::new(),
                    others => format!("; and {}", names(others)),
                };
                format!("blocked: dependency {dep} {what} (timeout {timeout}{evidence}){others}")
            }
            Self::DepChanging { dep } => format!("waits until the replacement of {dep} is done"),
            Self::Admission => "waits for its turn: too many starts at once".to_owned(),
            Self::Backoff { until, attempt, limit, reason } => match limit {
                Some(limit) => format!("restart {attempt}/{limit} in {} ({reason})", left(until)),
                None => format!("restart {attempt} in {} ({reason})", left(until)),
            },
            Self::Starting => "starting".to_owned(),
            Self::Unrecorded { trouble } => format!("waits for the disk: its start cannot be recorded: {trouble}"),
            Self::Unavailable { why } => format!("cannot start yet: {why}"),
            Self::Preparing { what } => what.to_string(),
            Self::Probe { last: Some(last), .. } => format!("not ready: {last}"),
            Self::Probe { last: None, .. } => "not ready: first probe under way".to_owned(),
            Self::Unready { last } => format!("unready: {last}"),
            Self::Settling { until } => format!("ready, counts in {}", left(until)),
            Self::Budget => "replacement waits until another replica is ready".to_owned(),
            Self::Dependents { on } => {
                format!("stops after {}", names(on))
            }
            Self::Exit { kill_at } => format!("stopping, killed in {}", left(kill_at)),
            Self::Unstoppable { why } => format!("cannot stop yet: {why}"),
            Self::Halted { reason } => reason.to_string(),
            Self::Held { by } => format!("removed from the stack, kept while {by} may need it"),
            Self::Down { reason: Some(reason) } => reason.to_string(),
            Self::Down { reason: None } => "stopped by you".to_owned(),
        }
    }
}
