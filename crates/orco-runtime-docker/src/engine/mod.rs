//! The container engine: the only place that knows the library behind it.

mod call;
mod client;
pub(crate) mod containers;
mod error;
pub(crate) mod execs;
mod images;
mod info;
mod kind;
pub(crate) mod looks;
mod manners;
pub(crate) mod networks;
pub(crate) mod spec;
pub(crate) mod streams;
mod translate;
mod version;
mod wire;

pub(crate) use self::{
    call::{Call, Limits},
    client::Client,
    error::{Certainty, EngineError, port_taken},
    images::{PullLine, PullOrder},
    kind::Kind,
    manners::{Manners, not_started},
};

#[cfg(test)]
pub(crate) use self::version::Range;

#[cfg(test)]
mod tests;
