//! Cleaning up containers, networks and volumes after the death of the engine that has made them.

mod http;
mod label;
mod objects;
mod order;
mod rounds;

pub(crate) use label::Label;
pub use order::{CleanUp, EngineHost};
pub(crate) use order::{MAX_CLEAN_UPS, key};
pub(crate) use rounds::{LEISURE, Limits, SHUTDOWN, all};

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
