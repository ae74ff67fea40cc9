//! The contract of runtimes: what starts, watches and ends instances. A runtime decides nothing.

use std::{any::Any, collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_core::Stream;

use crate::{
    model::{Exit, InstanceId, ServiceName, StackId},
    spec::{Diagnostic, Service},
};

/// Why a runtime's call failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct RuntimeError {
    message: Arc<str>,
    certain: bool,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl RuntimeError {
    /// Nothing happened: the world is as before the call. `message` is a lower-case fragment.
    pub fn refused(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), certain: true, source: None }
    }

    /// It may or may not have happened.
    pub fn unknown(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), certain: false, source: None }
    }

    /// With the error below it.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// True: it certainly did not happen. False: unknown.
    pub const fn is_certain(&self) -> bool {
        self.certain
    }

    /// The message and all its sources on one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }
}

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
}

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
            service,
        }
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

/// A command to run beside a process or inside a container.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecRequest {
    /// The instance it concerns.
    pub instance: InstanceId,
    /// The arguments.
    pub argv: Vec<String>,
    /// Variables, as in [`StartRequest`].
    pub env: BTreeMap<String, Option<String>>,
    /// The working directory.
    pub workdir: PathBuf,
    /// As whom.
    pub user: Option<String>,
    /// Whether the engine's own variables are passed on.
    pub inherit_env: bool,
    /// After this long its whole tree is killed.
    pub timeout: Duration,
}

impl ExecRequest {
    /// A command with the instance's own variables and directory.
    pub fn new(start: &StartRequest, argv: Vec<String>, timeout: Duration) -> Self {
        Self {
            instance: start.instance,
            argv,
            env: start.env.clone(),
            workdir: start.workdir.clone(),
            user: start.service.user.clone(),
            inherit_env: start.service.inherit_env,
            timeout,
        }
    }
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ExecResult {
    /// How it ended, or `None` if the timeout killed it.
    pub exit: Option<Exit>,
    /// Standard output and error together, the last 64 KiB.
    pub output: Vec<u8>,
}

impl ExecResult {
    /// A result.
    pub const fn new(exit: Option<Exit>, output: Vec<u8>) -> Self {
        Self { exit, output }
    }
}

/// A piece of an instance's output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogChunk {
    /// True for stderr.
    pub stderr: bool,
    /// Raw bytes, not cut at lines.
    pub bytes: Vec<u8>,
}

/// A stream of output.
pub type LogStream = Pin<Box<dyn Stream<Item = LogChunk> + Send>>;

/// Tells when an instance's segments have grown, without any work while nobody asks.
#[async_trait]
pub trait Growth: Send + Sync + fmt::Debug {
    /// Returns as soon as more than `seen` bytes have been written by the instance, or its output has
    /// ended (then at once, always). Cancel-safe.
    async fn beyond(&self, seen: u64);
}

/// Where an instance's output is to be had.
#[non_exhaustive]
pub enum LogSource {
    /// The runtime writes the segments of the [`LogTarget`] itself.
    Segments(Arc<dyn Growth>),
    /// The engine reads this stream once and writes the segments.
    Stream(LogStream),
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segments(growth) => f.debug_tuple("Segments").field(growth).finish(),
            Self::Stream(_) => f.write_str("Stream(..)"),
        }
    }
}

/// What an instance uses.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Usage {
    /// CPU time used since its start.
    pub cpu: Duration,
    /// Resident bytes.
    pub memory: u64,
}

impl Usage {
    /// A reading.
    pub const fn new(cpu: Duration, memory: u64) -> Self {
        Self { cpu, memory }
    }
}

/// Something the runtime wants everybody to know.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The keeper died; what it held has ended, or another one has taken it over, as the words say. What has ended is
    /// told by [`Runtime::wait`].
    KeeperLost(String),
    /// A log segment is full: the engine counts its lines, deletes the oldest ones over the limit, and
    /// then calls [`Runtime::tidied`].
    SegmentFull,
}

