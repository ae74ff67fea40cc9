//! The journal: what a stack's engine must remember, as a checksummed log of key-value batches.
//!
//! One [`Journal`] owns one file (its [`Medium`]) and the map of keys and values that the file stands for. A batch of
//! [`Change`]s is atomic: after a crash at any point the file gives the state after some number of whole batches, and
//! after a [`sync`](Journal::sync) that succeeded at least all batches before it. What is damaged is refused with
//! file and offset ([`OpenError::Corrupt`]); only a tail that was never wholly written is cut off, and said
//! ([`Journal::cut`]).
//!
//! The file is put in place whole (temporary file, fsync, rename, fsync of the directory) with a snapshot as its first
//! frame, and grows by appending; so everything up to the snapshot's end was durable before the file had its name,
//! and damage there is never a torn tail. Each frame says up to which frame all was durable when it was written:
//! a power cut may keep later pages and lose earlier ones, but never one before that mark.
//!
//! No clock, no threads, no JSON: values are bytes.

mod checksum;
mod error;
mod folder;
mod format;
mod medium;
#[cfg(any(test, feature = "sim"))]
pub mod memory;
mod read;
mod writer;

pub use error::{OpenError, Step, WriteError};
pub use folder::Folder;
pub use format::Change;
pub use medium::Medium;
pub use read::{Cut, Entries};
pub use writer::Journal;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tests;
