//! The status document.

use indexmap::IndexMap;
use orco_core::{
    model::{self, Moment},
    spec,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Timestamp, Waiting};

/// The state users see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum State {
    /// Wanted, nothing exists yet: it waits for something.
    Pending,
    /// A start is under way, the process is not ready yet, or a restart waits for its backoff.
    Starting,
    /// Ready once; stays so while unready.
    Running,
    /// Asked to stop, still there.
    Stopping,
    /// Not wanted and not there.
    Stopped,
    /// A oneshot that ended with a success code.
    Completed,
    /// Given up.
    Failed,
}

impl State {
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

impl From<model::State> for State {
    fn from(state: model::State) -> Self {
        match state {
            model::State::Pending => Self::Pending,
            model::State::Running => Self::Running,
            model::State::Stopping => Self::Stopping,
            model::State::Stopped => Self::Stopped,
            model::State::Completed => Self::Completed,
            model::State::Failed => Self::Failed,
            // A state that this wire version does not know yet is on its way to something.
            _ => Self::Starting,
        }
    }
}

/// What kind of life a service leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Runs until it is stopped.
    Service,
    /// Runs to its end once per `up`.
    Oneshot,
    /// A service whose health gates nobody.
    Daemon,
}

impl From<spec::Kind> for Kind {
    fn from(kind: spec::Kind) -> Self {
        match kind {
            spec::Kind::Service => Self::Service,
            spec::Kind::Oneshot => Self::Oneshot,
            spec::Kind::Daemon => Self::Daemon,
        }
    }
}

/// Who keeps the stack running.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Mode {
    /// A foreground `orco up`: the stack ends with it.
    Foreground,
    /// A program that embeds Orco.
    Embedded,
    /// The daemon.
    Detached,
}

/// How an instance ended: exactly one of `code`, `signal`, `oom`, `unknown` is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Exit {
    /// It exited by itself with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The number of the signal that killed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The kernel killed it for want of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom: Option<bool>,
    /// Nobody saw how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<bool>,
    /// When it was seen; null where that is not told.
    pub at: Option<Timestamp>,
}

impl Exit {
    /// From the core's, with the time if there is one.
    pub fn new(exit: model::Exit, at: Option<Timestamp>) -> Self {
        let none = Self { at, ..Self::default() };
        match exit {
            model::Exit::Code(code) => Self { code: Some(code), ..none },
            model::Exit::Signal(number) => Self { signal: Some(number), ..none },
            model::Exit::Oom => Self { oom: Some(true), ..none },
            _ => Self { unknown: Some(true), ..none },
        }
    }

    /// Back to the core's, for its wording.
    pub const fn to_core(self) -> model::Exit {
        match self {
            Self { code: Some(code), .. } => model::Exit::Code(code),
            Self { signal: Some(number), .. } => model::Exit::Signal(number),
            Self { oom: Some(true), .. } => model::Exit::Oom,
            _ => model::Exit::Unknown,
        }
    }
}

/// What a service's instances use together.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// CPU time used so far, in seconds; null where unknown.
    pub cpu: Option<f64>,
    /// Resident bytes; null where unknown.
    pub memory: Option<u64>,
}

/// One instance, or an empty seat.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// The replica number, from 0.
    pub replica: u32,
    /// The live (or last) try, 32 hex digits.
    pub id: Option<String>,
    /// The main process.
    pub pid: Option<u32>,
    /// The container.
    pub container: Option<String>,
    /// Its state.
    pub state: State,
    /// Whether its own probe says so.
    pub ready: bool,
    /// When the live instance was started.
    pub started_at: Option<Timestamp>,
    /// Where it is reached, `host:port`.
    pub endpoint: Option<String>,
    /// Where each of its ports is reached, by the port it listens on itself.
    #[serde(default)]
    pub endpoints: IndexMap<String, String>,
    /// Restarts of this seat.
    pub restarts: u64,
    /// The last exit of this seat.
    pub exit: Option<Exit>,
}

/// One service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: String,
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
    /// One line for people; empty if all is well.
    pub message: String,
    /// What it waits for; null if it does not wait.
    pub waiting: Option<Waiting>,
    /// The target revision.
    pub revision: String,
    /// When the service was first known.
    pub first_seen: Timestamp,
    /// When something last happened to it.
    pub last_event: Timestamp,
    /// The last exit of any instance.
    pub exit: Option<Exit>,
    /// What its instances use.
    pub resources: Resources,
    /// By replica number.
    pub instances: Vec<Instance>,
}

/// The whole stack at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The stack's name.
    pub stack: String,
    /// Its id, 12 hex digits.
    pub id: String,
    /// Rises with every change.
    pub version: u64,
    /// When this was taken.
    pub generated_at: Timestamp,
    /// Who keeps it running.
    pub mode: Mode,
    /// How process trees are killed: `cgroup` or `sweep`; empty if no runtime says.
    pub kill_backend: String,
    /// By name, in the order of the stack file.
    pub services: IndexMap<String, Service>,
}

/// Turns the engine's monotonic moments into wall-clock time.
pub(crate) type Wall<'a> = &'a dyn Fn(Moment) -> Timestamp;

pub(crate) fn ended(ended: Option<model::Ended>, wall: Wall<'_>) -> Option<Exit> {
    ended.map(|e| Exit::new(e.exit, Some(wall(e.at))))
}
