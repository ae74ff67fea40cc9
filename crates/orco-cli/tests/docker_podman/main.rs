//! Whole stacks with `runtime: podman`, on a Podman of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]
#![cfg(all(feature = "process", feature = "docker"))]

#[path = "../cli/bench.rs"]
#[allow(dead_code)]
mod bench;
mod lives;
#[path = "../../../orco-runtime-docker/tests/podman/mod.rs"]
mod podman;
mod yard;
