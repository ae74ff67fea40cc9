//! What a request is for, and how long it may take.

use std::{fmt, sync::Arc, time::Duration};

/// What a request is for: a short verb phrase for messages, `create container web-0`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Call(Arc<str>);

impl From<&str> for Call {
    fn from(what: &str) -> Self {
        Self(what.into())
    }
}

impl From<String> for Call {
    fn from(what: String) -> Self {
        Self(what.into())
    }
}

impl From<&Self> for Call {
    fn from(what: &Self) -> Self {
        what.clone()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long the engine may take. Streams have no limit once they are open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// A call with its whole answer.
    pub(crate) call: Duration,
    /// A pull without a byte.
    pub(crate) pull_idle: Duration,
    /// Connecting, and the first line of a stream's answer.
    pub(crate) stream_open: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { call: Duration::from_secs(30), pull_idle: Duration::from_secs(60), stream_open: Duration::from_secs(10) }
    }
}
