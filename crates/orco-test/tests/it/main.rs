//! Stacks and fixtures with real processes: what holds while all goes well, and what is left when it does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod actor;
#[cfg(feature = "docker")]
mod docker;
mod kept;
mod own;
mod shared;
mod world;
