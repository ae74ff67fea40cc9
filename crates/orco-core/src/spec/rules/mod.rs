//! What must hold between the fields of a stack. The rules see the clean model, so that stacks from files and stacks
//! written in Rust are held to the same.

mod containers;
mod dependencies;
mod endpoints;
mod finding;
mod known;
mod logging;
mod policies;
mod ports;
mod programs;
mod ranges;
mod secrets;
mod subject;
mod values;

pub use containers::is_engine_socket;
pub(crate) use containers::{container_only, inherits, no_entrypoint};
pub(crate) use finding::{Finding, of_service};
pub use known::Known;
pub(crate) use logging::check as check_logging;
pub(crate) use secrets::SHORTEST as SHORTEST_SECRET;
pub(crate) use subject::{Subject, check};
pub(crate) use values::check as check_values;
