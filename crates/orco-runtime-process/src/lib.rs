//! Orco's runtime for local processes: `runtime: process`.
//!
//! It resolves what a service asks for (program, user, environment) and hands it to the
//! [keeper](orco_keeper), which starts, watches and ends it.

mod builder;
mod growth;
mod ports;
mod program;
mod runtime;
mod usage;
mod user;

pub use builder::Builder;
pub use orco_keeper::{Backend as KillBackend, StartError, hook_active};
pub use runtime::ProcessRuntime;
