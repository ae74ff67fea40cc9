//! A line that is a JSON object, written on without being built: its members are copied as they lie there.
//!
//! It must come to exactly what [`Line::parse`](super::line::Line::parse) and serde make of the line. Whatever could be
//! written in another way than it is (numbers with a fraction, escapes, objects within) is read and written by serde,
//! and a line that could mean something else (a name that comes twice, an escape in a name) is left to it altogether.

use std::str;

use serde_json::Value;

use super::{
    escape::{escape, escape_bytes, escape_code},
    level::{self, Said},
    parse::{DEEPEST, is_deeper},
    record::Level,
};

/// More members than this are left to serde: each name is compared to all before it.
const MEMBERS: usize = 24;
/// Whole numbers with no more digits are written as they are read.
const DIGITS: usize = 18;

/// A JSON object in a line.
#[derive(Debug)]
pub(super) struct Object<'a> {
    line: &'a str,
    members: [Member<'a>; MEMBERS],
    len: usize,
    /// Where the level and the message are among them.
    level: Option<(usize, Level)>,
    msg: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Member<'a> {
    name: &'a str,
    value: Shape<'a>,
}

/// A value by what is needed to write it.
#[derive(Clone, Copy, Debug)]
enum Shape<'a> {
    /// A string that means what it shows; without its quotes.
    Text(&'a str),
    /// `null`, a truth, or a short whole number.
    Plain(&'a str),
    /// Any other.
    Other(&'a str),
}

impl Default for Shape<'_> {
    fn default() -> Self {
        Self::Plain("null")
    }
}

impl<'a> Object<'a> {
    /// `None`: it is none, or one that serde has to read.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let line = str::from_utf8(bytes).ok()?;
        let mut object = Self { line, members: [Member::default(); MEMBERS], len: 0, level: None, msg: None };
        let mut text = Text { line, at: 0 };
        text.expect(b'{')?;
        if !text.goes_on_with(b'}') {
            loop {
                let name = text.name()?;
                text.expect(b':')?;
                let member = Member { name, value: text.value()? };
                if object.members().iter().any(|known| known.name == name) {
                    return None;
                }
                *object.members.get_mut(object.len)? = member;
                object.len += 1;
                if text.goes_on_with(b'}') {
                    break;
                }
                text.expect(b',')?;
            }
        }
        text.blanks();
        if text.at < line.len() {
            return None;
        }
        object.understand().then_some(object)
    }

    fn members(&self) -> &[Member<'a>] {
        &self.members[..self.len]
    }

    /// Finds level and message. False: serde has to.
    fn understand(&mut self) -> bool {
        let members = &self.members[..self.len];
        if members.iter().any(|member| level::may_name(member.name)) {
            let find = |is: &dyn Fn(&str) -> bool| members.iter().position(|member| is(member.name));
            // What is escaped in it might be a word.
            let is_unclear = |value: Shape<'_>| matches!(value, Shape::Other(text) if text.starts_with('"'));
            if members.iter().any(|member| level::may_name(member.name) && is_unclear(member.value)) {
                return false;
            }
            self.level = level::seek(find, |index| members[index].value.said());
        }
        if self.level.is_none() && members.iter().any(|member| level::is_peculiar(member.name)) {
            return false;
        }
        let text = |name: &str| members.iter().position(|member| member.name == name && member.value.is_text());
        self.msg = text("msg").or_else(|| text("message"));
        true
    }

    /// The level.
    pub(super) fn level(&self) -> Level {
        self.level.map_or(Level::Info, |(_, level)| level)
    }

    /// Appends the message and the other members, with `between` between them. False, and nothing is appended: serde
    /// has to read the line.
    pub(super) fn write(&self, out: &mut Vec<u8>, between: impl FnOnce(bool, &mut Vec<u8>)) -> bool {
        let begun = out.len();
        let done = self.try_write(out, between).is_some();
        if !done {
            out.truncate(begun);
        }
        done
    }

    fn try_write(&self, out: &mut Vec<u8>, between: impl FnOnce(bool, &mut Vec<u8>)) -> Option<()> {
        match self.msg.map(|index| self.members[index].value) {
            // Without a message of its own the line is the message.
            None => escape_bytes(self.line.as_bytes(), out),
            Some(Shape::Text(text) | Shape::Plain(text)) => out.extend_from_slice(text.as_bytes()),
            Some(Shape::Other(text)) => escape(&serde_json::from_str::<String>(text).ok()?, out),
        }
        let taken = [self.level.map(|(index, _)| index), self.msg];
        let mut fields = (0..self.len).filter(|index| !taken.contains(&Some(*index))).map(|index| &self.members[index]);
        let mut next = fields.next();
        between(next.is_some(), out);
        let mut open = b'{';
        while let Some(member) = next {
            out.extend_from_slice(&[open, b'"']);
            out.extend_from_slice(member.name.as_bytes());
            out.extend_from_slice(b"\":");
            member.value.write(out)?;
            open = b',';
            next = fields.next();
        }
        if open == b',' {
            out.push(b'}');
        }
        Some(())
    }
}

