//! A line as a reader meets it.

use super::record::Source;

/// Lines longer than this are cut, unless told otherwise.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// A line as it lies in the reader's buffer: nothing is copied or decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Line<'a> {
    /// Microseconds since the Unix epoch: the arrival of its end.
    pub ts: u64,
    /// Where it came from.
    pub source: Source,
    /// Its number within the instance; for a `dropped` line the number of the first missing one.
    pub seq: u64,
    /// The text without its end of line.
    pub bytes: &'a [u8],
    /// Bytes that are missing of it; see [`Record::cut`](super::Record::cut).
    pub cut: Option<u64>,
    /// On lines of Orco itself: how many lines are missing here.
    pub dropped: Option<u64>,
    /// It has no end yet: see [`Record::partial`](super::Record::partial).
    pub partial: bool,
}

/// What is said of lines that are missing.
pub(super) fn dropped_text(lines: u64) -> String {
    format!("{lines} lines dropped: the log went over its limits")
}

/// What came of an attempt to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Step {
    /// There is a line.
    Line,
    /// Nothing more now.
    Idle,
    /// Nothing more ever.
    End,
}
