//! How the runtime is set up.

use std::{os::fd::OwnedFd, path::PathBuf, sync::Arc};

use orco_keeper::{Backend, Client, Config, Detached, StartError};

use crate::ProcessRuntime;

/// How the runtime is set up.
///
/// ```no_run
/// # async fn doc() -> Result<(), orco_runtime_process::StartError> {
/// use orco_runtime_process::{KillBackend, ProcessRuntime};
///
/// let runtime = ProcessRuntime::builder().kill_backend(KillBackend::Sweep).start().await?;
/// # drop(runtime);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    config: Config,
}

impl Builder {
    /// The directory (it must exist) for `keeper.err`, what the keeper has to say if it cannot go on. By default it
    /// says it to nobody.
    pub fn state_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.config.state_dir = Some(dir.into());
        self
    }

    /// An `orco` binary to run as the keeper. By default this program itself is started again.
    pub fn keeper_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.config.program = Some(program.into());
        self
    }

    /// The state lock: the keeper keeps it open as long as it lives.
    pub fn lock(mut self, lock: impl Into<Arc<OwnedFd>>) -> Self {
        self.config.lock = Some(lock.into());
        self
    }

    /// How trees are killed. By default by control group where that works, else by descent.
    pub const fn kill_backend(mut self, backend: Backend) -> Self {
        self.config.backend = backend;
        self
    }

    /// Log segments are closed at this size, in bytes. By default 16 MiB.
    pub const fn segment_bytes(mut self, bytes: u64) -> Self {
        self.config.segment_bytes = bytes;
        self
    }

    /// So many bytes of full segments may lie untidied (see `Runtime::tidied`) before who writes them has to wait.
    /// By default 64 MiB.
    pub const fn untidied_bytes(mut self, bytes: u64) -> Self {
        self.config.unacknowledged_bytes = bytes;
        self
    }

    /// The descriptor limit (soft, hard) of services, for a program that has raised its own. By default this
    /// program's limit as it is now.
    pub const fn descriptor_limit(mut self, soft: u64, hard: u64) -> Self {
        self.config.nofile = (soft, hard);
        self
    }

    /// Variables of this program that services do not inherit.
    pub fn without_variables(mut self, names: &[&str]) -> Self {
        self.config.env.retain(|(name, _)| !names.iter().any(|without| name == without));
        self
    }

    /// Its keepers outlive it: what they held is found again by another runtime's `list`.
    pub fn detached(mut self, detached: Detached) -> Self {
        self.config.detached = Some(detached);
        self
    }

    /// A runtime of the detached keeper that has started this engine, with all that it holds. Nothing ends with the
    /// runtime.
    ///
    /// # Errors
    /// When what is at the other end of `link` is no keeper of this version.
    pub async fn attach(
        mut self,
        link: OwnedFd,
        keeper_pid: u32,
        detached: Detached,
    ) -> Result<ProcessRuntime, StartError> {
        self.config.detached = Some(detached);
        Ok(ProcessRuntime::of(Client::attach(self.config, link, keeper_pid).await?))
    }

    /// A runtime whose keeper is started with the first service.
    pub fn build(self) -> ProcessRuntime {
        ProcessRuntime::of(Client::new(self.config))
    }

    /// A runtime with its keeper running.
    ///
    /// # Errors
    /// When the keeper cannot be started: this program lacks the hook, the asked-for backend does not work, ...
    pub async fn start(self) -> Result<ProcessRuntime, StartError> {
        let client = Client::new(self.config);
        client.connect().await?;
        Ok(ProcessRuntime::of(client))
    }
}
