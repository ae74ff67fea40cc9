//! Finds a log record's place in a line of NDJSON without reading it all.

/// What says which record it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Raw<'a> {
    pub(super) ts: &'a [u8],
    pub(super) service: &'a str,
    pub(super) replica: i64,
    pub(super) is_system: bool,
    pub(super) seq: u64,
    pub(super) run: u32,
    pub(super) dropped: Option<u64>,
}

/// Reads a record that is written as our servers do; `None` for any other way to write it.
pub(super) fn raw(line: &[u8]) -> Option<Raw<'_>> {
    let rest = line.strip_prefix(b"{\"ts\":\"")?;
    let (ts, rest) = rest.split_at_checked(TS)?;
    let rest = rest.strip_prefix(b"\",\"service\":\"")?;
    let (service, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
    let (replica, rest) = integer(rest.strip_prefix(b"\",\"replica\":")?)?;
    let rest = rest.strip_prefix(b",\"level\":\"")?;
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
        service: std::str::from_utf8(service).ok()?,
        replica,
        is_system: source == b"system",
        seq: u64::try_from(seq).ok()?,
        run: u32::try_from(run).ok()?,
        dropped,
    })
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
        for other in ["", "{}", "{\"ts\":\"x\"}", "{\"ts\":\"2026-01-02T03:04:05.678901Z\",\"service\":\"a"] {
            assert_eq!(raw(other.as_bytes()), None, "{other}");
        }
    }
}
