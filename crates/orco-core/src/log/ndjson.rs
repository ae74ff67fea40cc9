//! Records as lines of JSON, without an allocation per line.

use std::{collections::BTreeMap, io::Write as _};

use jiff::Timestamp;

use super::{
    escape::{escape, escape_bytes},
    line::Line,
    object::{Object, write_json},
    parse::cut_mark,
    record::{Level, Origin, Record, Source},
};

/// Encodes the lines of one instance: what all of them share is prepared once.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// `","service":"api","replica":0,"level":"`
    prefix: Vec<u8>,
    /// `,"run":1`
    suffix: Vec<u8>,
    /// `,"run":1,"fields":null}` and the end of the line.
    end: Vec<u8>,
    clock: Clock,
    /// All up to the message, for lines of one time and level: whole batches of lines are.
    head: Vec<u8>,
    head_of: Option<(u64, Level)>,
    seq: Number,
}

impl Encoder {
    /// An encoder for this instance's lines.
    pub fn new(origin: &Origin) -> Self {
        Self::with(origin.service.as_str(), i64::from(origin.replica), origin.run)
    }

    fn with(service: &str, replica: i64, run: u32) -> Self {
        let prefix = format!("\",\"service\":\"{service}\",\"replica\":{replica},\"level\":\"").into_bytes();
        let suffix = format!(",\"run\":{run}");
        let end = format!("{suffix},\"fields\":null}}\n").into_bytes();
        let (clock, head) = (Clock::default(), Vec::new());
        Self { prefix, suffix: suffix.into_bytes(), end, clock, head, head_of: None, seq: Number::default() }
    }

    /// Appends the line as `{ts, service, replica, level, msg, source, seq, run, fields}` and, where they
    /// apply, `dropped`, `cut` and `partial` before `fields`, with its end of line. Always valid JSON, whatever the
    /// bytes are. The order is part of the control API: clients find their place in it without parsing it all.
    pub fn encode(&mut self, line: &Line<'_>, out: &mut Vec<u8>) {
        if line.may_be_json() {
            if self.object(line, out) {
                return;
            }
            let parsed = line.parse();
            self.begin(line.ts, parsed.level, out);
            escape(&parsed.msg, out);
            self.end(line, parsed.fields.as_ref(), out);
        } else {
            self.begin(line.ts, line.plain_level(), out);
            escape_bytes(line.bytes, out);
            if let Some(cut) = line.cut {
                escape(&cut_mark(cut), out);
            }
            self.end(line, None, out);
        }
    }

    fn begin(&mut self, ts: u64, level: Level, out: &mut Vec<u8>) {
        if self.head_of != Some((ts, level)) {
            self.head_of = Some((ts, level));
            self.head.clear();
            self.head.extend_from_slice(b"{\"ts\":\"");
            self.clock.write(ts, &mut self.head);
            self.head.extend_from_slice(&self.prefix);
            self.head.extend_from_slice(level.as_str().as_bytes());
            self.head.extend_from_slice(b"\",\"msg\":\"");
        }
        out.extend_from_slice(&self.head);
    }

    /// A line that is a JSON object of the usual kind. False, and nothing is appended: serde has to read it.
    fn object(&mut self, line: &Line<'_>, out: &mut Vec<u8>) -> bool {
        let Some(object) = Object::read(line.bytes) else { return false };
        let begun = out.len();
        self.begin(line.ts, object.level(), out);
        let mut goes_on = false;
        let done = object.write(out, |has_fields, out| {
            goes_on = has_fields;
            self.middle(line, has_fields, out);
        });
        if !done {
            out.truncate(begun);
        } else if goes_on {
            out.extend_from_slice(b"}\n");
        }
        done
    }

    fn end(&mut self, line: &Line<'_>, fields: Option<&serde_json::Map<String, serde_json::Value>>, out: &mut Vec<u8>) {
        self.middle(line, fields.is_some(), out);
        if let Some(fields) = fields {
            write_json(fields, out);
            out.extend_from_slice(b"}\n");
        }
    }

