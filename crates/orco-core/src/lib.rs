//! Orco's core: stacks, the decision core, and the engine that carries decisions out.

pub mod brain;
#[cfg(feature = "conformance")]
#[expect(clippy::disallowed_methods, reason = "a test kit has its own clock, files and tasks")]
pub mod conformance;
#[doc(hidden)]
pub mod crash;
#[cfg(feature = "engine")]
pub mod engine;
pub mod graph;
#[expect(clippy::disallowed_methods, reason = "the journal is a file")]
pub mod journal;
#[expect(clippy::disallowed_methods, reason = "stack files, env files and variables are read here and nowhere else")]
pub mod load;
#[expect(clippy::disallowed_methods, reason = "the log is files")]
pub mod log;
pub mod model;
pub mod policy;
pub mod probe;
pub mod runtime;
#[cfg(feature = "sim")]
pub mod sim;
pub mod spec;
