//! What is shown of a record: its text, cleaned, and which part of it looks how.

use std::{borrow::Cow, fmt::Write as _};

use orco_api::wire::{Level, Source, Timestamp};
use ratatui::style::Style;
use serde_json::Value;

use super::{
    held::{Held, Missing},
    ink::Ink,
};
use crate::tui::text::{clean, coloured};

/// Only so much of a line is shown and searched (bytes).
pub const SHOWN: usize = 64 << 10;

/// How a record is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The message, then its fields as `name=value`.
    Pretty,
    /// As the service wrote it, more or less: JSON stays JSON, colours are shown as what they are.
    Raw,
    /// On several lines, with all there is to know.
    Open,
}

/// How a part looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Look {
    /// By its meaning.
    Ink(Ink),
    /// As the rest of the message, and with the service's own colours.
    Own(Style),
}

/// A clean text; `\n` stands only where a new line shall begin.
#[derive(Debug)]
pub struct Body<'a> {
    pub text: Cow<'a, str>,
    /// From which byte on; sorted, the first is 0.
    pub runs: Vec<(usize, Look)>,
    /// The look of the message itself.
    pub ink: Ink,
}

impl<'a> Body<'a> {
    /// What is shown of this record.
    pub fn of(held: &'a Held, form: Form) -> Self {
        let ink = ink(held);
        if let Missing::Lines(lines) = held.missing {
            let text = format!("… {} {} dropped", grouped(lines), if lines == 1 { "line" } else { "lines" });
            return Self { text: text.into(), runs: vec![(0, Look::Ink(ink))], ink };
        }
        let mut body = match form {
            Form::Pretty => Self::pretty(held, ink),
            Form::Raw => Self::raw(held, ink),
            Form::Open => Self::open(held, ink),
        };
        body.mark(held);
        body
    }

    fn pretty(held: &'a Held, ink: Ink) -> Self {
        let fields = held.fields();
        let mut body = Self::message(held, ink, fields.is_some());
        for (name, value) in fields.iter().flatten() {
            if body.text.len() > SHOWN {
                break;
            }
            let gap = if body.text.is_empty() { "" } else { " " };
            body.add(Ink::Faint, &format!("{gap}{}={}", clean(name), clean(&short(value))));
        }
        body
    }

    /// The message. Where the fields are the whole line, nothing is left of it.
    fn message(held: &'a Held, ink: Ink, fields: bool) -> Self {
        let msg = beginning(held.msg());
        if fields && msg.starts_with('{') && held.msg().trim_end().ends_with('}') {
            return Self { text: "".into(), runs: vec![(0, Look::Ink(ink))], ink };
        }
        let coloured = coloured(msg);
        let mut runs = vec![(0, Look::Ink(ink))];
        runs.extend(coloured.runs.into_iter().map(|(at, style)| (at, Look::Own(style))));
        Self { text: coloured.text, runs, ink }
    }

    fn raw(held: &'a Held, ink: Ink) -> Self {
        let (msg, json) = (beginning(held.msg()), held.json());
        let text = if json.is_empty() || msg.starts_with('{') {
            clean(msg)
        } else {
            let msg = Value::from(msg).to_string();
            let whole = format!("{{\"level\":\"{}\",\"msg\":{msg},{}", word(held.level), &json[1..]);
            clean(beginning(&whole)).into_owned().into()
        };
        Self { text, runs: vec![(0, Look::Ink(ink))], ink }
    }

    fn open(held: &'a Held, ink: Ink) -> Self {
        let fields = held.fields();
        let mut body = Self::message(held, ink, fields.is_some());
        let from = match held.source {
            Source::Stdout => "stdout",
            Source::Stderr => "stderr",
            Source::System => "orco",
        };
        let about = format!(
            "{}{}  {}  {from}  run {}  line {}",
            if body.text.is_empty() { "" } else { "\n" },
            Timestamp::from_unix_micros(held.ts),
            word(held.level),
            held.run,
            held.seq
        );
        body.add(Ink::Faint, &about);
        for (name, value) in fields.iter().flatten() {
            if body.text.len() > SHOWN {
                break;
            }
            body.add(Ink::Field, &format!("\n  {}: ", clean(name)));
            let long = match value {
                Value::String(text) => text.clone(),
                other => serde_json::to_string_pretty(other).unwrap_or_default(),
            };
            let long = beginning(&long);
            let indent = if long.contains('\n') && matches!(value, Value::String(_)) { "\n    " } else { "" };
            let lines: Vec<_> = long.lines().map(clean).collect();
            body.add(ink, &format!("{indent}{}", lines.join(if indent.is_empty() { "\n  " } else { "\n    " })));
        }
        body
    }

    /// Adds text that is clean.
    fn add(&mut self, ink: Ink, text: &str) {
        self.runs.push((self.text.len(), Look::Ink(ink)));
        self.text.to_mut().push_str(text);
    }

    /// Says what is missing of it.
    fn mark(&mut self, held: &Held) {
        let mut hidden = held.msg().len().saturating_sub(SHOWN) as u64 + u64::from(held.clipped);
        // What is shown instead of what acts on a terminal is longer than that.
        if self.text.len() > SHOWN + SHOWN / 2 {
            let end = self.text.floor_char_boundary(SHOWN);
            hidden += (self.text.len() - end) as u64;
            self.text.to_mut().truncate(end);
            self.runs.retain(|(at, _)| *at < end);
        }
        if hidden > 0 {
            self.add(Ink::Mark, &format!("… [{} bytes not shown]", grouped(hidden)));
        } else if matches!(held.missing, Missing::Bytes(_)) {
            // The record says it itself, at the end of its message.
            if let Some(at) = self.text.rfind("… [") {
                let rest = self.runs.iter().position(|(from, _)| *from > at).unwrap_or(self.runs.len());
                self.runs.insert(rest, (at, Look::Ink(Ink::Mark)));
            }
        }
        if held.partial {
            self.add(Ink::Faint, "…");
        }
    }
}

/// As much of a text as is shown.
fn beginning(text: &str) -> &str {
    if text.len() <= SHOWN { text } else { &text[..text.floor_char_boundary(SHOWN)] }
}

fn ink(held: &Held) -> Ink {
    match (held.missing, held.source, held.level) {
        (Missing::Lines(_), _, _) => Ink::Mark,
        (_, _, Level::Error | Level::Fatal) => Ink::Bad,
        (_, _, Level::Warn) => Ink::Warn,
        (_, Source::System, _) => Ink::Own,
        (_, _, Level::Trace | Level::Debug) => Ink::Faint,
        (_, _, Level::Info) => Ink::Text,
    }
}

/// A field's value on one line.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text.contains([' ', '"', '\t', '\n', '\r', '=']) => value.to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The level's name.
pub const fn word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}

/// `1,204`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        let _ = out.write_char(digit);
    }
    out
}
