//! The server that a running stack offers on its control socket.

mod answer;
mod app;
mod apply;
mod body;
mod commands;
mod listen;
mod metrics;
mod op;
mod openapi;
mod serve;
mod streams;
mod upgrades;
mod views;

pub use apply::Accepted;
pub use listen::{ListenError, Listener};
pub use op::Op;
pub use openapi::openapi;
pub use serve::Server;
pub use upgrades::{Asked, Upgrades};
