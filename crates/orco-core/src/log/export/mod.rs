//! Records as NDJSON files for log shippers: one file per service, rotated, every record exactly once.
//!
//! The files say themselves how far they go: each line has the number of its instance and of itself. Beside them a
//! cursor file names the current file and how far it was when the cursor was written; whoever goes on reads the lines
//! behind that, cuts off a torn one, and knows where to go on. So a cursor may lag, and only before a file changes its
//! name it must not.

mod file;
mod position;
mod sink;
#[cfg(test)]
mod tests;
mod writer;

pub use writer::{Export, NotWritten};
