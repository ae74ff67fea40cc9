//! The plug-ins of this build: each feature only switches one on.

#[cfg(feature = "docker")]
mod docker;
mod keeper;

use std::{os::fd::OwnedFd, path::Path, time::Duration};

use orco_api::{
    place::{Lock, Place},
    server::Listener,
};
use orco_core::{engine::EngineBuilder, spec::Stack};
use orco_keeper::{Client, daemon::Origin};

use crate::cmd::Failure;

/// The names of the runtimes in this build.
pub const fn names() -> &'static [&'static str] {
    &[
        #[cfg(feature = "process")]
        "process",
        #[cfg(feature = "docker")]
        "docker",
        #[cfg(feature = "docker")]
        "podman",
    ]
}

/// Plug-ins that are ready for one stack. Clones share them.
#[derive(Clone, Debug)]
pub struct Plugins {
    keeper: Client,
}

/// The keeper's end of what an engine is born with.
#[derive(Debug)]
pub struct Attachment {
    pub link: OwnedFd,
    pub keeper_pid: u32,
    pub origin: Origin,
}

impl Plugins {
    /// Makes them ready. Whatever must outlive this process holds the lock too.
    pub async fn start(stack: &Stack, place: &Place, lock: &Lock) -> Result<Self, Failure> {
        Ok(Self { keeper: keeper::start(stack, place, lock).await? })
    }

    /// Makes them ready in an engine that a keeper has started.
    pub async fn attach(place: &Place, lock: &Lock, listener: &Listener, keeper: Attachment) -> Result<Self, Failure> {
        Ok(Self { keeper: keeper::attach(place, lock, listener, keeper).await? })
    }

    /// Registers them all.
    pub fn register(&self, builder: EngineBuilder) -> EngineBuilder {
        let builder = builder.probes(orco_probes::all());
        #[cfg(feature = "process")]
        let builder = builder.runtime(orco_runtime_process::ProcessRuntime::of(self.keeper.clone()));
        #[cfg(feature = "docker")]
        let builder = docker::register(builder, &self.keeper);
        builder
    }

    /// The keeper's process, while there is one.
    pub fn keeper_pid(&self) -> Option<u32> {
        self.keeper.keeper_pid()
    }

    // What only the engine of a daemon asks of its keeper.

    /// The engine answers.
    pub fn serving(&self) {
        self.keeper.serving();
    }

    /// This program shall take this engine's place when it ends.
    pub fn succeed(&self, program: &Path) {
        self.keeper.succeed(program);
    }

    /// Returns when the keeper has taken in what was said before.
    pub async fn heard(&self) {
        self.keeper.heard().await;
    }

    /// The next signal that came to the keeper and is meant for us. Cancel-safe.
    pub async fn asked(&self) -> i32 {
        self.keeper.asked().await
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
