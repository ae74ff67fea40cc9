//! The runtime on a real engine.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod asking;
mod commands;
mod fate;
mod lives;
mod output;
mod private;
mod proxy;
mod real;
mod trouble;
