//! Orco's runtime for containers: `runtime: docker`, and `runtime: podman` over Podman's Docker-compatible socket.
//!
//! # Theory of operation
//! The engine's own list, by labels, is all that is ever believed: which containers there are, which of them are whose,
//! and which are over. Everything else (events, one wait per container) only says when to look. So an engine that does
//! not answer, hangs, cuts streams or restarts is *unknown*, never an exit.
//!
//! Containers bear the stack, the service, the slot and the instance as labels; only what has the label and this stack's
//! id is touched. Their names are unique per instance, which makes a start repeatable.

mod beside;
mod builder;
mod create;
mod credentials;
mod docker;
mod endpoint;
mod ends;
mod engine;
mod exec;
mod exit;
mod fate;
mod find;
mod flights;
mod labels;
mod leaving;
mod leftovers;
mod logfile;
mod manhunt;
mod names;
mod news;
mod output;
mod place;
mod pull;
mod reference;
mod register;
mod removal;
mod runtime;
mod stack;
mod start;
mod tail;
mod timestamp;
mod wait;
mod watch;

pub use self::{builder::DockerBuilder, docker::Docker};

#[cfg(test)]
#[path = "../tests/fake_engine/mod.rs"]
mod fake_engine;
#[cfg(test)]
#[path = "../tests/podman/mod.rs"]
mod podman;
#[cfg(test)]
#[path = "../tests/registry/mod.rs"]
mod registry;
