//! The plug-ins of this build: each feature only switches one on.

#[cfg(feature = "process")]
mod process;

#[cfg(feature = "process")]
use std::{os::fd::OwnedFd, path::Path, time::Duration};

use orco_api::place::{Lock, Place};
#[cfg(feature = "process")]
use orco_api::server::Listener;
use orco_core::{engine::EngineBuilder, spec::Stack};
#[cfg(feature = "process")]
use orco_keeper::daemon::Origin;

use crate::cmd::Failure;

/// The names of the runtimes in this build.
pub const fn names() -> &'static [&'static str] {
    &[
        #[cfg(feature = "process")]
        "process",
    ]
}

/// Plug-ins that are ready for one stack. Clones share them.
#[derive(Clone, Debug)]
pub struct Plugins {
    #[cfg(feature = "process")]
    process: process::Process,
}

/// The keeper's end of what an engine is born with.
#[cfg(feature = "process")]
#[derive(Debug)]
pub struct Attachment {
    pub link: OwnedFd,
    pub keeper_pid: u32,
    pub origin: Origin,
}

impl Plugins {
    /// Makes them ready. Whatever must outlive this process holds the lock too.
    pub async fn start(stack: &Stack, place: &Place, lock: &Lock) -> Result<Self, Failure> {
        // Some builds have no plug-in that wants to know.
        let _ = (stack, place, lock);
        Ok(Self {
            #[cfg(feature = "process")]
            process: process::Process::start(stack, place, lock).await?,
        })
    }

    /// Makes them ready in an engine that a keeper has started.
    #[cfg(feature = "process")]
    pub async fn attach(place: &Place, lock: &Lock, listener: &Listener, keeper: Attachment) -> Result<Self, Failure> {
        Ok(Self { process: process::Process::attach(place, lock, listener, keeper).await? })
    }

    /// Registers them all.
    pub fn register(&self, builder: EngineBuilder) -> EngineBuilder {
        let builder = builder.probes(orco_probes::all());
        #[cfg(feature = "process")]
        let builder = self.process.register(builder);
        builder
    }

    /// The keeper's process, while there is one.
    pub fn keeper_pid(&self) -> Option<u32> {
        #[cfg(feature = "process")]
        return self.process.keeper_pid();
        #[cfg(not(feature = "process"))]
        None
    }
}

/// What only the engine of a daemon asks of its keeper.
#[cfg(feature = "process")]
impl Plugins {
    /// The engine answers.
    pub fn serving(&self) {
        self.process.serving();
    }

    /// This program shall take this engine's place when it ends.
    pub fn succeed(&self, program: &Path) {
        self.process.succeed(program);
    }

    /// Returns when the keeper has taken in what was said before.
    pub async fn heard(&self) {
        self.process.heard().await;
    }

    /// The next signal that came to the keeper and is meant for us. Cancel-safe.
    pub async fn asked(&self) -> i32 {
        self.process.asked().await
    }

    /// The pid of the keeper that comes after this one. Cancel-safe.
    pub async fn next_keeper(&self, last: Option<u32>) -> u32 {
        loop {
            match self.keeper_pid() {
                Some(pid) if Some(pid) != last => return pid,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}
