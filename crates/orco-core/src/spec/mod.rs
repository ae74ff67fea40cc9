//! What is wanted: the stack, valid by construction.
//!
//! A [`Stack`] comes from a file ([`crate::load`]) or is written in Rust ([`Stack::builder`]); both are held to the
//! same rules, so everything below need not doubt it.

mod builder;
pub mod code;
mod defaults;
mod diagnostic;
mod diff;
pub mod expr;
pub(crate) mod file;
mod revision;
pub(crate) mod rules;
mod schema;
mod service;
mod source_map;
mod stack;
mod texts;
mod value;
pub mod vars;
pub(crate) mod yaml;

pub use crate::model::{Kind, Require};
pub use builder::{Builder, CheckBuilder, HookAt, Invalid, Need, ServiceBuilder};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use diff::{Change, diff};
pub use rules::Known;
pub use schema::schema;
pub use service::{
    Amount, Backoff, BlueGreen, Canary, Check, Command, Condition, Dependency, Health, Hook, Hooks, OnFailure, Port,
    ProbeSpec, Protocol, Resources, Restart, RetryLimit, Service, Stop, Strategy, Tally, Update,
};
pub use source_map::SourceMap;
pub use stack::Stack;
pub use value::{compile_pattern, show_duration, signal_name, signal_number};
