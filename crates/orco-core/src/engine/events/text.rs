//! An event as a line of events.ndjson: the same fields that the control API shows.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event::Event;
use crate::model::{EventData, EventKind, Exit, ServiceName};

/// Appends the line.
pub(super) fn write(event: &Event, out: &mut Vec<u8>) {
    let ts = i64::try_from(event.ts).ok().and_then(|t| Timestamp::from_microsecond(t).ok()).unwrap_or_default();
    let line = json!({
        "ts": format!("{ts:.6}"),
        "seq": event.seq,
        "type": event.kind.as_str(),
        "service": event.service.as_ref().map(ServiceName::as_str),
        "replica": event.replica,
        "message": &*event.message,
        "reason": event.reason.as_deref(),
        "attempt": event.attempt,
        "data": data(&event.data),
    });
    // A document of numbers and strings has a text.
    if serde_json::to_writer(&mut *out, &line).is_ok() {
        out.push(b'\n');
    }
}

/// Reads a line back; `None` where it is none of ours.
pub(super) fn read(line: &[u8]) -> Option<Event> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let text = |key: &str| line.get(key).and_then(Value::as_str);
    let number = |key: &str| line.get(key).and_then(Value::as_u64);
    let small = |key: &str| number(key).and_then(|n| u32::try_from(n).ok());
    let ts: Timestamp = text("ts")?.parse().ok()?;
    let kind = text("type")?;
    let service = match text("service") {
        Some(name) => Some(ServiceName::new(name).ok()?),
        None => None,
    };
    Some(Event {
        ts: u64::try_from(ts.as_microsecond()).ok()?,
        seq: number("seq")?,
        kind: EventKind::ALL.into_iter().find(|k| k.as_str() == kind)?,
        service,
        replica: small("replica"),
        message: text("message")?.into(),
        reason: text("reason").map(Arc::from),
        attempt: small("attempt"),
        data: line.get("data").map_or(EventData::None, read_data),
    })
}

/// The details of an event, as the file and the control API have them.
pub(super) fn data(data: &EventData) -> Value {
    match data {
        EventData::None => Value::Null,
        EventData::Exit(exit) => json!({ "exit": exit_json(*exit) }),
        EventData::Delay(delay) => json!({ "delay_ms": u64::try_from(delay.as_millis()).unwrap_or(u64::MAX) }),
        EventData::Dependency(name) => json!({ "dependency": name.as_str() }),
        EventData::Pid(pid) => json!({ "pid": pid }),
    }
}

fn exit_json(exit: Exit) -> Value {
    match exit {
        Exit::Code(code) => json!({ "code": code }),
        Exit::Signal(signal) => json!({ "signal": signal }),
        Exit::Oom => json!({ "oom": true }),
        Exit::Unknown => json!({ "unknown": true }),
    }
}

/// Details that a later version has and this one does not know are left out.
fn read_data(value: &Value) -> EventData {
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    if let Some(exit) = value.get("exit") {
        let code = number(exit, "code").map(Exit::Code).or_else(|| number(exit, "signal").map(Exit::Signal));
        let oom = exit.get("oom").is_some();
        return EventData::Exit(code.unwrap_or(if oom { Exit::Oom } else { Exit::Unknown }));
    }
    if let Some(delay) = value.get("delay_ms").and_then(Value::as_u64) {
        return EventData::Delay(Duration::from_millis(delay));
    }
    if let Some(name) = value.get("dependency").and_then(Value::as_str).and_then(|n| ServiceName::new(n).ok()) {
        return EventData::Dependency(name);
    }
    let pid = value.get("pid").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    pid.map_or(EventData::None, EventData::Pid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_event_comes_back() {
        let all = [
            EventData::None,
            EventData::Exit(Exit::Code(3)),
            EventData::Exit(Exit::Signal(9)),
            EventData::Exit(Exit::Oom),
            EventData::Exit(Exit::Unknown),
            EventData::Delay(Duration::from_millis(1500)),
            EventData::Dependency(ServiceName::new("db").unwrap()),
            EventData::Pid(42),
        ];
        for (seq, data) in all.into_iter().enumerate() {
            for kind in EventKind::ALL {
                let event = Event {
                    ts: 1_763_700_000_123_456,
                    seq: seq as u64,
                    kind,
                    service: (seq % 2 == 0).then(|| ServiceName::new("api").unwrap()),
                    replica: Some(2),
                    message: "said \"so\"\n".into(),
                    reason: None,
                    attempt: Some(1),
                    data: data.clone(),
                };
                let mut line = Vec::new();
                write(&event, &mut line);
                assert_eq!(read(&line), Some(event));
                assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
                assert_eq!(read(&line[..line.len() / 2]), None);
            }
        }
    }
}
