//! Output of instances.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use futures_core::Stream;

/// A piece of an instance's output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LogChunk {
    /// True for stderr.
    pub stderr: bool,
    /// Raw bytes, not cut at lines.
    pub bytes: Vec<u8>,
    /// Where the output goes on after these bytes, as [`Runtime::logs`](super::Runtime::logs) understands it; `None`:
    /// not to be told.
    pub position: Option<LogPosition>,
}

impl LogChunk {
    /// A piece without a position.
    pub const fn new(stderr: bool, bytes: Vec<u8>) -> Self {
        Self { stderr, bytes, position: None }
    }
}

/// A runtime's own name for a place in an instance's output: printable, at most 256 bytes. Reading on from it gives
/// exactly the bytes, in the order, that followed it the first time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPosition(pub String);

/// A stream of output.
pub type LogStream = Pin<Box<dyn Stream<Item = LogChunk> + Send>>;

/// Tells when an instance's segments have grown, without any work while nobody asks.
#[async_trait]
pub trait Growth: Send + Sync + fmt::Debug {
    /// Returns as soon as more than `seen` bytes have been written by the instance, or its output has
    /// ended (then at once, always). Cancel-safe.
    async fn beyond(&self, seen: u64);

    /// From now on the instance's segments are closed at this many bytes; and the one of number `turn` at once, if it is
    /// the one being written and holds anything: the next one is made then, so that everybody sees that it is closed.
    /// Nobody waits for it. Default: does nothing, for runtimes whose segments have one size.
    fn segments(&self, bytes: u64, turn: Option<u64>) {
        let _ = (bytes, turn);
    }
}

/// Where an instance's output is to be had.
#[non_exhaustive]
pub enum LogSource {
    /// The runtime writes the segments of the [`LogTarget`](super::LogTarget) itself.
    Segments(Arc<dyn Growth>),
    /// The engine reads this stream once and writes the segments.
    Stream(LogStream),
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segments(growth) => f.debug_tuple("Segments").field(growth).finish(),
            Self::Stream(_) => f.write_str("Stream(..)"),
        }
    }
}
