//! The stream: the last 10,000 events, each with a number that only rises.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{Stream, stream};
use tokio::sync::watch;

use super::event::{Event, EventQuery};
use crate::model::{Happening, ServiceName};

/// How many events are kept for those who ask later.
pub(super) const KEPT: usize = 10_000;

/// The ring. Written by the driver, or by the ledger for it; the lock is held for a copy, never over an await.
#[derive(Debug)]
pub(in crate::engine) struct EventLog {
    ring: Mutex<VecDeque<Arc<Event>>>,
    /// The number of the next event to be stamped.
    stamped: Mutex<u64>,
    /// The number after the last one shown; closed when the engine ends.
    next: watch::Sender<u64>,
}

impl EventLog {
    /// A stream that goes on after these.
    pub(in crate::engine) fn new(past: Vec<Event>) -> Self {
        let next = past.last().map_or(0, |e| e.seq + 1);
        let ring = past.into_iter().map(Arc::new).collect();
        Self { ring: Mutex::new(ring), stamped: Mutex::new(next), next: watch::Sender::new(next) }
    }

    /// Gives what one turn brought its time and numbers.
    pub(in crate::engine) fn stamp(
        &self,
        happenings: Vec<(Happening, Option<ServiceName>)>,
        ts: u64,
    ) -> Vec<Arc<Event>> {
        let mut next = self.stamped.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = |(h, service): (Happening, Option<ServiceName>)| {
            tracing::debug!(
                kind = h.kind.as_str(),
                service = service.as_ref().map(ServiceName::as_str),
                message = &*h.message
            );
            let seq = *next;
            *next += 1;
            Arc::new(Event {
                ts,
                seq,
                kind: h.kind,
                service,
                replica: h.replica,
                message: h.message,
                reason: h.reason,
                attempt: h.attempt,
                data: h.data,
            })
        };
        happenings.into_iter().map(stamp).collect()
    }

    /// Shows stamped events to everybody, in the order of their numbers.
    pub(in crate::engine) fn show(&self, events: Vec<Arc<Event>>) {
        let Some(last) = events.last().map(|e| e.seq) else { return };
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.extend(events);
            let surplus = ring.len().saturating_sub(KEPT);
            ring.drain(..surplus);
        }
        // A closed stream stays closed.
        self.next.send_modify(|next| *next = (*next).max(last + 1));
    }

    /// Events from number `from` on that are still kept.
    fn since(&self, from: u64) -> VecDeque<Arc<Event>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let start = ring.partition_point(|e| e.seq < from);
        ring.range(start..).cloned().collect()
    }

    /// Ends all followers once they have read what there is.
    pub(in crate::engine) fn close(&self) {
        self.next.send_replace(u64::MAX);
    }

    pub(in crate::engine) fn stream(
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
