//! The contract of runtimes: what starts, watches and ends instances. A runtime decides nothing.

mod error;
mod exec;
mod handle;
mod notice;
mod output;
mod start;

use std::{any::Any, fmt, net::SocketAddr};

use async_trait::async_trait;

pub use self::{
    error::RuntimeError,
    exec::{ExecRequest, ExecResult},
    handle::{Found, Handle, How, Known},
    notice::{Notice, Progress, Stage, Usage},
    output::{Growth, LogChunk, LogPosition, LogSource, LogStream},
    start::{LogTarget, Publish, StartRequest},
};
use crate::{
    model::{Exit, InstanceId, StackId},
    spec::{Diagnostic, Service},
};

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

    /// Makes ready what a start needs and what may take long: pulls an image. Called before each start, without a
    /// deadline, and ahead of time for what is asked up; does nothing where nothing is missing. Progress is told by
    /// [`notice`](Self::notice). Cancel-safe; may be called concurrently.
    ///
    /// # Errors
    /// [`RuntimeError::is_unavailable`]: tried again, as for a start. Else the start has failed.
    async fn prepare(&self, start: &StartRequest) -> Result<(), RuntimeError> {
        let _ = start;
        Ok(())
    }

    /// Whether instances have a network of their own: their ports are then published as
    /// [`StartRequest::publish`] says, and they reach each other by the service's name or `SERVICE-REPLICA`, the host
    /// as `host.docker.internal`.
    fn isolates(&self, service: &Service) -> bool {
        let _ = service;
        false
    }

    /// Whether instances belong to an engine of their own that may be away while they live on. What such a runtime
    /// cannot [`list`](Self::list) at a start is taken over as it is remembered, and nobody waits for the answer.
    fn is_remote(&self) -> bool {
        false
    }

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

    /// The instance's output, from its first byte or from a position that a chunk carried. Called once per instance
    /// and engine, after `start`; a runtime that writes segments itself ignores the position.
    fn logs(&self, handle: &Handle, from: Option<&LogPosition>) -> LogSource;

    /// Runs a command beside the process or inside the container. At the timeout its tree is killed.
    /// Dropping the future kills it too.
    ///
    /// # Errors
    /// When it could not be started; [`RuntimeError::refused`] by default. [`RuntimeError::is_unavailable`], also at
    /// the timeout: the runtime itself could not work, which says nothing of the command.
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
