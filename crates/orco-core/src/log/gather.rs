//! What a reader makes of lines.

use super::{
    line::Line,
    ndjson, parse,
    record::{Origin, Record},
};

/// Collects lines in the form in which they go on.
pub trait Gather: Send + 'static {
    /// The form.
    type Batch: Send + 'static;

    /// Adds a line.
    fn push(&mut self, origin: &Origin, line: &Line<'_>);

    /// What has come together since the last call; `None`: nothing.
    fn take(&mut self) -> Option<Self::Batch>;
}

/// Records, for programs.
impl Gather for Vec<Record> {
    type Batch = Self;

    fn push(&mut self, origin: &Origin, line: &Line<'_>) {
        Self::push(self, parse::record(origin, line));
    }

    fn take(&mut self) -> Option<Self> {
        (!self.is_empty()).then(|| std::mem::take(self))
    }
}

/// NDJSON, for the wire.
impl Gather for ndjson::Batch {
    type Batch = Vec<u8>;

    fn push(&mut self, origin: &Origin, line: &Line<'_>) {
        self.push(origin, line);
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        (!self.text().is_empty()).then(|| self.take())
    }
}
