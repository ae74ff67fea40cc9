//! The contract of probes: one question to one instance. A probe keeps no time and no thresholds.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_core::Stream;

use crate::{
    log::Record,
    model::{InstanceId, ServiceName, Verdict},
    runtime::{ExecResult, RuntimeError},
    spec::{Diagnostic, ProbeSpec, Service},
};

/// How a probe is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeKind {
    /// Asked again every interval.
    Poll,
    /// Asked once per instance and left waiting: it returns when it knows (a log pattern was seen), and
    /// [`Verdict::Pass`] then holds for good. While it waits it counts as failing.
    Stream,
}

/// Batches of log records.
pub type RecordStream = Pin<Box<dyn Stream<Item = Vec<Record>> + Send>>;

/// Follows one instance's output.
pub trait Follow: Send + Sync + fmt::Debug {
    /// Every record from the first byte on; ends when the instance's output has ended. Nothing is
    /// dropped: a slow reader is just behind.
    fn records(&self) -> RecordStream;
}

/// Runs commands beside or inside the probed instance.
#[async_trait]
pub trait Exec: Send + Sync + fmt::Debug {
    /// Runs `argv`; its tree is killed after `timeout` or when the future is dropped.
    ///
    /// # Errors
    /// When it could not be started.
    async fn exec(&self, argv: Vec<String>, timeout: Duration) -> Result<ExecResult, RuntimeError>;
}

/// The instance that is asked. Filled by the engine: a probe knows no runtime.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The service.
    pub service: ServiceName,
    /// The replica.
    pub replica: u32,
    /// The instance.
    pub instance: InstanceId,
    /// This instance's own addresses by the port the program listens on (`${port}` included).
    pub endpoints: BTreeMap<u16, SocketAddr>,
    /// Published host ports that mean one of `endpoints`' keys: `localhost:8080` in a probe's URL is
    /// the service's address, and the probe asks the instance behind it.
    pub published: BTreeMap<u16, u16>,
    /// The first published port, or `${port}`.
    pub default_port: Option<u16>,
    /// The instance's working directory.
    pub workdir: PathBuf,
    /// Runs commands there.
    pub exec: Arc<dyn Exec>,
    /// The instance's output from its first byte, for stream probes.
    pub logs: Option<Arc<dyn Follow>>,
    /// The time one question may take; the engine drops the future after it.
    pub timeout: Duration,
}

impl Target {
    /// A target without ports and logs.
    pub fn new(service: ServiceName, replica: u32, instance: InstanceId, exec: Arc<dyn Exec>) -> Self {
        Self {
            service,
            replica,
            instance,
            endpoints: BTreeMap::new(),
            published: BTreeMap::new(),
            default_port: None,
            workdir: PathBuf::from("/"),
            exec,
            logs: None,
            timeout: Duration::from_secs(1),
        }
    }

    /// The address of one of the instance's ports: by the port the program listens on, or by the host
    /// port that stands for it. A port it does not know is a loopback port.
    pub fn endpoint(&self, port: u16) -> SocketAddr {
        let target = self.published.get(&port).copied().unwrap_or(port);
        self.endpoints.get(&target).copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], target)))
    }
}

/// One question, ready to be asked.
///
/// `check` may be dropped at any time (timeout, end of the instance) and leaves nothing behind. The
/// engine never asks the same probe of the same instance twice at once.
#[async_trait]
pub trait Probe: Send + Sync + fmt::Debug + 'static {
    /// Polled or streaming.
    fn kind(&self) -> ProbeKind {
        ProbeKind::Poll
    }

    /// Asks. `Fail` carries a short lower-case fragment: `tcp connect: connection refused`.
    async fn check(&self, target: &Target) -> Verdict;
}

/// Makes probes of one kind from what the stack file says.
pub trait ProbeFactory: Send + Sync + fmt::Debug + 'static {
    /// The key under `health` that asks for it (`http`, `tcp`, `cmd`, `log`, ...).
    fn name(&self) -> &str;

    /// What is wrong with this configuration for this service. No I/O.
    fn validate(&self, spec: &ProbeSpec, service: &Service) -> Vec<Diagnostic> {
        let _ = (spec, service);
        Vec::new()
    }

    /// A probe, ready to be asked of any instance of the service.
    ///
    /// # Errors
    /// A lower-case fragment that says why this configuration makes no probe.
    fn build(&self, spec: &ProbeSpec) -> Result<Arc<dyn Probe>, String>;
}