impl Shape<'_> {
    fn is_text(self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Plain(_) => false,
            Self::Other(text) => text.starts_with('"'),
        }
    }

    fn said(&self) -> Said<'_> {
        match self {
            Self::Text(text) => Said::Word(text),
            Self::Plain(text) => text.parse().map_or(Said::Nothing, Said::Number),
            // Too long for a level, or no whole number.
            Self::Other(_) => Said::Nothing,
        }
    }

    fn write(self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Text(text) => {
                out.push(b'"');
                out.extend_from_slice(text.as_bytes());
                out.push(b'"');
            }
            Self::Plain(text) => out.extend_from_slice(text.as_bytes()),
            Self::Other(text) => {
                let value: Value = serde_json::from_str(text).ok()?;
                if is_deeper(&value, DEEPEST) {
                    return None;
                }
                write_json(&value, out);
            }
        }
        Some(())
    }
}

/// Appends a value or fields that came out of JSON.
pub(super) fn write_json(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Into memory, and these came out of JSON: it cannot fail.
    let Ok(text) = serde_json::to_string(value) else { return out.extend_from_slice(b"null") };
    // What would act on a terminal can only be within strings.
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| ('\x7f'..'\u{a0}').contains(c)) {
        out.extend_from_slice(&text.as_bytes()[from..at]);
        escape_code(u32::from(c) as u8, out);
        from = at + c.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
}

/// A line on the way through it.
struct Text<'a> {
    line: &'a str,
    at: usize,
}

/// Bytes within a string that are no part of a text that means what it shows: its end, escapes, what must be
/// escaped, and the first byte of the C1 controls.
const ENDS: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = true;
        i += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    table[0xc2] = true;
    table
};

impl<'a> Text<'a> {
    fn byte(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    fn goes_on_with(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.goes_on_with(byte).then_some(())
    }

    /// A string that means what it shows, behind its first quote. Otherwise it stays where it is.
    fn plain(&mut self) -> Option<&'a str> {
        let rest = self.line.get(self.at..)?;
        let len = rest.bytes().position(|byte| ENDS[usize::from(byte)])?;
        if rest.as_bytes()[len] != b'"' {
            return None;
        }
        self.at += len + 1;
        rest.get(..len)
    }

    fn name(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        self.plain()
    }

    fn value(&mut self) -> Option<Shape<'a>> {
        self.blanks();
        let from = self.at;
        match self.byte()? {
            b'"' => {
                self.at += 1;
                if let Some(text) = self.plain() {
                    return Some(Shape::Text(text));
                }
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => return self.word(),
        }
        Some(Shape::Other(self.line.get(from..self.at)?))
    }

    /// To behind the end of a string, from behind its beginning.
    fn string(&mut self) -> Option<()> {
        loop {
            self.at += memchr::memchr2(b'"', b'\\', self.line.as_bytes().get(self.at..)?)?;
            if self.byte() == Some(b'"') {
                self.at += 1;
                return Some(());
            }
            self.at += 2;
        }
    }

    /// To behind the end of an array or an object. Whether it is one, serde finds out.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let byte = self.byte()?;
            self.at += 1;
            match byte {
                b'"' => self.string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(());
                    }
                }
                _ => {}
            }
        }
    }

    /// A number, a truth or `null`.
    fn word(&mut self) -> Option<Shape<'a>> {
        let rest = self.line.get(self.at..)?;
        let len = rest.bytes().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))?;
        let text = rest.get(..len)?;
        self.at += len;
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let is_short = matches!(digits.len(), 1..=DIGITS) && digits.iter().all(u8::is_ascii_digit);
        // There is no whole number -0, and none begins with 0.
        let is_whole = is_short && (digits[0] != b'0' || text == "0");
        Some(if is_whole || matches!(text, "null" | "true" | "false") {
            Shape::Plain(text)
        } else {
            Shape::Other(text)
        })
    }
}
