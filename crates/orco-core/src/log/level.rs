//! How serious a line is, guessed from the way common loggers write.

mod prefix;
#[cfg(test)]
mod tests;
mod words;

use serde_json::{Map, Value};

use super::record::{Level, Source};

/// `key=value` is looked for in so much of a line.
const KEYS: usize = 256;
/// Longer lines are not taken apart for it: a line of 1 MiB costs no more than a short one.
const LONGEST: usize = 11;

/// The level of a word, in any case.
pub(super) fn from_word(word: &[u8]) -> Option<Level> {
    if !(3..=LONGEST).contains(&word.len()) {
        return None;
    }
    let mut low = [0; LONGEST];
    let low = &mut low[..word.len()];
    low.copy_from_slice(word);
    low.make_ascii_lowercase();
    Some(match &*low {
        b"trace" | b"trc" | b"trce" | b"verbose" | b"vrb" | b"finest" | b"finer" => Level::Trace,
        b"debug" | b"dbg" | b"dbug" | b"debu" | b"fine" => Level::Debug,
        b"info" | b"inf" | b"information" | b"notice" | b"note" | b"log" | b"success" | b"default" | b"config" => {
            Level::Info
        }
        b"warn" | b"wrn" | b"warning" => Level::Warn,
        b"error" | b"err" | b"erro" | b"eror" | b"severe" | b"fail" => Level::Error,
        b"fatal" | b"fata" | b"ftl" | b"critical" | b"crit" | b"panic" | b"pani" | b"pnc" | b"dpanic" | b"alert"
        | b"emerg" | b"emergency" => Level::Fatal,
        _ => return None,
    })
}

/// A word that may have a number behind it, as Go's `slog` writes levels in between: `INFO+2`, `DEBUG-4`.
fn from_value(word: &[u8]) -> Option<Level> {
    let end = word.iter().position(|b| matches!(b, b'+' | b'-')).unwrap_or(word.len());
    let number = &word[(end + 1).min(word.len())..];
    if number.iter().all(u8::is_ascii_digit) { from_word(&word[..end]) } else { None }
}

/// The level of a number, as bunyan and pino count.
const fn from_number(number: u64) -> Option<Level> {
    Some(match number {
        10..20 => Level::Trace,
        20..30 => Level::Debug,
        30..40 => Level::Info,
        40..50 => Level::Warn,
        50..60 => Level::Error,
        60..70 => Level::Fatal,
        _ => return None,
    })
}

/// The level of a number as syslog counts, 0 is the worst.
const fn from_syslog(number: u64) -> Option<Level> {
    Some(match number {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        7 => Level::Debug,
        _ => return None,
    })
}

/// How a number under such a name is meant.
#[derive(Clone, Copy)]
enum Scale {
    /// As bunyan and pino count.
    Tens,
    /// As syslog counts, or in hundreds, as a cloud does.
    Syslog,
    /// Not at all.
    None,
}

/// Under which names loggers put the level into JSON; names come before numbers where a line has both.
const NAMES: [(&str, Scale); 12] = [
    ("level_name", Scale::None),
    ("levelname", Scale::None),
    ("level", Scale::Tens),
    ("lvl", Scale::Tens),
    ("severity", Scale::Syslog),
    ("loglevel", Scale::Tens),
    ("log_level", Scale::Tens),
    ("log.level", Scale::None),
    ("severity_text", Scale::None),
    ("severitytext", Scale::None),
    ("priority", Scale::Syslog),
    ("@l", Scale::None),
];

/// Takes the level out of a JSON line's fields.
pub(super) fn take(fields: &mut Map<String, Value>) -> Option<Level> {
    for (name, scale) in NAMES {
        // As written by nearly everybody, then in any case.
        let found =
            fields.get_key_value(name).or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
        let Some((key, value)) = found else { continue };
        if let Some(level) = from_json(value, scale) {
            let key = key.clone();
            fields.shift_remove(&key);
            return Some(level);
        }
    }
    peculiar(fields)
}

/// Whether a field of this name may be the level.
pub(super) fn may_name(name: &str) -> bool {
    let begins = matches!(name.as_bytes().first(), Some(b'l' | b'L' | b's' | b'S' | b'p' | b'P' | b'@'));
    begins && NAMES.iter().any(|(known, _)| name.eq_ignore_ascii_case(known))
}

