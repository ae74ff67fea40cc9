//! Containers as Orco's instances, on Docker and Podman.

#[allow(dead_code, unused_imports)]
mod engine;
#[allow(dead_code, unused_imports)]
mod find;

mod exit;
mod labels;
mod names;
mod place;
mod timestamp;