    /// From behind the message up to the fields; where there are none, to the end.
    fn middle(&mut self, line: &Line<'_>, has_fields: bool, out: &mut Vec<u8>) {
        // One by one: to copy so many bytes as the compiler knows of takes no call.
        match line.source {
            Source::Stdout => out.extend_from_slice(b"\",\"source\":\"stdout\",\"seq\":"),
            Source::Stderr => out.extend_from_slice(b"\",\"source\":\"stderr\",\"seq\":"),
            Source::System => out.extend_from_slice(b"\",\"source\":\"system\",\"seq\":"),
        }
        self.seq.write(line.seq, out);
        if !has_fields && line.dropped.is_none() && line.cut.is_none() && !line.partial {
            out.extend_from_slice(&self.end);
            return;
        }
        out.extend_from_slice(&self.suffix);
        for (name, number) in [(&b",\"dropped\":"[..], line.dropped), (b",\"cut\":", line.cut)] {
            if let Some(number) = number {
                out.extend_from_slice(name);
                decimal(number, out);
            }
        }
        if line.partial {
            out.extend_from_slice(b",\"partial\":true");
        }
        out.extend_from_slice(if has_fields { b",\"fields\":" } else { b",\"fields\":null}\n" });
    }
}

/// Appends a record, as [`Encoder::encode`] does a line.
pub fn write(record: &Record, out: &mut Vec<u8>) {
    let mut encoder = Encoder::with(record.service.as_str(), record.replica, record.run);
    encoder.begin(record.ts, record.level, out);
    escape(&record.msg, out);
    let (source, seq) = (record.source, record.seq);
    let line = Line {
        ts: record.ts,
        source,
        seq,
        bytes: &[],
        cut: record.cut,
        dropped: record.dropped,
        partial: record.partial,
    };
    encoder.end(&line, record.fields.as_ref(), out);
}

/// Formats times, with everything above the microseconds kept from one line to the next.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    millis: u64,
    text: Vec<u8>,
}

impl Clock {
    /// Appends Unix microseconds as RFC 3339 in UTC: `2026-01-02T03:04:05.678901Z`.
    pub fn write(&mut self, micros: u64, out: &mut Vec<u8>) {
        let millis = micros / 1000;
        if self.millis != millis || self.text.is_empty() {
            self.millis = millis;
            self.text.clear();
            let time = i64::try_from(millis).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            // Beyond the year 9999 nobody's clock is right.
            let _ = write!(self.text, "{:.3}", time.unwrap_or(Timestamp::MAX));
            self.text.pop();
        }
        out.extend_from_slice(&self.text);
        let rest = (micros % 1000) as u16;
        out.extend_from_slice(&[digit(rest / 100), digit(rest / 10), digit(rest), b'Z']);
    }
}

const fn digit(n: u16) -> u8 {
    b'0' + (n % 10) as u8
}

/// A number in decimal: the next one is most often one more.
#[derive(Clone, Debug)]
struct Number {
    value: u64,
    /// From the first on.
    digits: [u8; 20],
    len: usize,
}

impl Default for Number {
    fn default() -> Self {
        Self { value: 0, digits: [b'0'; 20], len: 1 }
    }
}

impl Number {
    fn write(&mut self, n: u64, out: &mut Vec<u8>) {
        if n != self.value {
            self.set(n);
        }
        // All of them: so many bytes the compiler copies without a call.
        let end = out.len() + self.len;
        out.extend_from_slice(&self.digits);
        out.truncate(end);
    }

    fn set(&mut self, n: u64) {
        let digits = &mut self.digits[..self.len];
        let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
        if nines < digits.len() && self.value.checked_add(1) == Some(n) {
            let at = digits.len() - 1 - nines;
            digits[at] += 1;
            digits[at + 1..].fill(b'0');
        } else {
            let (mut rest, mut from) = (n, self.digits.len());
            loop {
                from -= 1;
                self.digits[from] = b'0' + (rest % 10) as u8;
                rest /= 10;
                if rest == 0 {
                    break;
                }
            }
            self.digits.copy_within(from.., 0);
            self.len = self.digits.len() - from;
        }
        self.value = n;
    }
}

