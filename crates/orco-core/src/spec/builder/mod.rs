//! Stacks written in Rust.

mod check;
mod container;
mod need;
mod service;
mod stack;
#[cfg(test)]
mod tests;

pub use check::CheckBuilder;
pub use need::Need;
pub use service::{HookAt, ServiceBuilder};
pub use stack::{Builder, Invalid};
