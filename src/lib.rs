//! Orco: an orchestrator that you can embed.
//!
//! This package is the workspace's front room: it re-exports [`orco_core`] and, behind features,
//! the plug-ins, and it owns the examples, benches and tests. Libraries depend on the crates
//! themselves (`cargo add orco-core orco-runtime-process orco-probes`).

pub use orco_core::*;
pub use orco_probes as probes;
#[cfg(feature = "docker")]
pub use orco_runtime_docker as docker;
#[cfg(feature = "process")]
pub use orco_runtime_process as process;
#[cfg(feature = "test-support")]
pub use orco_test as test;
