//! The plug-ins of this build: each feature only switches one on.

use std::sync::Arc;

use orco_core::{engine::EngineBuilder, probe::ProbeFactory};

/// The names of the runtimes in this build.
pub const fn names() -> &'static [&'static str] {
    &[
        #[cfg(feature = "process")]
        "process",
    ]
}

/// Registers them all.
pub fn register(builder: EngineBuilder) -> EngineBuilder {
    let probes: Vec<Arc<dyn ProbeFactory>> = orco_probes::all();
    let builder = builder.probes(probes);
    #[cfg(feature = "process")]
    let builder = builder.runtime(orco_runtime_process::ProcessRuntime::new());
    builder
}
