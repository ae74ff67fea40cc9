//! The log: append-only segments with an index, and readers with a cursor.
//!
//! The files are the queue. A runtime (or, for runtimes that give a stream, the engine's [`Writer`])
//! appends an instance's raw output to its segments; everybody else reads them through a [`Cursor`]:
//! a slow reader is just behind, and what retention deletes under it is counted. Several instances are
//! read in the order of time through a [`Query`] and the [`Follower`] it makes. [`Store`] knows a stack's
//! log directory: which instances there are, how much they take, and what to delete.
//!
//! No async and no clock here: whoever follows a growing log calls [`Follower::poll`] when it has grown.

mod cursor;
mod cuts;
mod damage;
mod escape;
mod export;
mod follow;
pub mod format;
mod gather;
mod gone;
mod index;
mod level;
mod line;
mod mask;
mod milestones;
pub mod ndjson;
mod object;
mod parse;
mod partial;
mod query;
mod record;
mod resume;
mod retention;
mod sanitize;
mod seal;
mod segment;
mod settings;
mod side;
mod start;
mod stats;
mod store;
mod tail;
mod writer;

pub use cursor::Cursor;
pub use export::{Export, NotWritten};
pub use follow::{Follower, More};
pub use gather::Gather;
pub use gone::Gone;
pub use line::{Line, MAX_LINE_BYTES, Step};
pub use mask::{MASKED, Mask, Masks, SHORTEST, Secrets};
pub use parse::{Parsed, record};
pub use query::Query;
pub use record::{Level, Origin, Record, Source};
pub use resume::Reached;
pub use retention::{Dropped, Trimmed};
pub use sanitize::sanitize;
pub use settings::{LogLimits, LogSettings, MAX_TOTAL_SIZE};
pub use start::Start;
pub use stats::{Counter, LogStats};
pub use store::Store;
pub use writer::Writer;

#[cfg(test)]
mod big_tests;
#[cfg(test)]
mod milestones_tests;
#[cfg(test)]
mod object_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn_tests;
#[cfg(test)]
mod young_tests;
