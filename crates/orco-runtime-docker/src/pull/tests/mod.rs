//! Pulls against a source that misbehaves at will, and against a real engine with registries of our own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod bench;
mod fake;
mod flights;
mod real;
mod trouble;
mod wire;
