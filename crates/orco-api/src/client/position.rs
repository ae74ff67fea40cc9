//! How far each kind of stream has been read.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    ClientError, Position,
    call::with_query,
    raw::{Look, raw},
};
use crate::wire::{Event, EventsQuery, LogRecord, LogsQuery, Moment, Source, Status, Timestamp};

/// Records of several instances are merged by time, but one that comes late is not lost: so much is read twice, and
/// what was seen is left out.
const OVERLAP: Duration = Duration::from_secs(10);

fn text(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// The same moment, seen from later.
fn later(ago: Option<&String>, by: Duration) -> Option<String> {
    ago.and_then(|ago| ago.parse::<Moment>().ok()).map(|moment| moment.later(by).to_string())
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
    /// The same of records that were not parsed, as text.
    newest_text: Vec<u8>,
    /// Where in `all` each instance is.
    seen: BTreeMap<String, BTreeMap<(i64, u32), usize>>,
    all: Vec<Seen>,
    /// The instance of the line before, and how its lines look: most often the next one is of it too.
    last: usize,
    look: Look,
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
        Self {
            query,
            began: Instant::now(),
            newest: None,
            newest_text: Vec::new(),
            seen: BTreeMap::new(),
            all: Vec::new(),
            last: usize::MAX,
            look: Look::default(),
        }
    }
}

impl Position for LogPosition {
    type Item = LogRecord;

    fn path(&self, again: bool) -> Result<String, ClientError> {
        let mut query = self.query.clone();
        if again {
            let elapsed = self.began.elapsed();
            query.since = match (self.newest(), query.tail) {
                (Some(newest), _) => Some(text(newest.until(Timestamp::now()) + OVERLAP)),
                (None, Some(_)) => Some(text(elapsed)),
                (None, None) => later(query.since.as_ref(), elapsed),
            };
            query.until = later(query.until.as_ref(), elapsed);
            query.tail = None;
        }
        with_query("logs", &query)
    }

    fn is_over(&self) -> bool {
        let until = self.query.until.as_ref().and_then(|until| until.parse::<Moment>().ok());
        until.is_some_and(|until| until.micros() <= Timestamp::now().unix_micros())
    }

    fn take(&mut self, record: &LogRecord) -> bool {
        let LogRecord { replica, run, seq, dropped, .. } = *record;
        let is_system = record.source == Source::System;
        let seen = self.seen(&record.service, replica, run);
        if record.partial {
            return seq >= seen.next();
        }
        let new = seen.take(is_system, seq, dropped, || record.ts);
        if new {
            self.newest = self.newest.max(Some(record.ts));
        }
        new
    }
}

impl LogPosition {
    fn seen(&mut self, service: &str, replica: i64, run: u32) -> &mut Seen {
        let index = self.index(service, replica, run);
        &mut self.all[index]
    }

    fn index(&mut self, service: &str, replica: i64, run: u32) -> usize {
        if !self.seen.contains_key(service) {
            self.seen.insert(service.to_owned(), BTreeMap::new());
        }
        let next = self.all.len();
        let index = *self.seen.entry(service.to_owned()).or_default().entry((replica, run)).or_insert(next);
        if index == next {
            self.all.push(Seen::default());
        }
        index
    }

    /// As [`take`](Position::take) for a record as our servers write it; `None` for any other. No allocation.
    pub(super) fn take_raw(&mut self, line: &[u8]) -> Option<bool> {
        if let Some(seq) = self.look.seq(line)
            && let Some(seen) = self.all.get_mut(self.last)
        {
            let new = seen.take_line(seq);
            if new {
                self.note(&line[Look::TS]);
            }
            return Some(new);
        }
        let raw = raw(line)?;
        let time = || std::str::from_utf8(raw.ts).ok().and_then(|ts| ts.parse().ok()).unwrap_or_default();
        let known = self.seen.get(raw.service).and_then(|runs| runs.get(&(raw.replica, raw.run)));
        let index = match known {
            Some(index) => *index,
            None => self.index(raw.service, raw.replica, raw.run),
        };
        let new = self.all[index].take(raw.is_system, raw.seq, raw.dropped, time);
        if new {
            self.note(raw.ts);
        }
        if self.last != index {
            self.last = index;
            self.look.learn(&raw);
        }
        Some(new)
    }

    fn note(&mut self, ts: &[u8]) {
        if self.newest_text.as_slice() < ts {
            self.newest_text.clear();
            self.newest_text.extend_from_slice(ts);
        }
    }

    fn newest(&self) -> Option<Timestamp> {
        let text = std::str::from_utf8(&self.newest_text).ok().and_then(|text| text.parse().ok());
        self.newest.max(text)
    }
}

impl Seen {
    fn next(&self) -> u64 {
        self.line.map_or(0, |line| line + 1)
    }

    fn take_line(&mut self, seq: u64) -> bool {
        let new = seq >= self.next();
        if new {
            self.line = Some(seq);
        }
        new
    }

    /// Remembers a record. False: it was there before.
    fn take(&mut self, is_system: bool, seq: u64, dropped: Option<u64>, ts: impl FnOnce() -> Timestamp) -> bool {
        if !is_system {
            return self.take_line(seq);
        }
        let next = self.next();
        let is_ahead = dropped.map_or(seq >= next, |dropped| seq + dropped > next);
        let this = Some((seq, ts()));
        let new = is_ahead && self.system < this;
        if new {
            self.system = this;
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
