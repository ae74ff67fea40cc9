//! Log records.

use orco_core::log;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Timestamp;

/// Where a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Orco itself.
    System,
}

impl From<log::Source> for Source {
    fn from(source: log::Source) -> Self {
        match source {
            log::Source::Stdout => Self::Stdout,
            log::Source::Stderr => Self::Stderr,
            log::Source::System => Self::System,
        }
    }
}

impl From<Source> for log::Source {
    fn from(source: Source) -> Self {
        match source {
            Source::Stdout => Self::Stdout,
            Source::Stderr => Self::Stderr,
            Source::System => Self::System,
        }
    }
}

/// How serious a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
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

impl From<log::Level> for Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Self::Trace,
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
            log::Level::Error => Self::Error,
            log::Level::Fatal => Self::Fatal,
        }
    }
}

impl From<Level> for log::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
            Level::Fatal => Self::Fatal,
        }
    }
}

/// One line of output.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LogRecord {
    /// The arrival of its batch.
    pub ts: Timestamp,
    /// The service.
    pub service: String,
    /// The replica, or -1 for the service as a whole.
    pub replica: i64,
    /// How serious it is.
    pub level: Level,
    /// The text, lossily decoded, without its end of line.
    pub msg: String,
    /// Where it came from.
    pub source: Source,
    /// Counts the lines of one instance, without gaps.
    pub seq: u64,
    /// The incarnation's number.
    pub run: u32,
    /// A JSON line's own fields; null for other lines.
    #[serde(default)]
    pub fields: Option<Map<String, Value>>,
    /// Lines that are missing before this record; only on records with source `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    /// Bytes of this line that are missing, because it was too long or could not be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
    /// It has no end yet; the whole line comes later with the same `seq`, unless the other stream ends one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl From<log::Record> for LogRecord {
    fn from(record: log::Record) -> Self {
        Self {
            ts: Timestamp::from_unix_micros(record.ts),
            service: record.service.to_string(),
            replica: record.replica,
            level: record.level.into(),
            msg: record.msg,
            source: record.source.into(),
            seq: record.seq,
            run: record.run,
            fields: record.fields,
            dropped: record.dropped,
            cut: record.cut,
            partial: record.partial,
        }
    }
}
