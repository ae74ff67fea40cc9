//! How far each kind of stream has been read.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{ClientError, Position, call::with_query};
use crate::wire::{Event, EventsQuery, LogRecord, LogsQuery, Source, Status, Timestamp, parse_duration};

/// Records of several instances are merged by time, but one that comes late is not lost: so much is read twice, and
/// what was seen is left out.
const OVERLAP: Duration = Duration::from_secs(10);

fn text(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// The same moment, seen from later.
fn later(ago: Option<&String>, by: Duration) -> Option<String> {
    ago.and_then(|ago| parse_duration(ago).ok()).map(|ago| text(ago + by))
}

/// Of the status: there is nothing to remember.
#[derive(Debug)]
pub struct StatusPosition;

impl Position for StatusPosition {
    type Item = Status;

    fn path(&self, _: bool) -> Result<String, ClientError> {
        Ok("status?watch=true".to_owned())
    }

    fn take(&mut self, _: &Status) -> bool {
        true
    }
}

/// Of the events: their numbers never come twice.
#[derive(Debug)]
pub struct EventPosition {
    query: EventsQuery,
    began: Instant,
    last: Option<u64>,
}

impl EventPosition {
    pub(super) fn new(query: EventsQuery) -> Self {
        Self { query, began: Instant::now(), last: None }
    }
}

impl Position for EventPosition {
    type Item = Event;

    fn path(&self, again: bool) -> Result<String, ClientError> {
        let mut query = self.query.clone();
        if again {
            let elapsed = self.began.elapsed();
            query.since = match (self.last, query.tail) {
                (Some(_), _) => None,
                // Nothing has come yet, and of the past nothing was wanted that did not come.
                (None, Some(_)) => Some(text(elapsed)),
                (None, None) => later(query.since.as_ref(), elapsed),
            };
            query.tail = None;
            query.after = self.last.or(query.after);
        }
        with_query("events", &query)
    }

    fn take(&mut self, event: &Event) -> bool {
        let new = self.last.is_none_or(|last| event.seq > last);
        if new {
            self.last = Some(event.seq);
        }
        new
    }
}

/// Of log records: the last line of each instance.
#[derive(Debug)]
pub struct LogPosition {
    query: LogsQuery,
    began: Instant,
    newest: Option<Timestamp>,
    seen: BTreeMap<String, BTreeMap<(i64, u32), Seen>>,
}

/// What was seen of one instance.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Its last line.
    line: Option<u64>,
    /// The last word of Orco about it. It has the number of the line that follows it.
    system: Option<(u64, Timestamp)>,
}

impl LogPosition {
    pub(super) fn new(query: LogsQuery) -> Self {
        Self { query, began: Instant::now(), newest: None, seen: BTreeMap::new() }
    }
}

impl Position for LogPosition {
    type Item = LogRecord;

    fn path(&self, again: bool) -> Result<String, ClientError> {
        let mut query = self.query.clone();
        if again {
            let elapsed = self.began.elapsed();
            query.since = match (self.newest, query.tail) {
                (Some(newest), _) => Some(text(newest.until(Timestamp::now()) + OVERLAP)),
                (None, Some(_)) => Some(text(elapsed)),
                (None, None) => later(query.since.as_ref(), elapsed),
            };
            query.until = later(query.until.as_ref(), elapsed);
            query.tail = None;
        }
        with_query("logs", &query)
    }

    fn take(&mut self, record: &LogRecord) -> bool {
        if !self.seen.contains_key(&record.service) {
            self.seen.insert(record.service.clone(), BTreeMap::new());
        }
        let Some(service) = self.seen.get_mut(&record.service) else { return true };
        let seen = service.entry((record.replica, record.run)).or_default();
        let (seq, next) = (record.seq, seen.line.map_or(0, |line| line + 1));
        let new = match (record.source, record.dropped) {
            (Source::System, Some(dropped)) => seq + dropped > next && seen.system < Some((seq, record.ts)),
            (Source::System, None) => seq >= next && seen.system < Some((seq, record.ts)),
            (Source::Stdout | Source::Stderr, _) => seq >= next,
        };
        if new {
            match record.source {
                Source::System => seen.system = Some((seq, record.ts)),
                Source::Stdout | Source::Stderr => seen.line = Some(seq),
            }
            self.newest = self.newest.max(Some(record.ts));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{from_value, json};

    use super::*;

    fn record(source: &str, replica: i64, run: u32, seq: u64, ms: u64) -> LogRecord {
        let ts = Timestamp::from_unix_micros(ms * 1000);
        from_value(json!({"ts": ts, "service": "a", "replica": replica, "level": "info", "msg": "x", "source": source,
                          "seq": seq, "run": run}))
        .unwrap()
    }

    #[test]
    fn each_record_once() {
        let mut position = LogPosition::new(LogsQuery::default());
        let mut dropped = record("system", 0, 1, 5, 5);
        dropped.dropped = Some(3);
        let first = [
            record("stdout", 0, 1, 0, 1),
            record("stderr", 0, 1, 1, 1),
            record("stdout", 1, 1, 0, 2),
            record("stdout", 0, 2, 0, 3),
            record("system", 0, 1, 2, 4),
            record("system", 0, 1, 2, 5),
            dropped,
            record("stdout", 0, 1, 8, 6),
        ];
        assert!(first.iter().all(|record| position.take(record)));
        assert!(!first.iter().any(|record| position.take(record)), "the second time each is known");
        for new in [record("stdout", 0, 1, 9, 6), record("stdout", 1, 1, 1, 2), record("system", 1, 1, 2, 1)] {
            assert!(position.take(&new), "{new:?}");
        }
    }

    #[test]
    fn going_on_asks_for_what_is_missing() {
        let query = LogsQuery { follow: true, tail: Some(3), services: "a".into(), ..LogsQuery::default() };
        let mut position = LogPosition::new(query);
        assert_eq!(position.path(false).unwrap(), "logs?services=a&follow=true&tail=3");
        assert!(position.path(true).unwrap().starts_with("logs?services=a&follow=true&since="));
        position.take(&record("stdout", 0, 1, 0, 1));
        assert!(!position.path(true).unwrap().contains("tail"));

        let mut position = EventPosition::new(EventsQuery { follow: true, tail: Some(0), ..EventsQuery::default() });
        assert_eq!(position.path(false).unwrap(), "events?follow=true&tail=0");
        assert!(position.path(true).unwrap().starts_with("events?follow=true&since="));
        let event = |seq: u64| -> Event {
            from_value(json!({"ts": "2026-01-01T00:00:00Z", "seq": seq, "type": "x", "service": null, "replica": null,
                              "message": "", "reason": null, "attempt": null, "data": null}))
            .unwrap()
        };
        assert!(position.take(&event(7)) && !position.take(&event(7)) && !position.take(&event(6)));
        assert_eq!(position.path(true).unwrap(), "events?follow=true&after=7");
    }
}
