//! The container engine: the only place that knows the library behind it.

mod call;
mod client;
mod error;
mod images;
mod info;
mod kind;
mod translate;
mod version;
mod wire;

pub(crate) use self::{
    call::{Call, Limits},
    client::Client,
    error::{Certainty, EngineError, Tried},
    images::{ImageFor, PullLine, PullOrder},
    info::EngineInfo,
    kind::Kind,
    version::{Range, Version},
};

#[cfg(test)]
mod tests;
