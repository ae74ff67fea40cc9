//! Containers as Orco's instances, on Docker and Podman.

#[allow(dead_code, unused_imports)]
mod credentials;
#[allow(dead_code, unused_imports)]
mod engine;
#[allow(dead_code, unused_imports)]
mod find;
#[allow(dead_code, unused_imports)]
mod pull;
#[allow(dead_code)]
mod reference;

#[cfg(test)]
#[path = "../tests/fake_engine/mod.rs"]
mod fake_engine;
#[cfg(test)]
#[path = "../tests/registry/mod.rs"]
mod registry;
