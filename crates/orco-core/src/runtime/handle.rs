//! What stands for instances, and what is done with them.

use std::sync::Arc;

use super::LogTarget;
use crate::{
    model::{InstanceId, ServiceName},
    spec::Service,
};

/// A runtime's own name for an instance: opaque to the engine, printable, and enough to find the
/// instance again in another engine.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Handle {
    /// The instance.
    pub instance: InstanceId,
    /// What the runtime needs to find it, as it likes (a container id, a pid with its start time).
    pub token: String,
    /// The main process, where there is one on this machine.
    pub pid: Option<u32>,
    /// The container's id, where there is one.
    pub container: Option<String>,
}

impl Handle {
    /// A handle without pid or container.
    pub fn new(instance: InstanceId, token: impl Into<String>) -> Self {
        Self { instance, token: token.into(), pid: None, container: None }
    }

    /// With the main process's pid.
    #[must_use]
    pub const fn with_pid(mut self, pid: u32) -> Self {
        self.pid = Some(pid);
        self
    }

    /// With the container's id.
    #[must_use]
    pub fn with_container(mut self, container: impl Into<String>) -> Self {
        self.container = Some(container.into());
        self
    }
}

/// An instance that a runtime found when asked what there is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// Its handle.
    pub handle: Handle,
    /// Its service.
    pub service: ServiceName,
}

impl Found {
    /// A found instance.
    pub const fn new(handle: Handle, service: ServiceName) -> Self {
        Self { handle, service }
    }
}

/// What an engine remembers of an instance that it knew alive and whose end it has not recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Known {
    /// Its handle; the token is empty where the engine ended before it could record it.
    pub handle: Handle,
    /// Its service.
    pub service: Arc<Service>,
    /// Where its output goes.
    pub log: LogTarget,
}

impl Known {
    /// A remembered instance.
    pub const fn new(handle: Handle, service: Arc<Service>, log: LogTarget) -> Self {
        Self { handle, service, log }
    }
}

/// How to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Send this signal to the instance's process group; the caller keeps the time.
    Graceful(i32),
    /// End the whole tree now.
    Kill,
}
