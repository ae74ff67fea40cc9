//! The resolved stack as JSON: what a client posts, a journal keeps and a daemon is started with.
//!
//! Every field of the model is written, defaults too, so that a later version with other defaults reads what was meant.
//! Reading is tolerant: unknown fields are passed over, and missing ones have the language's default. Durations are
//! texts as in stack files (`1m30s`), or nanoseconds (`1500ns`) where those cannot say it. Notes of loading are left out.
//!
//! It holds the values of env files: whoever writes it to a file keeps others from reading it.

mod document;
pub(crate) mod json;
mod posted;
#[cfg(test)]
mod tests;

pub use document::{FORMAT, ResolvedError};
