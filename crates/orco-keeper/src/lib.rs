//! The keeper of a stack: one small process that owns what must not die with the engine. It spawns, reaps and
//! captures; it decides nothing.
//!
//! # Theory of operation
//! The engine starts its own program again (`/proc/self/exe`) under the name `orco-keeper`, with a socket on
//! descriptor 3; a hook that runs before `main` turns that process into the keeper ([`hook_active`]). It splits in
//! two: the *guard*, which does nothing but wait, and its child, the keeper. Both are child subreapers: whatever a
//! service leaves behind comes to the keeper, and whatever a killed keeper leaves behind comes to the guard, which
//! ends it. The keeper has two threads: one spawns, reaps and talks, one moves output from pipes into log segments.
//!
//! An instance is over when its main process has been reaped, nothing of its tree is left and its output is in the
//! log; only then the engine is told. When the engine goes, everything goes: processes, and the containers, networks and
//! volumes that it has registered ([`Client::on_engine_death`]) in memory that it shares with keeper and guard.
//!
//! Invariants: only the keeper's main thread spawns and reaps, so the pid of an unreaped child is never a
//! stranger's; everything else is signalled through a pidfd after its descent has been verified.
#![allow(unsafe_code, reason = "the one crate that talks to the kernel directly; each block says why it is sound")]

mod clean;
mod client;
pub mod daemon;
mod hook;
mod keeper;
mod ledger;
mod logger;
mod proc;
mod program;
pub mod role;
mod single;
mod sys;
mod tree;
mod wire;

pub use clean::{CleanUp, EngineHost};
pub use client::{
    CleanUpError, Client, Config, Detached, Event, ExecOutput, Fate, Held, Known, Refusal, SpawnError, StartError,
};
pub use hook::hook_active;
pub use single::kill_if;
pub use wire::{Backend, Change, Credentials, Launch, Spawn, Stage};

/// The version of what engines and keepers say to each other. They must agree on it.
pub const PROTOCOL: u8 = wire::VERSION;

/// The variable that marks every process of an instance, with the 32 hex digits of its id.
pub const STAMP: &str = "ORCO_INSTANCE";
