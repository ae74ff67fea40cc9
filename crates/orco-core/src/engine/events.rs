//! The typed event stream: the last 10,000 events, each with a number that only rises.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{Stream, stream};
use tokio::sync::watch;

use crate::model::{EventData, EventKind, Happening, ServiceName};

/// How many events are kept for those who ask later.
pub(super) const KEPT: usize = 10_000;

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

/// The ring. Written by the driver alone; the lock is held for a copy, never over an await.
#[derive(Debug)]
pub(super) struct EventLog {
    ring: Mutex<VecDeque<Arc<Event>>>,
    /// The number of the next event; closed when the engine ends.
    next: watch::Sender<u64>,
}

impl EventLog {
    pub(super) fn new() -> Self {
        Self { ring: Mutex::new(VecDeque::new()), next: watch::Sender::new(0) }
    }

    /// Stamps and publishes what one turn brought.
    pub(super) fn publish(&self, happenings: Vec<(Happening, Option<ServiceName>)>, ts: u64) {
        if happenings.is_empty() {
            return;
        }
        let mut seq = *self.next.borrow();
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            for (h, service) in happenings {
                tracing::debug!(
                    kind = h.kind.as_str(),
                    service = service.as_ref().map(ServiceName::as_str),
                    message = &*h.message
                );
                if ring.len() == KEPT {
                    ring.pop_front();
                }
                ring.push_back(Arc::new(Event {
                    ts,
                    seq,
                    kind: h.kind,
                    service,
                    replica: h.replica,
                    message: h.message,
                    reason: h.reason,
                    attempt: h.attempt,
                    data: h.data,
                }));
                seq += 1;
            }
        }
        self.next.send_replace(seq);
    }

    /// Events from number `from` on that are still kept.
    fn since(&self, from: u64) -> VecDeque<Arc<Event>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let start = ring.partition_point(|e| e.seq < from);
        ring.range(start..).cloned().collect()
    }

    /// Ends all followers once they have read what there is.
    pub(super) fn close(&self) {
        self.next.send_replace(u64::MAX);
    }

    pub(super) fn stream(
        self: &Arc<Self>,
        query: EventQuery,
    ) -> impl Stream<Item = Arc<Event>> + Send + 'static + use<> {
        let log = Arc::clone(self);
        let mut past = log.since(query.after.map_or(0, |after| after.saturating_add(1)));
        if let Some(since) = query.since {
            past.retain(|e| e.ts >= since);
        }
        if let Some(tail) = query.tail {
            past.drain(..past.len().saturating_sub(tail));
        }
        // The number to go on from is read under the same view as the past: what comes between is not lost.
        let next = past.back().map_or_else(|| log.first_unseen(), |e| e.seq + 1);
        let changed = log.next.subscribe();
        stream::unfold((log, changed, past, next), move |(log, mut changed, mut queue, mut next)| async move {
            loop {
                if let Some(event) = queue.pop_front() {
                    next = event.seq + 1;
                    return Some((event, (log, changed, queue, next)));
                }
                if !query.follow {
                    return None;
                }
                let head = *changed.borrow_and_update();
                queue = log.since(next);
                if queue.is_empty() {
                    // Cancel-safe: `changed` loses nothing, `next` says where to go on.
                    if head == u64::MAX || changed.changed().await.is_err() {
                        return None;
                    }
                }
            }
        })
    }

    fn first_unseen(&self) -> u64 {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.back().map_or(0, |e| e.seq + 1)
    }
}
