//! Containers as Orco's instances, on Docker and Podman.

#[allow(dead_code, unused_imports)]
mod engine;
#[allow(dead_code, unused_imports)]
mod find;

#[cfg(test)]
#[path = "../tests/fake_engine/mod.rs"]
mod fake_engine;