/// Finds the level among fields, as [`take`] does, by where `find` says that a name is and what `said` says is there.
pub(super) fn seek<'a>(
    find: impl Fn(&dyn Fn(&str) -> bool) -> Option<usize>,
    said: impl Fn(usize) -> Said<'a>,
) -> Option<(usize, Level)> {
    NAMES.iter().find_map(|(name, scale)| {
        let index = find(&|known| known == *name).or_else(|| find(&|known| known.eq_ignore_ascii_case(name)))?;
        Some((index, said(index).level(*scale)?))
    })
}

/// What a field of JSON says of a level.
pub(super) enum Said<'a> {
    Word(&'a str),
    Number(u64),
    Nothing,
}

impl Said<'_> {
    fn level(&self, scale: Scale) -> Option<Level> {
        let number = |number: u64| match scale {
            Scale::Tens => from_number(number),
            Scale::Syslog if number >= 100 && number.is_multiple_of(100) => from_hundreds(number / 100),
            Scale::Syslog => from_syslog(number),
            Scale::None => None,
        };
        match self {
            Self::Word(word) => from_value(word.trim_ascii().as_bytes()).or_else(|| number(word.parse().ok()?)),
            Self::Number(value) => number(*value),
            Self::Nothing => None,
        }
    }
}

fn from_json(value: &Value, scale: Scale) -> Option<Level> {
    let said = match value {
        Value::String(word) => Said::Word(word),
        Value::Number(value) => value.as_u64().map_or(Said::Nothing, Said::Number),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Said::Nothing,
    };
    said.level(scale)
}

/// As Google's logging counts.
const fn from_hundreds(hundreds: u64) -> Option<Level> {
    Some(match hundreds {
        1 => Level::Debug,
        2 | 3 => Level::Info,
        4 => Level::Warn,
        5 => Level::Error,
        6..=8 => Level::Fatal,
        _ => return None,
    })
}

/// Whether a field of this name may make another one the level.
pub(super) fn is_peculiar(name: &str) -> bool {
    matches!(name, "short_message" | "ctx" | "log")
}

/// Those whose names would mean nothing alone: GELF, MongoDB, and the nested form of ECS. They stay among the fields.
fn peculiar(fields: &Map<String, Value>) -> Option<Level> {
    if fields.contains_key("short_message")
        && let Some(number) = fields.get("level").and_then(Value::as_u64)
    {
        return from_syslog(number);
    }
    if fields.contains_key("ctx")
        && fields.contains_key("c")
        && let Some(letter) = fields.get("s").and_then(Value::as_str)
    {
        return match letter.as_bytes() {
            [b'F', ..] => Some(Level::Fatal),
            [b'E', ..] => Some(Level::Error),
            [b'W', ..] => Some(Level::Warn),
            [b'I', ..] => Some(Level::Info),
            [b'D', ..] => Some(Level::Debug),
            _ => None,
        };
    }
    from_value(fields.get("log")?.get("level")?.as_str()?.as_bytes())
}

/// The level of a line of plain text. Without a sign of one it is `info`, on stderr too: many programs log
/// everything there.
pub(super) fn guess(bytes: &[u8], source: Source) -> Level {
    match source {
        Source::System => Level::Warn,
        Source::Stdout | Source::Stderr => {
            prefix::of(bytes).or_else(|| key(bytes)).or_else(|| words::of(bytes)).unwrap_or(Level::Info)
        }
    }
}

/// `level=…`, `lvl=…` or `severity=…`, quoted or not, as a key of its own and not within somebody's message.
fn key(bytes: &[u8]) -> Option<Level> {
    let head = &bytes[..bytes.len().min(KEYS)];
    for at in memchr::memchr_iter(b'=', head) {
        let start = head[..at]
            .iter()
            .rposition(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'.'))
            .map_or(0, |i| i + 1);
        let name = &head[start..at];
        let is_level = [&b"level"[..], b"lvl", b"severity", b"loglevel", b"log.level", b"log_level", b"levelname"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        let is_key = start == 0 || matches!(head[start - 1], b' ' | b'\t' | b',' | b'[' | b'{' | b'm');
        // Within quotes it is part of a message.
        if !is_level || !is_key || memchr::memchr_iter(b'"', &head[..start]).count() % 2 == 1 {
            continue;
        }
        let value = &bytes[at + 1..];
        let value = skip_colour(value);
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let end =
            value.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'-')).unwrap_or(value.len());
        if let Some(level) = from_value(&value[..end]) {
            return Some(level);
        }
    }
    None
}

/// Behind escape sequences that set colours.
fn skip_colour(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\x1b[") {
        match rest.iter().position(|b| !b.is_ascii_digit() && *b != b';') {
            Some(end) if rest[end] == b'm' => bytes = &rest[end + 1..],
            _ => break,
        }
    }
    bytes
}
