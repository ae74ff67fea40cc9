//! What an event is, and which are asked for.

use std::sync::Arc;

use crate::model::{EventData, EventKind, ServiceName};

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Microseconds since the Unix epoch.
    pub ts: u64,
    /// Rises by one with each event of the stack.
    pub seq: u64,
    /// The type.
    pub kind: EventKind,
    /// The service, or `None` for the stack.
    pub service: Option<ServiceName>,
    /// The replica, where one is meant.
    pub replica: Option<u32>,
    /// For people.
    pub message: Arc<str>,
    /// The cause, where there is one.
    pub reason: Option<Arc<str>>,
    /// Which try, where it is about tries.
    pub attempt: Option<u32>,
    /// Typed details.
    pub data: EventData,
}

impl Event {
    /// The typed details as JSON text, the same in events.ndjson and in the control API: `{"exit": …}`,
    /// `{"delay_ms": …}`, `{"dependency": …}`, `{"pid": …}` or `null`.
    pub fn details(&self) -> String {
        super::text::data(&self.data).to_string()
    }
}

/// Which events are wanted.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct EventQuery {
    /// Go on with new ones.
    pub follow: bool,
    /// Only those after this many microseconds since the Unix epoch.
    pub since: Option<u64>,
    /// Only those with a higher number than this: to go on where another stream ended.
    pub after: Option<u64>,
    /// Only the last so many of the past.
    pub tail: Option<usize>,
}

impl EventQuery {
    /// All kept events.
    pub const fn all() -> Self {
        Self { follow: false, since: None, after: None, tail: None }
    }

    /// Everything kept, then new ones as they happen.
    pub const fn following() -> Self {
        Self { follow: true, since: None, after: None, tail: None }
    }
}
