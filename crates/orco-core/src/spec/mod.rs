//! What is wanted: the stack, valid by construction.

mod diagnostic;
pub mod expr;
mod service;
mod stack;

pub use crate::model::{Kind, Require};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use service::{
    Amount, Backoff, BlueGreen, Canary, Check, Command, Condition, Dependency, Health, Hook, Hooks, OnFailure, Port,
    ProbeSpec, Protocol, Resources, Restart, RetryLimit, Service, Stop, Strategy, Tally, Update,
};
pub use stack::Stack;
