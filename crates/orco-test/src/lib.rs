//! Services for tests.
mod error;
mod failure;
mod host;
mod keep;
mod launch;
mod logs;
mod room;
mod services;
mod shared;
mod stack;
mod unique;

pub use error::Error;
pub use failure::Failure;
pub use logs::Logs;
pub use services::Services;
pub use shared::{Fixture, Shared, can_host, shared};
pub use stack::{Running, TestStack};
