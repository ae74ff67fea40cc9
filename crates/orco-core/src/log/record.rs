//! One line of output, as everybody who reads logs sees it.

use std::fmt;

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

impl Source {
    /// The name in records and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::System => "system",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Stdout, Self::Stderr, Self::System].into_iter().find(|s| s.as_str() == text)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
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

impl Level {
    /// All levels, the finest first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Reads the names that logging libraries use, in any case (`WARNING`, `err`, `notice`, ...).
    pub fn parse(word: &str) -> Option<Self> {
        super::level::from_word(word.as_bytes())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whose output it is: one incarnation of one replica.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin {
    /// The service.
    pub service: ServiceName,
    /// The replica.
    pub replica: u32,
    /// The incarnation's number.
    pub run: u32,
}

impl Origin {
    /// An origin.
    pub const fn new(service: ServiceName, replica: u32, run: u32) -> Self {
        Self { service, replica, run }
    }
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
    /// Counts the lines of one instance, without gaps, from 0. A `dropped` record has the number of the
    /// first missing line.
    pub seq: u64,
    /// The incarnation's number.
    pub run: u32,
    /// A JSON line's own fields.
    pub fields: Option<serde_json::Map<String, serde_json::Value>>,
    /// Lines that are missing before this record; only on `System` records.
    pub dropped: Option<u64>,
    /// Bytes of this line that are missing, because it was too long or could not be stored. 0: its
    /// beginning went with a dropped segment.
    pub cut: Option<u64>,
    /// What has come of a line that has no end yet. The whole line comes later with the same `seq`, unless
    /// the other stream of the same instance ends a line before: then that line has it. Only for readers that ask
    /// for it; see [`Query::partial`](super::Query::partial).
    pub partial: bool,
}

impl Record {
    /// Something Orco itself says about a service.
    pub fn system(ts: u64, service: ServiceName, level: Level, msg: impl Into<String>) -> Self {
        Self {
            ts,
            service,
            replica: -1,
            level,
            msg: msg.into(),
            source: Source::System,
            seq: 0,
            run: 0,
            fields: None,
            dropped: None,
            cut: None,
            partial: false,
        }
    }
}