fn decimal(n: u64, out: &mut Vec<u8>) {
    Number::default().write(n, out);
}

/// Makes NDJSON of the lines of many instances.
#[derive(Debug, Default)]
pub struct Batch {
    encoders: BTreeMap<Origin, Encoder>,
    /// The instance of the line before: most often it is the same.
    last: Option<(Origin, Encoder)>,
    out: Vec<u8>,
}

/// Of more instances the encoders are made again when they are needed.
const ENCODERS: usize = 1024;

impl Batch {
    /// Appends a line.
    pub fn push(&mut self, origin: &Origin, line: &Line<'_>) {
        if self.last.as_ref().is_none_or(|(last, _)| last != origin) {
            if let Some((last, encoder)) = self.last.take() {
                if self.encoders.len() >= ENCODERS {
                    self.encoders.clear();
                }
                self.encoders.insert(last, encoder);
            }
            let encoder = self.encoders.remove(origin).unwrap_or_else(|| Encoder::new(origin));
            self.last = Some((origin.clone(), encoder));
        }
        if let Some((_, encoder)) = &mut self.last {
            encoder.encode(line, &mut self.out);
        }
    }

    /// What has come together; it is empty then, with the same room.
    pub fn take(&mut self) -> Vec<u8> {
        let room = self.out.len();
        std::mem::replace(&mut self.out, Vec::with_capacity(room))
    }

    /// What has come together.
    pub fn text(&self) -> &[u8] {
        &self.out
    }

    /// Forgets it.
    pub fn clear(&mut self) {
        self.out.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_as_jiff_writes_them(micros in 0..253_402_207_000_000_000_u64) {
            let mut out = Vec::new();
            let mut clock = Clock::default();
            clock.write(micros ^ 1, &mut out);
            out.clear();
            clock.write(micros, &mut out);
            let want = format!("{:.6}", Timestamp::from_microsecond(micros as i64).unwrap());
            prop_assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn numbers_count_on() {
        let mut number = Number::default();
        let steps = (0..2000).chain([7, 8, 9, 10, 98, 99, 100, u64::MAX - 1, u64::MAX, 0, 1, 9_999_999, 10_000_000]);
        for n in steps {
            let mut out = Vec::new();
            number.write(n, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), n.to_string());
        }
    }

    #[test]
    fn a_line_and_its_record_read_the_same() {
        let origin = Origin::new("api".parse().unwrap(), 2, 3);
        let mut encoder = Encoder::new(&origin);
        for (bytes, cut) in [
            (&b"plain \xff\x00\x1b[31m"[..], None),
            (br#"{"level":"error","msg":"m","a":[1]}"#, None),
            ("{\"a\":\"\u{9b}31m\u{7f}é\",\"\u{9d}\":0}".as_bytes(), None),
            (b"{\"a\":1}", Some(7)),
        ] {
            let line = Line {
                ts: 1_767_323_045_678_901,
                source: Source::Stderr,
                seq: 9,
                bytes,
                cut,
                dropped: None,
                partial: false,
            };
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            encoder.encode(&line, &mut fast);
            write(&super::super::parse::record(&origin, &line), &mut slow);
            let fast = String::from_utf8(fast).unwrap();
            assert_eq!(fast, String::from_utf8(slow).unwrap());
            assert!(!fast.trim_end().chars().any(char::is_control), "{fast:?}");
            assert!(serde_json::from_str::<serde_json::Value>(&fast).unwrap().get("fields").is_some());
        }
        let mut out = Vec::new();
        encoder.encode(
            &Line {
                ts: 1_767_323_045_678_901,
                source: Source::System,
                seq: 9,
                bytes: b"gone",
                cut: None,
                dropped: Some(4),
                partial: false,
            },
            &mut out,
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"ts\":\"2026-01-02T03:04:05.678901Z\",\"service\":\"api\",\"replica\":2,\"level\":\"warn\",\"msg\":\"gone\",\"source\":\"system\",\"seq\":9,\"run\":3,\"dropped\":4,\"fields\":null}\n"
        );
    }
}
