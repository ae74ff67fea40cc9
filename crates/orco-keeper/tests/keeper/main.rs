//! The keeper with real processes. The programs that misbehave are this very binary in another role.
#![allow(clippy::unwrap_used, clippy::expect_used, unsafe_code, missing_docs)]

mod adoption;
mod clean;
mod commands;
mod containers;
mod deaths;
mod detached;
mod engine;
mod life;
mod output;
mod reuse;
mod roles;
mod stack;
mod trees;
mod world;
