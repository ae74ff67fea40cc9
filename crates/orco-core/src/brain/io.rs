//! What goes into the brain and what comes out of it.

use std::sync::Arc;

use super::Step;
use crate::{
    model::{Fact, Happening, InstanceId, ProbeVersion, Role, Seat, ServiceIx, ServiceName},
    spec::{Health, Service, Stack},
};

/// What is asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Makes this the wanted stack. New services come up if the stack was ever asked up as a whole,
    /// changed ones are replaced, missing ones leave.
    Apply(Arc<Stack>),
    /// Wants these services up (all if empty). Clears the retry count of failed ones and runs
    /// completed oneshots again.
    Start {
        /// Which.
        services: Vec<ServiceName>,
        /// With everything they depend on.
        deps: bool,
    },
    /// Wants these services down. What depends on them stays.
    Stop {
        /// Which.
        services: Vec<ServiceName>,
    },
    /// Replaces these services by themselves, one replica at a time.
    Restart {
        /// Which.
        services: Vec<ServiceName>,
    },
    /// Sets the number of replicas until the next `Apply`.
    Scale {
        /// Which.
        service: ServiceName,
        /// How many.
        replicas: u32,
    },
    /// Wants everything down, in reverse order.
    Down,
    /// Kills everything that lives, at once, in no order; implies `Down`.
    Kill,
}

/// Why a command was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No service of that name.
    #[error("no service `{name}`{}", .near.as_ref().map(|n| format!(", did you mean `{n}`?")).unwrap_or_default())]
    UnknownService {
        /// The name.
        name: String,
        /// The nearest existing one.
        near: Option<ServiceName>,
    },
    /// This service cannot have that many replicas.
    #[error("cannot scale `{name}` to {replicas}: {why}")]
    Scale {
        /// Which.
        name: ServiceName,
        /// How many.
        replicas: u32,
        /// Why.
        why: String,
    },
}

/// What goes in.
#[derive(Clone, Debug)]
pub enum Input {
    /// What is asked.
    Command(Command),
    /// What happened.
    Fact(Fact),
}

/// What to do. Actions on one instance are carried out in the order given; on different ones, in any.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub enum Action {
    /// Start an instance. Answered by `Started` or `StartFailed`, later by `Exited`.
    Start {
        /// Where.
        at: Seat,
        /// The new instance.
        inst: InstanceId,
        /// The number of this try of the replica, from 1, over all sets.
        run: u32,
        /// What to start.
        service: Arc<Service>,
    },
    /// Begin to probe a live instance, instead of what was probed for this role before. Ends by
    /// itself with the instance.
    Probe {
        /// Where.
        at: Seat,
        /// Which.
        inst: InstanceId,
        /// For readiness or liveness.
        role: Role,
        /// To be returned with each verdict.
        version: ProbeVersion,
        /// The check and its cadence.
        health: Health,
    },
    /// Stop probing for this role (the check was removed in place).
    Unprobe {
        /// Which.
        inst: InstanceId,
        /// Which role.
        role: Role,
    },
    /// Run the preStop hook and send the stop signal. Answered by `Exited`, some day.
    Stop {
        /// Where.
        at: Seat,
        /// Which.
        inst: InstanceId,
        /// The signal.
        signal: i32,
    },
    /// End its whole tree now. Also sent for a start whose outcome is unknown. Answered by `Exited`.
    Kill {
        /// Where.
        at: Seat,
        /// Which.
        inst: InstanceId,
    },
}

/// What one turn decided.
#[derive(Debug, Default)]
#[must_use]
pub struct Turn {
    /// To be carried out.
    pub actions: Vec<Action>,
    /// To be told.
    pub happenings: Vec<Happening>,
    /// The decisions themselves, in order: the audit trail, and what checks read.
    pub steps: Vec<(ServiceIx, Step)>,
}

/// Settings that are no policy of a service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BrainConfig {
    /// Mixed into instance ids and jitter; random in production, the seed in simulations.
    pub seed: u128,
    /// Restarts per second for the whole stack.
    pub restarts_per_second: u32,
    /// The highest `run` per service and replica that was used before (log files of an earlier life).
    pub runs: Vec<(ServiceName, u32, u32)>,
}

impl BrainConfig {
    /// The defaults: 50 restarts a second.
    pub const fn new(seed: u128) -> Self {
        Self { seed, restarts_per_second: 50, runs: Vec::new() }
    }
}
