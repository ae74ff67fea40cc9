//! The log: append-only segments with an index, and readers with a cursor.

use crate::model::ServiceName;

/// Where a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Orco itself.
    System,
}

/// How serious a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Level {
    /// Finest.
    Trace,
    /// For developers.
    Debug,
    /// Normal.
    Info,
    /// Noteworthy.
    Warn,
    /// Wrong.
    Error,
    /// Over.
    Fatal,
}

/// One line of output.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Microseconds since the Unix epoch: the arrival of its batch.
    pub ts: u64,
    /// The service.
    pub service: ServiceName,
    /// The replica, or -1 for the service as a whole.
    pub replica: i64,
    /// The level.
    pub level: Level,
    /// The text, lossily decoded, without its end of line.
    pub msg: String,
    /// Where it came from.
    pub source: Source,
    /// Counts the lines of one instance, without gaps, from 0.
    pub seq: u64,
    /// The incarnation's number.
    pub run: u32,
    /// A JSON line's own fields.
    pub fields: Option<serde_json::Map<String, serde_json::Value>>,
    /// Lines that are missing before this record; only on `System` records.
    pub dropped: Option<u64>,
}
