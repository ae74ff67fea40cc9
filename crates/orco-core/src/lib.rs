//! Orco's core: stacks, the decision core, and the engine that carries decisions out.

pub mod brain;
pub mod log;
pub mod model;
pub mod policy;
pub mod probe;
pub mod runtime;
#[cfg(feature = "sim")]
pub mod sim;
pub mod spec;
