//! Finds a log record's place in a line of NDJSON without reading it all.

use std::io::Write as _;

/// What says which record it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Raw<'a> {
    pub(super) ts: &'a [u8],
    /// From behind the time up to the level.
    head: &'a [u8],
    pub(super) service: &'a str,
    pub(super) replica: i64,
    pub(super) is_system: bool,
    pub(super) seq: u64,
    pub(super) run: u32,
    pub(super) dropped: Option<u64>,
}

/// Reads a record that is written as our servers do; `None` for any other way to write it.
pub(super) fn raw(line: &[u8]) -> Option<Raw<'_>> {
    let rest = line.strip_prefix(BEGIN)?;
    let (ts, rest) = rest.split_at_checked(TS)?;
    let rest = rest.strip_prefix(b"\",\"service\":\"")?;
    let (service, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
    let (replica, rest) = integer(rest.strip_prefix(b"\",\"replica\":")?)?;
    let rest = rest.strip_prefix(b",\"level\":\"")?;
    let head = line.get(Look::TS.end..line.len() - rest.len())?;
    let rest = rest[memchr::memchr(b'"', rest)?..].strip_prefix(b"\",\"msg\":\"")?;
    let rest = rest[end_of_string(rest)?..].strip_prefix(b"\",\"source\":\"")?;
    let (source, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
    let (seq, rest) = integer(rest.strip_prefix(b"\",\"seq\":")?)?;
    let (run, rest) = integer(rest.strip_prefix(b",\"run\":")?)?;
    let dropped = match rest.strip_prefix(b",\"dropped\":") {
        Some(rest) => Some(u64::try_from(integer(rest)?.0).ok()?),
        None => None,
    };
    Some(Raw {
        ts,
        head,
        service: std::str::from_utf8(service).ok()?,
        replica,
        is_system: source == b"system",
        seq: u64::try_from(seq).ok()?,
        run: u32::try_from(run).ok()?,
        dropped,
    })
}

/// What lines of one instance have in common, as far as they are whole lines of its own without fields: such a line is
/// recognised from both ends, and what it says is not looked at.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// `","service":"api","replica":0,"level":"`
    head: Vec<u8>,
    /// `,"run":1,"fields":null}` and the end of the line.
    end: Vec<u8>,
}

const BEGIN: &[u8] = b"{\"ts\":\"";
const OF_STDOUT: &[u8] = b"\",\"source\":\"stdout\",\"seq\":";
const OF_STDERR: &[u8] = b"\",\"source\":\"stderr\",\"seq\":";

impl Look {
    /// Where the time of such a line is.
    pub(super) const TS: std::ops::Range<usize> = BEGIN.len()..BEGIN.len() + TS;

    /// From now on of the instance of this record.
    pub(super) fn learn(&mut self, raw: &Raw<'_>) {
        self.head.clear();
        self.head.extend_from_slice(raw.head);
        self.end.clear();
        // Into memory: it cannot fail.
        let _ = writeln!(self.end, ",\"run\":{},\"fields\":null}}", raw.run);
    }

