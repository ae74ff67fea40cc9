//! Levels that are a word among the first few of a line.

use super::{LONGEST, Level, from_word, skip_colour};

/// A word counts if it begins within so much of a line.
const HEAD: usize = 96;
/// Only so many words are looked at.
const WORDS: usize = 12;
/// After so many plain words the line is a sentence, and capitals in it are a stress.
const PROSE: usize = 2;

const DIGIT: u8 = 1;
const LOWER: u8 = 2;
const UPPER: u8 = 4;

/// What each byte is; 0 ends a word.
const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0_u8;
    while i < 128 {
        if i.is_ascii_digit() {
            table[i as usize] = DIGIT;
        } else if i.is_ascii_lowercase() {
            table[i as usize] = LOWER;
        } else if i.is_ascii_uppercase() {
            table[i as usize] = UPPER;
        }
        i += 1;
    }
    table
};

struct Word<'a> {
    line: &'a [u8],
    from: usize,
    to: usize,
    kinds: u8,
    /// Plain words before it.
    prose: usize,
}

/// The level word among the first words, if it is written like one (`ERROR`, `[error]`, `error:`).
pub(super) fn of(line: &[u8]) -> Option<Level> {
    let (mut at, mut words, mut prose) = (0, 0, 0);
    let head = line.len().min(HEAD);
    // After so many plain words it is a sentence, whatever it says.
    while at < head && words < WORDS && prose <= 2 * PROSE {
        if CLASS[usize::from(line[at])] == 0 {
            at += if line[at] == 0x1b { line.len() - at - skip_colour(&line[at..]).len() } else { 1 }.max(1);
            continue;
        }
        let from = at;
        let rest = &line[from..line.len().min(from + HEAD)];
        let len = rest.iter().position(|byte| CLASS[usize::from(*byte)] == 0).unwrap_or(rest.len());
        if len == HEAD {
            return None;
        }
        at += len;
        let kinds = rest[..len].iter().fold(0, |kinds, byte| kinds | CLASS[usize::from(*byte)]);
        words += 1;
        let word = Word { line, from, to: at, kinds, prose };
        if at - from <= LONGEST + 1
            && let Some(level) = word.level()
        {
            return Some(level);
        }
        prose += usize::from(word.is_prose());
    }
    None
}

impl Word<'_> {
    fn before(&self) -> u8 {
        self.from.checked_sub(1).map_or(b' ', |at| self.line[at])
    }

    /// What follows, colours left out.
    fn after(&self) -> &[u8] {
        skip_colour(&self.line[self.to..])
    }

    /// Whether it stands alone between blanks, as words of a sentence do.
    fn is_prose(&self) -> bool {
        let after = self.line.get(self.to).copied().unwrap_or(b' ');
        self.kinds & LOWER != 0
            && self.kinds & DIGIT == 0
            && self.before() == b' '
            && matches!(after, b' ' | b',' | b'\'')
    }

    fn level(&self) -> Option<Level> {
        let text = &self.line[self.from..self.to];
        let (before, after) = (self.before(), self.after());
        let next = after.first().copied().unwrap_or(b' ');
        if self.kinds & DIGIT != 0 {
            // PostgreSQL counts its debug levels.
            let debug = text.strip_prefix(b"DEBUG").is_some_and(|n| n.len() == 1);
            return (debug && next == b':').then_some(Level::Debug);
        }
        // Most words are none: that is seen without reading them.
        if self.kinds != UPPER && !matches!(next, b':' | b']' | b'>' | b')' | b'|' | b'\t' | b'[') {
            return None;
        }
        let level = from_word(text)?;
        let is_weak =
            matches!(text.to_ascii_lowercase().as_slice(), b"log" | b"note" | b"default" | b"config" | b"fine");
        if self.is_marked(before, next, level) {
            return Some(level);
        }
        let is_shouted = self.kinds == UPPER && !is_weak && self.prose <= PROSE && self.stands_free(before, after);
        is_shouted.then_some(level)
    }

    /// In brackets, or with a colon behind it.
    fn is_marked(&self, before: u8, next: u8, level: Level) -> bool {
        match (before, next) {
            (b'[', b']') | (b'<', b'>') | (b'(', b')') | (b'|', b'|') | (b'\t', b'\t') | (b':', b']') => true,
            // rustc: `error[E0425]: …`
            (_, b'[') => self.from == 0 && self.line.get(self.to + 1) == Some(&b'E') && self.kinds == LOWER,
            (b'/' | b'-' | b'_' | b'.' | b'=', b':') => false,
            // "stack trace:" and "for your info:" are sentences, "fatal error:" means it.
            (_, b':') => {
                let negated = [&b"no "[..], b"No ", b"without "].iter().any(|no| self.line[..self.from].ends_with(no));
                !negated && (self.prose == 0 || (level >= Level::Warn && self.prose <= 2 * PROSE))
            }
            _ => false,
        }
    }

    /// Whether capitals here are a level, and not a name, a variable, a path or the method of a request.
    fn stands_free(&self, before: u8, after: &[u8]) -> bool {
        let front = &self.line[..self.from];
        let free_before = match before {
            // `=ERROR REPORT====` of Erlang
            b'=' => self.from == 1,
            b'/' | b'-' | b'_' | b'$' | b'"' | b'\'' | b'`' | b'&' | b'?' | b'%' | b'#' => false,
            // `app.ERROR:` of PHP's Monolog, and no file name.
            b'.' => after.starts_with(b":"),
            _ => true,
        };
        let free_after = match after {
            [b'_' | b'-' | b'=' | b'(' | b'.' | b'\'' | b'"' | b'`', ..] => false,
            // Celery: `: WARNING/MainProcess]`
            [b'/', ..] => front.ends_with(b": "),
            // `TRACE / HTTP/1.1`
            [b' ', b'/', ..] => false,
            _ => true,
        };
        free_before && free_after
    }
}
