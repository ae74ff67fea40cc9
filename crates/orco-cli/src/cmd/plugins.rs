//! The plug-ins of this build: each feature only switches one on.

#[cfg(feature = "process")]
mod process;

use orco_api::place::{Lock, Place};
use orco_core::{engine::EngineBuilder, spec::Stack};

use crate::cmd::Failure;

/// The names of the runtimes in this build.
pub const fn names() -> &'static [&'static str] {
    &[
        #[cfg(feature = "process")]
        "process",
    ]
}

/// Plug-ins that are ready for one stack.
#[derive(Debug)]
pub struct Plugins {
    #[cfg(feature = "process")]
    process: process::Process,
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

    /// Registers them all.
    pub fn register(&self, builder: EngineBuilder) -> EngineBuilder {
        let builder = builder.probes(orco_probes::all());
        #[cfg(feature = "process")]
        let builder = self.process.register(builder);
        builder
    }

    /// The process that outlives this one for a moment, to clean up.
    pub const fn keeper_pid(&self) -> Option<u32> {
        #[cfg(feature = "process")]
        return self.process.keeper_pid;
        #[cfg(not(feature = "process"))]
        None
    }
}
