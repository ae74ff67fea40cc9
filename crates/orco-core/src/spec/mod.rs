//! What is wanted: the stack, valid by construction.

mod diagnostic;
pub mod expr;
mod service;
mod stack;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use service::{
    Amount, Backoff, BlueGreen, Canary, Check, Command, Condition, Dependency, Health, Hook, Hooks, Kind, OnFailure,
    Port, ProbeSpec, Protocol, Require, Resources, Restart, RetryLimit, Service, Stop, Strategy, Tally, Update,
};
pub use stack::Stack;
