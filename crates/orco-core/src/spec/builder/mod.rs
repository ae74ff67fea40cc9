//! Stacks written in Rust.

mod check;
mod need;
mod service;
mod stack;

pub use check::CheckBuilder;
pub use need::Need;
pub use service::{HookAt, ServiceBuilder};
pub use stack::{Builder, Invalid};
