//! How serious a line is, guessed from the way common loggers write.

use super::record::{Level, Source};

/// Only so much of a line is looked at.
const HEAD: usize = 96;
/// Only so many words of it.
const WORDS: usize = 12;

/// The level of a word, in any case.
pub(super) fn from_word(word: &[u8]) -> Option<Level> {
    const WORDS: [(&str, Level); 20] = [
        ("trace", Level::Trace),
        ("verbose", Level::Trace),
        ("debug", Level::Debug),
        ("dbg", Level::Debug),
        ("info", Level::Info),
        ("inf", Level::Info),
        ("information", Level::Info),
        ("notice", Level::Info),
        ("log", Level::Info),
        ("warn", Level::Warn),
        ("wrn", Level::Warn),
        ("warning", Level::Warn),
        ("error", Level::Error),
        ("err", Level::Error),
        ("severe", Level::Error),
        ("fatal", Level::Fatal),
        ("critical", Level::Fatal),
        ("panic", Level::Fatal),
        ("alert", Level::Fatal),
        ("emerg", Level::Fatal),
    ];
    if !(3..=11).contains(&word.len()) {
        return None;
    }
    WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|&(_, level)| level)
}

/// The level of a number, as bunyan and pino count.
pub(super) const fn from_number(number: u64) -> Option<Level> {
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

/// The level of a line of plain text: a level word among the first few, if it is written like one
/// (`ERROR`, `[error]`, `error:`, `level=error`). Otherwise `info`, on stderr too: many programs log
/// everything there.
pub(super) fn guess(bytes: &[u8], source: Source) -> Level {
    match source {
        Source::System => Level::Warn,
        Source::Stdout | Source::Stderr => from_text(&bytes[..bytes.len().min(HEAD)]).unwrap_or(Level::Info),
    }
}

fn from_text(head: &[u8]) -> Option<Level> {
    let mut at = 0;
    for _ in 0..WORDS {
        at += head[at..].iter().position(u8::is_ascii_alphanumeric)?;
        at = skip_colour(head, at);
        let len = head[at..].iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(head.len() - at);
        let word = &head[at..at + len];
        let before = at.checked_sub(1).map(|i| head[i]);
        let after = head.get(at + len).copied();
        if let Some(level) = level_of(word, before, after) {
            return Some(level);
        }
        if matches!(word, b"level" | b"lvl" | b"severity") && after == Some(b'=') {
            let value = head[at + len + 1..].strip_prefix(b"\"").unwrap_or(&head[at + len + 1..]);
            let end = value.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(value.len());
            return from_word(&value[..end]);
        }
        at += len;
    }
    None
}

fn level_of(word: &[u8], before: Option<u8>, after: Option<u8>) -> Option<Level> {
    let shouted = word.iter().all(u8::is_ascii_uppercase) && !matches!(after, Some(b'_' | b'-' | b'/'));
    let marked = after == Some(b':') || matches!((before, after), (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')));
    if shouted || marked { from_word(word) } else { None }
}

/// Behind an escape sequence that sets colours, if the word begins inside of one (`ESC[32mINFO`).
fn skip_colour(head: &[u8], at: usize) -> usize {
    if at < 2 || head[at - 2..at] != *b"\x1b[" {
        return at;
    }
    let end = head[at..].iter().position(|b| !b.is_ascii_digit() && *b != b';');
    end.filter(|&n| head[at + n] == b'm').map_or(at, |n| at + n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_loggers() {
        let table = [
            ("ERROR cannot open", Level::Error),
            ("[warn] low disk", Level::Warn),
            ("warning: unused variable", Level::Warn),
            ("2026-01-02T03:04:05.123456Z  INFO api: listening", Level::Info),
            ("\x1b[2m2026-01-02T03:04:05Z\x1b[0m \x1b[31mERROR\x1b[0m boom", Level::Error),
            ("2026/01/02 03:04:05 [error] 7#7: no live upstreams", Level::Error),
            ("2026-01-02 03:04:05.678 UTC [12] FATAL:  role does not exist", Level::Fatal),
            ("FATAL:  role does not exist", Level::Fatal),
            ("level=debug msg=hi", Level::Debug),
            ("time=12 level=\"warning\" msg=hi", Level::Warn),
            ("thread main: error handling works", Level::Info),
            ("ERROR_COUNT is 0", Level::Info),
            ("error", Level::Info),
            ("panic: runtime error", Level::Fatal),
            ("", Level::Info),
            ("\x1b[", Level::Info),
            ("\x1b[31", Level::Info),
        ];
        for (line, want) in table {
            assert_eq!(guess(line.as_bytes(), Source::Stderr), want, "{line}");
        }
    }
}
