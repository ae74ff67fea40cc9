//! What Orco promises, tried on whole engines with real processes: a module for each guarantee, in the order of the
//! table in CONTRIBUTING.md, which has the command for the full count.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod birth;
mod crash;
mod herd;
mod ladder;
mod leaks;
mod order;
mod output;
mod probing;
mod retries;
mod trees;
mod world;