    /// The number of a line that looks like this.
    ///
    /// It is the right one whatever the line says: a record ends with its fields, and where these are `null`, not a
    /// bracket, what stands before them is ours.
    pub(super) fn seq(&self, line: &[u8]) -> Option<u64> {
        let rest = line.strip_suffix(self.end.as_slice())?;
        let is_of_it = !self.head.is_empty() && line.get(Self::TS.end..)?.starts_with(&self.head);
        if !is_of_it || !line.starts_with(BEGIN) {
            return None;
        }
        let digits = rest.iter().rev().take(18).take_while(|byte| byte.is_ascii_digit()).count();
        let (rest, digits) = rest.split_at(rest.len() - digits);
        let is_ours = rest.ends_with(OF_STDOUT) || rest.ends_with(OF_STDERR);
        (is_ours && !digits.is_empty()).then(|| digits.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
    }
}

/// Bytes of a time; of this form they sort as the times do.
pub(super) const TS: usize = "2026-01-02T03:04:05.678901Z".len();

/// The quote that ends a string.
fn end_of_string(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

fn integer(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let len = digits.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    let number = digits[..len].iter().fold(0_i64, |number, b| number * 10 + i64::from(b - b'0'));
    (len > 0).then_some((sign * number, &digits[len..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use orco_core::log::{Record, ndjson};

    use super::*;
    use crate::wire::LogRecord;

    /// Whatever the message and the fields look like, it finds what a parser finds.
    #[test]
    fn agrees_with_a_parser() {
        let texts =
            ["", "plain", "\"", "\\", "\\\"", "\",\"source\":\"system\",\"seq\":9", "é\u{9b}\0", "ends with \\"];
        for (at, text) in texts.iter().enumerate() {
            let mut record = Record::system(
                1_795_000_000_000_000 + at as u64,
                "a".parse().unwrap(),
                orco_core::log::Level::Warn,
                *text,
            );
            record.seq = at as u64 * 1_000_000;
            record.run = 7;
            record.dropped = (at % 2 == 0).then_some(3);
            record.cut = (at % 3 == 0).then_some(4);
            record.fields = serde_json::from_str(r#"{"seq":1,"source":"x"}"#).ok();
            let mut line = Vec::new();
            ndjson::write(&record, &mut line);
            let want: LogRecord = serde_json::from_slice(&line).unwrap();
            let found = raw(&line).unwrap();
            assert_eq!(std::str::from_utf8(found.ts).unwrap(), want.ts.to_string());
            assert_eq!(
                (found.service, found.replica, found.seq, found.run, found.dropped, found.is_system),
                (&*want.service, want.replica, want.seq, want.run, want.dropped, true)
            );
        }
    }

    /// What is recognised from both ends is what is found on the way through it; all else is not recognised.
    #[test]
    fn a_look_agrees_with_reading() {
        let line = |change: &dyn Fn(&mut Record)| {
            let (service, level) = ("a".parse().unwrap(), orco_core::log::Level::Warn);
            let mut record = Record::system(1_795_000_000_000_000, service, level, "x");
            (record.seq, record.run, record.source) = (7, 3, orco_core::log::Source::Stdout);
            change(&mut record);
            let mut line = Vec::new();
            ndjson::write(&record, &mut line);
            line
        };
        let plain = line(&|_| {});
        let mut look = Look::default();
        assert_eq!(look.seq(&plain), None, "of nobody yet");
        look.learn(&raw(&plain).unwrap());
        let forged = String::from_utf8(plain.clone()).unwrap();
        for text in ["", "\"", "\\", &forged, "\",\"source\":\"stdout\",\"seq\":9,\"run\":3,\"fields\":null}"] {
            let line = line(&|record| (record.msg, record.seq) = (text.to_owned(), 1_234_567_890_123));
            assert_eq!(
                (look.seq(&line), raw(&line).unwrap().seq),
                (Some(1_234_567_890_123), 1_234_567_890_123),
                "{text}"
            );
        }
        let stderr = line(&|record| record.source = orco_core::log::Source::Stderr);
        assert_eq!(look.seq(&stderr), Some(7));
        let fields = |text: &'static str| move |record: &mut Record| record.fields = serde_json::from_str(text).ok();
        for other in [
            line(&|record| record.source = orco_core::log::Source::System),
            line(&|record| record.run = 13),
            line(&|record| record.replica = 1),
            line(&|record| record.service = "ab".parse().unwrap()),
            line(&|record| record.dropped = Some(1)),
            line(&|record| record.partial = true),
            line(&|record| record.seq = u64::MAX),
            line(&fields("{}")),
            line(&fields(r#"{"source":"stdout","seq":9,"run":3,"fields":null}"#)),
            line(&fields(r#"{"x":{"source":"stdout","seq":9,"run":3,"fields":null}}"#)),
            b"{}".to_vec(),
        ] {
            assert_eq!(look.seq(&other), None, "{}", String::from_utf8_lossy(&other));
        }
    }

    #[test]
    fn other_ways_to_write_it_are_not_read() {
        for other in ["", "{}", "{\"ts\":\"x\"}", "{\"ts\":\"2026-01-02T03:04:05.678901Z\",\"service\":\"a"] {
            assert_eq!(raw(other.as_bytes()), None, "{other}");
        }
    }
}
