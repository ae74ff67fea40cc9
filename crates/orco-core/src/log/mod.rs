//! The log: append-only segments with an index, and readers with a cursor.
//!
//! The files are the queue. A runtime (or, for runtimes that give a stream, the engine's [`Writer`])
//! appends an instance's raw output to its segments; everybody else reads them through a [`Cursor`]:
//! a slow reader is just behind, and what retention deletes under it is counted. Several instances are
//! read in the order of time through a [`Query`] and the [`Reader`] it makes. [`Store`] knows a stack's
//! log directory: which instances there are, how much they take, and what to delete.
//!
//! No async and no clock here: whoever follows a growing log calls [`Reader::poll`] when it has grown.

mod cursor;
pub mod format;
mod gone;
mod level;
pub mod ndjson;
mod parse;
mod partial;
mod record;
mod sanitize;
mod segment;
mod start;
mod writer;

#[cfg(test)]
mod tests;

pub use cursor::{Cursor, Line, MAX_LINE_BYTES, Step};
pub use gone::Gone;
pub use parse::{Parsed, record};
pub use record::{Level, Origin, Record, Source};
pub use sanitize::sanitize;
pub use start::Start;
pub use writer::Writer;
