//! What is wanted: the stack, valid by construction.
//!
//! A [`Stack`] comes from a file ([`crate::load`]) or is written in Rust ([`Stack::builder`]); both are held to the
//! same rules, so everything below need not doubt it.

mod builder;
mod check;
pub mod code;
mod container;
mod defaults;
mod diagnostic;
mod diff;
pub mod expr;
pub(crate) mod file;
mod logging;
mod plan;
mod resolved;
mod revision;
pub(crate) mod rules;
mod schema;
mod secrets;
mod service;
mod source_map;
mod stack;
mod texts;
mod update;
mod value;
pub mod vars;
pub(crate) mod yaml;

pub use crate::model::{Kind, Require};
pub use builder::{Builder, CheckBuilder, HookAt, Invalid, Need, ServiceBuilder};
pub use check::{Check, Health, ProbeSpec, Tally};
pub use container::{Network, NoVolume, PullPolicy, Volume, VolumeSource};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use diff::{Change, diff};
pub use logging::Logging;
pub use plan::{Fate, Plan, PlanStep, Planned, Reason, StepKind};
pub use resolved::{FORMAT as RESOLVED_FORMAT, ResolvedError};
pub use rules::{Known, is_engine_socket};
pub use schema::schema;
pub use secrets::SecretValues;
pub use service::{
    Backoff, Command, Condition, Dependency, Hook, Hooks, OnFailure, Port, Protocol, Resources, Restart, RetryLimit,
    Service, Stop,
};
pub use source_map::SourceMap;
pub use stack::Stack;
pub use update::{Amount, BlueGreen, Canary, Strategy, Update};
pub use value::{compile_pattern, nearest, read_size, show_duration, signal_name, signal_number};