/// What starts, watches and ends the instances of some services.
///
/// The engine calls every method from its own tasks, many at once, each with a deadline: a call that
/// panics or hangs is a failure of that instance, never of the engine. A runtime keeps no policy: no
/// retries, no health, no grace timers.
#[async_trait]
pub trait Runtime: Send + Sync + fmt::Debug + 'static {
    /// The name under which stack files ask for it.
    fn name(&self) -> &str;

    /// What this runtime cannot do of what the service asks for. No I/O.
    fn validate(&self, service: &Service) -> Vec<Diagnostic> {
        let _ = service;
        Vec::new()
    }

    /// All instances of the stack that are not [`remove`](Self::remove)d: those that live, and those whose end
    /// nobody has recorded yet, for which [`wait`](Self::wait) answers at once. All methods work for what it returns
    /// as for what was started here.
    ///
    /// `known` is what the engine remembers, whole or in part: it helps a runtime that cannot ask anybody else
    /// (processes after their keeper's death). It is not the answer: what is not found is not returned, what is found
    /// is returned though nobody knew it, and nothing that is not the instance itself is ever touched.
    ///
    /// # Errors
    /// When it cannot tell; an empty list means that there is none.
    async fn list(&self, stack: &StackId, known: &[Known]) -> Result<Vec<Found>, RuntimeError>;

    /// Starts an instance. Returns when it exists (for a process: the program has been executed).
    /// Dropping the future does not undo it: the caller then stops the instance by its id.
    ///
    /// # Errors
    /// [`RuntimeError::is_certain`]: nothing was started. Otherwise it may run.
    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError>;

    /// Returns when the instance is over: its main process has exited and nothing of its tree is left.
    /// What the main process leaves behind is killed at once, or, after a graceful stop, when the
    /// caller says [`How::Kill`]. All output is in the log by then. Cancel-safe; may be called again and
    /// concurrently, also after the end.
    ///
    /// # Errors
    /// Only when it cannot tell any more; the caller retries.
    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError>;

    /// Asks it to end, or ends it. Idempotent; after the end it does nothing and succeeds. Returns
    /// when the request was delivered, not when it has ended.
    ///
    /// # Errors
    /// When it could not be delivered; the caller retries.
    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError>;

    /// Sends a signal to the main process alone, for the user. Nothing follows from it.
    ///
    /// # Errors
    /// When it could not be delivered.
    async fn signal(&self, handle: &Handle, signal: i32) -> Result<(), RuntimeError>;

    /// Ends whatever may have come of a start whose outcome is unknown or that was dropped. When it
    /// returns `Ok`, nothing of this instance runs or will run.
    ///
    /// # Errors
    /// When it could not make sure; the caller retries.
    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError>;

    /// Forgets an ended instance: called after its end has been recorded, so that until then another engine can
    /// still ask for it. Idempotent. Its log stays.
    ///
    /// # Errors
    /// When something could not be cleaned up; the caller retries.
    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError>;

    /// The instance's output, from its first byte. Called once per instance, after `start`.
    fn logs(&self, handle: &Handle) -> LogSource;

    /// Runs a command beside the process or inside the container. At the timeout its tree is killed.
    /// Dropping the future kills it too.
    ///
    /// # Errors
    /// When it could not be started; [`RuntimeError::refused`] by default.
    async fn exec(&self, request: ExecRequest) -> Result<ExecResult, RuntimeError> {
        let _ = request;
        Err(RuntimeError::refused(format!("runtime `{}` cannot execute commands", self.name())))
    }

    /// Whether [`exec`](Self::exec) works.
    fn can_exec(&self) -> bool {
        false
    }

    /// The address under which the instance's port `target` is reached from this process. By default
    /// loopback and the port itself.
    async fn endpoint(&self, handle: &Handle, target: u16) -> Option<SocketAddr> {
        let _ = handle;
        Some(SocketAddr::from(([127, 0, 0, 1], target)))
    }

    /// What it uses, if that is known.
    async fn stats(&self, handle: &Handle) -> Option<Usage> {
        let _ = handle;
        None
    }

    /// How trees are killed (`cgroup`, `sweep`), for status.
    fn kill_backend(&self) -> Option<&'static str> {
        None
    }

    /// Waits for the next thing worth telling; pending for ever by default. Cancel-safe.
    async fn notice(&self) -> Notice {
        std::future::pending().await
    }

    /// All segments that were full before the call have been counted and the log directory is within its
    /// limit: a writer that was waiting for it goes on. Does not block.
    fn tidied(&self) {}

    /// Releases what the runtime holds itself, after all instances have ended.
    async fn shutdown(&self) {}

    /// For embedders who want their own type back.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}
