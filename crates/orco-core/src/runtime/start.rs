//! What a start is told.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    model::{InstanceId, StackId},
    spec::Service,
};

/// Where an instance's output goes: the first segment is `dir/STEM.0.log` with its index `dir/STEM.0.idx`
/// (see [`crate::log`]). The directory exists.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LogTarget {
    /// The service's log directory.
    pub dir: PathBuf,
    /// `REPLICA.RUN`, unique in the directory.
    pub stem: String,
}

impl LogTarget {
    /// A target.
    pub fn new(dir: impl Into<PathBuf>, stem: impl Into<String>) -> Self {
        Self { dir: dir.into(), stem: stem.into() }
    }
}

/// Everything a runtime needs to start one instance. All variables are expanded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartRequest {
    /// The stack.
    pub stack: StackId,
    /// The instance to be.
    pub instance: InstanceId,
    /// Its service.
    pub service: Arc<Service>,
    /// Its replica number.
    pub replica: u32,
    /// The number of this try.
    pub run: u32,
    /// The arguments, expanded; empty only where an image brings its own command.
    pub argv: Vec<String>,
    /// The variables to set (`None`: to remove from the inherited ones), expanded.
    pub env: BTreeMap<String, Option<String>>,
    /// The working directory, absolute.
    pub workdir: PathBuf,
    /// Where the output goes.
    pub log: LogTarget,
    /// The stack's name, for people.
    pub stack_name: Arc<str>,
    /// The set of replicas it belongs to.
    pub generation: u32,
    /// The ports to publish on the host, where [`Runtime::isolates`](super::Runtime::isolates).
    pub publish: Vec<Publish>,
}

/// A port of an isolated instance that is to be reached on the host.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Publish {
    /// The port that the program listens on.
    pub target: u16,
    /// The address on the host.
    pub ip: IpAddr,
    /// The port on the host: as the file says, else one that the engine has chosen and keeps for the seat.
    pub host: u16,
    /// True for UDP.
    pub udp: bool,
}

impl Publish {
    /// A TCP port on loopback.
    pub const fn new(target: u16, host: u16) -> Self {
        Self { target, ip: IpAddr::V4(Ipv4Addr::LOCALHOST), host, udp: false }
    }
}

impl StartRequest {
    /// A request with the service's own command, variables and working directory, unexpanded.
    pub fn new(stack: StackId, instance: InstanceId, service: Arc<Service>, log: LogTarget) -> Self {
        Self {
            stack,
            instance,
            replica: 0,
            run: 1,
            argv: service.command.as_ref().map(|c| c.argv.clone()).unwrap_or_default(),
            env: service.env.clone(),
            workdir: service.workdir.clone(),
            log,
            stack_name: Arc::from("orco"),
            generation: 1,
            publish: Vec::new(),
            service,
        }
    }
}
