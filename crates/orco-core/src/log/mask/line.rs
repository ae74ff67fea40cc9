//! Whole lines and other texts.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    MASKED, SHORTEST,
    scan::{Mask, Whole},
};
use crate::log::line::Line;

/// JSON in strings of JSON is looked into so deep.
const DEPTH: usize = 4;

impl Mask {
    /// The line with its secrets hidden; `scratch` holds its bytes then.
    pub fn line<'a>(&self, line: &Line<'a>, scratch: &'a mut Vec<u8>) -> Line<'a> {
        if line.dropped.is_some() || line.source == crate::log::Source::System {
            return *line;
        }
        if let Some(cut) = line.cut {
            *scratch = self.torn(line.bytes, cut);
            return Line { bytes: scratch, ..*line };
        }
        match self.bytes(line.bytes, Whole::Yes, DEPTH) {
            Cow::Borrowed(_) => *line,
            Cow::Owned(bytes) => {
                *scratch = bytes;
                Line { bytes: scratch, ..*line }
            }
        }
    }

    /// A text of one or more lines: what a command said, why a probe failed. One that ends in an ellipsis was cut there.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let cut = text.trim_end().trim_end_matches("...").trim_end_matches('…');
        let whole = if cut.len() < text.trim_end().len() { Whole::CutAtEnd } else { Whole::Yes };
        let (kept, rest) = text.split_at(cut.len());
        match self.bytes(kept.as_bytes(), whole, DEPTH) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned() + rest),
        }
    }

    /// Output of a command, line by line.
    pub fn output(&self, output: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(output.len());
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            // What was said may have been too much, and cut.
            let whole = if line.ends_with(b"\n") { Whole::Yes } else { Whole::CutAtEnd };
            shown.extend_from_slice(&self.bytes(line, whole, DEPTH));
        }
        shown
    }

    /// A line of which something is missing. Where it was cut it may have less of a secret than can be recognised: that
    /// much is hidden of any line.
    fn torn(&self, bytes: &[u8], cut: u64) -> Vec<u8> {
        let unsure = (SHORTEST - 1).min(bytes.len());
        let (begin, end) = if cut == 0 { (unsure, bytes.len()) } else { (0, bytes.len() - unsure) };
        let mut shown = if begin > 0 { MASKED.as_bytes().to_vec() } else { Vec::new() };
        let found = self.find(bytes, Whole::Torn);
        let mut from = begin;
        for range in found {
            let (start, stop) = (range.start.clamp(from, end), range.end.clamp(from, end));
            if start < stop {
                shown.extend_from_slice(&bytes[from..start]);
                shown.extend_from_slice(MASKED.as_bytes());
                from = stop;
            }
        }
        shown.extend_from_slice(&bytes[from..end]);
        if end < bytes.len() {
            shown.extend_from_slice(MASKED.as_bytes());
        }
        shown
    }

    fn bytes<'a>(&self, bytes: &'a [u8], whole: Whole, depth: usize) -> Cow<'a, [u8]> {
        let mut hidden = Vec::new();
        let shown = match self.hide(bytes, whole, &mut hidden) {
            true => Cow::Owned(hidden),
            false => Cow::Borrowed(bytes),
        };
        // Only there a value can be written in other letters than its own.
        if depth == 0 || memchr::memchr(b'\\', &shown).is_none() {
            return shown;
        }
        match self.json(&shown, depth) {
            Some(rewritten) => Cow::Owned(rewritten),
            None => shown,
        }
    }

    /// A JSON object or array that holds secrets in escaped form: written anew without them. `None`: it is none, or
    /// holds none.
    fn json(&self, bytes: &[u8], depth: usize) -> Option<Vec<u8>> {
        let text = bytes.trim_ascii();
        if !matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))) {
            return None;
        }
        let mut value: Value = serde_json::from_slice(text).ok()?;
        if !self.value(&mut value, depth - 1) {
            return None;
        }
        let mut written = serde_json::to_vec(&value).ok()?;
        if bytes.ends_with(b"\n") {
            written.push(b'\n');
        }
        Some(written)
    }

    /// Hides what is in the strings of a value. False: nothing.
    fn value(&self, value: &mut Value, depth: usize) -> bool {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
            Value::String(text) => match self.bytes(text.as_bytes(), Whole::Yes, depth) {
                Cow::Borrowed(_) => false,
                Cow::Owned(bytes) => {
                    *text = String::from_utf8_lossy(&bytes).into_owned();
                    true
                }
            },
            Value::Array(items) => items.iter_mut().fold(false, |found, item| self.value(item, depth) | found),
            Value::Object(map) => {
                let mut found = false;
                let mut shown = Map::new();
                for (key, mut value) in std::mem::take(map) {
                    found |= self.value(&mut value, depth);
                    let key = match self.bytes(key.as_bytes(), Whole::Yes, depth) {
                        Cow::Borrowed(_) => key,
                        Cow::Owned(bytes) => {
                            found = true;
                            String::from_utf8_lossy(&bytes).into_owned()
                        }
                    };
                    shown.insert(key, value);
                }
                *map = shown;
                found
            }
        }
    }
}
