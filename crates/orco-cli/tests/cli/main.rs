//! The whole `orco` command, as a user runs it: real binary, real processes, a state directory of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]

mod apply;
mod bench;
mod control;
mod daemon;
mod ending;
mod export;
mod killed;
mod lifecycle;
mod logs;
mod partial;
mod secrets;
mod tmux;
mod tui;
mod usage;
