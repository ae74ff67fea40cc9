//! The rules, as pure arithmetic: one question per file.

pub mod backoff;
pub mod gate;
pub mod health;
pub mod pace;
pub mod restart;
