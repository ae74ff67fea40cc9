//! The typed event stream.

use std::sync::Arc;

use super::{Exit, ServiceIx};

/// The type of an event. The names are part of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A start was decided.
    ServiceStarting,
    /// The process or container exists.
    ServiceStarted,
    /// A replica became ready.
    ServiceReady,
    /// A replica that was ready is not any more.
    ServiceUnready,
    /// A service waits for a dependency and its timeout has passed, or the dependency has failed; or its runtime
    /// cannot start or stop it at present.
    ServiceBlocked,
    /// A restart was decided; `attempt` counts, `reason` names the cause.
    ServiceRestarting,
    /// An instance ended without being asked to, or could not be started.
    ServiceCrashed,
    /// Retries are used up, or the policy says no restart.
    ServiceFailed,
    /// A oneshot ended with a success code.
    ServiceCompleted,
    /// A stop was decided.
    ServiceStopping,
    /// The service has no instance left and is wanted down.
    ServiceStopped,
    /// A postStart, preStop or postStop hook failed.
    HookFailed,
    /// An update moved on.
    UpdatePhase,
    /// A canary moved on.
    Canary,
    /// An update was promoted.
    Promoted,
    /// An update was undone.
    Aborted,
    /// A new engine took over a running stack.
    EngineRecovered,
    /// The keeper died; what it held was swept or adopted.
    KeeperLost,
    /// Every service is ready or completed.
    StackReady,
    /// Nothing of the stack is left.
    StackStopped,
}

impl EventKind {
    /// All kinds, in declaration order.
    pub const ALL: [Self; 20] = [
        Self::ServiceStarting,
        Self::ServiceStarted,
        Self::ServiceReady,
        Self::ServiceUnready,
        Self::ServiceBlocked,
        Self::ServiceRestarting,
        Self::ServiceCrashed,
        Self::ServiceFailed,
        Self::ServiceCompleted,
        Self::ServiceStopping,
        Self::ServiceStopped,
        Self::HookFailed,
        Self::UpdatePhase,
        Self::Canary,
        Self::Promoted,
        Self::Aborted,
        Self::EngineRecovered,
        Self::KeeperLost,
        Self::StackReady,
        Self::StackStopped,
    ];

    /// The name as it stands in event streams.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceStarting => "ServiceStarting",
            Self::ServiceStarted => "ServiceStarted",
            Self::ServiceReady => "ServiceReady",
            Self::ServiceUnready => "ServiceUnready",
            Self::ServiceBlocked => "ServiceBlocked",
            Self::ServiceRestarting => "ServiceRestarting",
            Self::ServiceCrashed => "ServiceCrashed",
            Self::ServiceFailed => "ServiceFailed",
            Self::ServiceCompleted => "ServiceCompleted",
            Self::ServiceStopping => "ServiceStopping",
            Self::ServiceStopped => "ServiceStopped",
            Self::HookFailed => "HookFailed",
            Self::UpdatePhase => "UpdatePhase",
            Self::Canary => "Canary",
            Self::Promoted => "Promoted",
            Self::Aborted => "Aborted",
            Self::EngineRecovered => "EngineRecovered",
            Self::KeeperLost => "KeeperLost",
            Self::StackReady => "StackReady",
            Self::StackStopped => "StackStopped",
        }
    }
}

/// What an event carries besides its message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum EventData {
    /// Nothing.
    #[default]
    None,
    /// How an instance ended.
    Exit(Exit),
    /// The delay before the next try.
    Delay(std::time::Duration),
    /// The dependency concerned.
    Dependency(super::ServiceName),
    /// The kernel's process number.
    Pid(u32),
}

/// An event before the engine stamped it with time and sequence number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happening {
    /// The type.
    pub kind: EventKind,
    /// The service, or `None` for the stack.
    pub service: Option<ServiceIx>,
    /// The replica, where one is meant.
    pub replica: Option<u32>,
    /// For people.
    pub message: Arc<str>,
    /// The cause, a fragment (`exit code 1`), where there is one.
    pub reason: Option<Arc<str>>,
    /// Which try, where it is about tries.
    pub attempt: Option<u32>,
    /// Typed details.
    pub data: EventData,
}
