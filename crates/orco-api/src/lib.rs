//! Orco's control API: wire types, the server that a running stack offers, and the client of it.
//!
//! HTTP/1.1 with JSON over a Unix socket that only its owner can reach. No rule about services lives here: the
//! server hands every request to the engine, and shows what the engine says.
//!
//! - [`wire`]: what goes over the wire.
//! - [`place`]: where a stack lives on this machine (state directory, lock, socket) and how it is found.
//! - [`server`]: the routes, as a table, and the loop that serves them.
//! - [`client`]: typed calls and streams.

pub mod client;
pub mod place;
pub mod server;
pub mod wire;
