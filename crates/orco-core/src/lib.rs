//! Orco's core: stacks, the decision core, and the engine that carries decisions out.

pub mod brain;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "engine")]
pub mod engine;
pub mod graph;
pub mod load;
pub mod log;
pub mod model;
pub mod policy;
pub mod probe;
pub mod runtime;
pub mod spec;
