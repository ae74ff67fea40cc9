//! Bad luck with a real engine: one that is absent, refuses, hangs, fails, cuts answers, is restarted, or has no room.
//! Each is told where people look, holds up nobody else, and heals by itself. `ORCO_ROUNDS` asks for the full counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]
#![cfg(all(feature = "process", feature = "docker"))]

#[path = "../cli/bench.rs"]
#[allow(dead_code)]
mod bench;
mod causes;
mod commands;
mod engine;
mod flaky;
mod private;
mod proxy;
mod registry;
mod restarts;
