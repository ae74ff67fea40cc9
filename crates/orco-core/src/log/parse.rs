//! From bytes to what people read: level, message, fields.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    level,
    line::Line,
    record::{Level, Origin, Record, Source},
};

/// A line, understood.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Parsed<'a> {
    /// The level.
    pub level: Level,
    /// The message; borrowed where the line is plain valid UTF-8.
    pub msg: Cow<'a, str>,
    /// What else a JSON line says.
    pub fields: Option<Map<String, Value>>,
}

impl<'a> Line<'a> {
    /// Level, message and fields. A line that is a JSON object gives them itself; what it says beyond
    /// level and message stays nested, so that a service cannot forge a record's own fields.
    pub fn parse(&self) -> Parsed<'a> {
        if self.source != Source::System
            && self.cut.is_none()
            && let Some(parsed) = from_json(self.bytes)
        {
            return parsed;
        }
        Parsed { level: level::guess(self.bytes, self.source), msg: String::from_utf8_lossy(self.bytes), fields: None }
    }

    /// Whether the line looks like a JSON object, so that [`parse`](Self::parse) tries to read it.
    pub(super) fn may_be_json(&self) -> bool {
        self.source != Source::System && self.cut.is_none() && is_object(self.bytes)
    }

    /// The level alone.
    pub fn level(&self) -> Level {
        if self.may_be_json() { self.parse().level } else { self.plain_level() }
    }

    /// The level of a line that is not JSON.
    pub(super) fn plain_level(&self) -> Level {
        level::guess(self.bytes, self.source)
    }
}

fn is_object(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    text.first() == Some(&b'{') && text.last() == Some(&b'}')
}

fn from_json(bytes: &[u8]) -> Option<Parsed<'_>> {
    if !is_object(bytes) {
        return None;
    }
    // Of a name that comes twice the last one counts; numbers that no reader could hold make it plain text.
    let mut fields: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    if fields.values().any(|value| is_deeper(value, DEEPEST)) {
        return None;
    }
    let level = level::take(&mut fields);
    let msg = lift(&mut fields, &["msg", "message"], |value| value.as_str().map(str::to_owned));
    // Without a message of its own the line is the message.
    let msg = msg.map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned);
    let fields = (!fields.is_empty()).then_some(fields);
    Some(Parsed { level: level.unwrap_or(Level::Info), msg, fields })
}

/// Parsers give up at some depth (ours at 128): no service may print what its reader's parser refuses.
pub(super) const DEEPEST: usize = 64;

pub(super) fn is_deeper(value: &Value, than: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(values) => than == 0 || values.iter().any(|value| is_deeper(value, than - 1)),
        Value::Object(fields) => than == 0 || fields.values().any(|value| is_deeper(value, than - 1)),
    }
}

/// Takes the first of the fields that makes sense.
fn lift<T>(fields: &mut Map<String, Value>, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    for name in names {
        if let Some(value) = fields.get(*name).and_then(&read) {
            fields.shift_remove(*name);
            return Some(value);
        }
    }
    None
}

/// What is shown at the end of a line of which bytes are missing.
pub(super) fn cut_mark(cut: u64) -> String {
    match cut {
        0 => "… [its beginning is gone]".to_owned(),
        bytes => format!("… [{bytes} bytes cut]"),
    }
}

/// The line as a record of its own.
pub fn record(origin: &Origin, line: &Line<'_>) -> Record {
    let parsed = line.parse();
    let mut msg = parsed.msg.into_owned();
    if let Some(cut) = line.cut {
        msg.push_str(&cut_mark(cut));
    }
    Record {
        ts: line.ts,
        service: origin.service.clone(),
        replica: i64::from(origin.replica),
        level: parsed.level,
        msg,
        source: line.source,
        seq: line.seq,
        run: origin.run,
        fields: parsed.fields,
        dropped: line.dropped,
        cut: line.cut,
        partial: line.partial,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(bytes: &[u8]) -> Line<'_> {
        Line { ts: 0, source: Source::Stdout, seq: 0, bytes, cut: None, dropped: None, partial: false }
    }

    #[test]
    fn json_lines_give_level_and_message() {
        let parsed = line(br#"{"ts":1,"level":"warn","msg":"low","disk":{"free":3}}"#).parse();
        assert_eq!((parsed.level, &*parsed.msg), (Level::Warn, "low"));
        assert_eq!(Value::from(parsed.fields.unwrap()).to_string(), r#"{"ts":1,"disk":{"free":3}}"#);
        let parsed = line(br#"{"lvl":50,"message":"x"}"#).parse();
        assert_eq!((parsed.level, &*parsed.msg, parsed.fields), (Level::Error, "x", None));
    }

    #[test]
    fn nonsense_stays_where_it_is() {
        let parsed = line(br#"{"level":{"a":1},"severity":"error","msg":7}"#).parse();
        assert_eq!((parsed.level, &*parsed.msg), (Level::Error, r#"{"level":{"a":1},"severity":"error","msg":7}"#));
        assert_eq!(Value::from(parsed.fields.unwrap()).to_string(), r#"{"level":{"a":1},"msg":7}"#);
        for text in ["{}}", "{", "{\"a\":1", "[{}]", ""] {
            assert_eq!(line(text.as_bytes()).parse().fields, None, "{text}");
        }
    }

    #[test]
    fn peculiar_json() {
        let nested = |depth: usize| format!(r#"{{"msg":"x","a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(line(nested(DEEPEST).as_bytes()).parse().msg, "x");
        for text in [nested(DEEPEST + 1), nested(100_000), r#"{"msg":"x","n":1e999}"#.to_owned()] {
            let parsed = line(text.as_bytes());
            let parsed = parsed.parse();
            assert_eq!((parsed.fields, &*parsed.msg), (None, &*text), "plain text");
        }
        let parsed = line(br#"{"msg":"first","msg":"last","a":1,"a":{"b":2},"level":"info","level":"error"}"#);
        let parsed = parsed.parse();
        assert_eq!((parsed.level, &*parsed.msg), (Level::Error, "last"));
        assert_eq!(Value::from(parsed.fields.unwrap()).to_string(), r#"{"a":{"b":2}}"#);
        let parsed = line(b"{\"msg\":\"nul \\u0000 here\",\"\":18446744073709551615}");
        let parsed = parsed.parse();
        assert_eq!(parsed.msg, "nul \0 here");
        assert_eq!(Value::from(parsed.fields.unwrap()).to_string(), r#"{"":18446744073709551615}"#);
        assert_eq!(line(b"{\"msg\":\"\0\"}").parse().fields, None, "a raw NUL is no JSON");
    }

    #[test]
    fn a_service_cannot_forge_our_fields() {
        let forged = br#"{"msg":"hi","dropped":9,"seq":0,"service":"db","replica":-1,"run":7,"source":"system","cut":1,"ts":"x"}"#;
        let origin = Origin::new("api".parse().unwrap(), 2, 3);
        let record = record(&origin, &line(forged));
        assert_eq!(
            (record.dropped, record.cut, record.source, record.run, record.replica),
            (None, None, Source::Stdout, 3, 2)
        );
        assert_eq!(record.fields.unwrap().len(), 8);
    }
}
