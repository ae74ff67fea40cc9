//! What a stack looks like at one moment: the read-only view for status, waits and user interfaces.

use std::sync::Arc;

use super::{Exit, Gen, InstanceId, Kind, Moment, Revision, ServiceIx, ServiceName, Waiting};

/// The state users see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum State {
    /// Wanted, nothing exists yet: it waits for something.
    Pending,
    /// A start is under way, the process exists and is not ready yet, or a restart waits for its backoff.
    Starting,
    /// Ready once; stays so while unready.
    Running,
    /// Asked to stop, still there.
    Stopping,
    /// Not wanted and not there.
    Stopped,
    /// A oneshot that ended with a success code.
    Completed,
    /// Given up: the retries are used up or the policy forbids another try.
    Failed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Starting, Self::Running, Self::Stopping, Self::Stopped, Self::Completed, Self::Failed];

    /// The name in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How and when an instance ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// How.
    pub exit: Exit,
    /// When it was seen.
    pub at: Moment,
}

/// One instance, or an empty seat.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct InstanceView {
    /// The replica number.
    pub replica: u32,
    /// The revision set; two instances of one replica number differ here.
    pub generation: Gen,
    /// The live (or last) try, if there was one.
    pub id: Option<InstanceId>,
    /// The number of tries of this replica so far, counted over all sets; the `run` of log records.
    pub run: u32,
    /// Its state.
    pub state: State,
    /// Whether its own probe says so.
    pub ready: bool,
    /// When the live instance was started.
    pub started_at: Option<Moment>,
    /// Restarts of this seat.
    pub restarts: u64,
    /// The last exit of this seat.
    pub exit: Option<Ended>,
    /// Why it is not further, if it waits.
    pub waiting: Option<Waiting>,
}

/// One service.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ServiceView {
    /// Its number in this engine.
    pub ix: ServiceIx,
    /// Its name.
    pub name: ServiceName,
    /// Service, oneshot or daemon.
    pub kind: Kind,
    /// The state.
    pub state: State,
    /// Whether it meets `require: ready`.
    pub ready: bool,
    /// Replicas wanted.
    pub replicas: u32,
    /// Replicas ready.
    pub ready_replicas: u32,
    /// Restarts in total; never reset.
    pub restarts: u64,
    /// One line for people: what it waits for, why it failed; empty if all is well.
    pub message: String,
    /// The service's own wait, or the first of its instances'.
    pub waiting: Option<Waiting>,
    /// The target revision.
    pub revision: Revision,
    /// When the service was first known.
    pub first_seen: Moment,
    /// When something last happened to it.
    pub last_event: Moment,
    /// The last exit of any instance.
    pub exit: Option<Ended>,
    /// A replacement (restart, update, scale) is under way.
    pub changing: bool,
    /// False: it is wanted down.
    pub wanted: bool,
    /// The last thing a probe said about it, with the replica it said it of.
    pub last_probe: Option<(u32, super::Verdict)>,
    /// Names it depends on.
    pub depends_on: Arc<[ServiceName]>,
    /// The instances, by replica number, then generation.
    pub instances: Vec<InstanceView>,
}

/// The whole stack at one moment.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken.
    pub at: Moment,
    /// The services in the order of the stack file; removed ones that still run come last.
    pub services: Vec<ServiceView>,
}

impl Snapshot {
    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&ServiceView> {
        self.services.iter().find(|s| s.name == name)
    }

    /// Every service that is wanted is ready or completed. A daemon's health gates nobody and is not
    /// asked for.
    pub fn all_ready(&self) -> bool {
        self.services.iter().filter(|s| s.wanted).all(|s| s.ready || s.state == State::Completed)
    }

    /// No instance is left anywhere.
    pub fn all_down(&self) -> bool {
        self.services.iter().all(|s| {
            !s.wanted
                && s.instances.iter().all(|i| matches!(i.state, State::Stopped | State::Completed | State::Failed))
        })
    }
}
