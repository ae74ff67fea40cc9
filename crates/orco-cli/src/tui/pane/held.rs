//! One record as it is held: small, and nothing computed yet.

use orco_api::wire::{Level, LogRecord, Source};
use serde_json::{Map, Value};

/// Longer lines are held only so far (bytes). Longer than what is shown, so that a saved file has more.
pub const LONGEST: usize = 256 << 10;

/// Bytes that a record takes beside its text, and its place in the lists of what is shown and found.
pub const OVERHEAD: usize = size_of::<Held>() + 3 * size_of::<u64>();

/// What is missing around a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// Nothing.
    Nothing,
    /// So many lines before it; the record stands for them.
    Lines(u64),
    /// So many bytes of it.
    Bytes(u64),
}

/// One record.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    /// Unix microseconds.
    pub ts: u64,
    pub seq: u64,
    pub missing: Missing,
    /// The message, then the fields as JSON.
    text: Box<str>,
    /// Where the fields begin.
    split: u32,
    /// Bytes that are not held.
    pub clipped: u32,
    pub run: u32,
    /// The number of the service's name in the ring.
    pub name: u32,
    /// -1 for the service as a whole.
    pub replica: i32,
    pub level: Level,
    pub source: Source,
    pub partial: bool,
}

impl Held {
    /// Takes what is worth holding out of a record.
    pub fn new(record: LogRecord, name: u32) -> Self {
        let missing = match (record.dropped, record.cut) {
            (Some(lines), _) => Missing::Lines(lines),
            (None, Some(bytes)) => Missing::Bytes(bytes),
            (None, None) => Missing::Nothing,
        };
        let (ts, seq, run, level, source) =
            (record.ts.unix_micros(), record.seq, record.run, record.level, record.source);
        let partial = record.partial;
        let replica = i32::try_from(record.replica).unwrap_or(-1);
        let (mut text, mut clipped) = (record.msg, 0);
        if text.len() > LONGEST {
            let end = text.floor_char_boundary(LONGEST);
            clipped = u32::try_from(text.len() - end).unwrap_or(u32::MAX);
            text.truncate(end);
        }
        let split = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if let Some(fields) = record.fields.filter(|fields| !fields.is_empty()) {
            let json = serde_json::to_string(&fields).unwrap_or_default();
            if text.len() + json.len() <= 2 * LONGEST {
                text.push_str(&json);
            } else {
                clipped = clipped.saturating_add(u32::try_from(json.len()).unwrap_or(u32::MAX));
            }
        }
        let text = text.into_boxed_str();
        Self { ts, seq, missing, text, split, clipped, run, name, replica, level, source, partial }
    }

    /// The message as it came.
    pub fn msg(&self) -> &str {
        &self.text[..self.split as usize]
    }

    /// The fields as JSON, empty if there are none.
    pub fn json(&self) -> &str {
        &self.text[self.split as usize..]
    }

    /// The fields.
    pub fn fields(&self) -> Option<Map<String, Value>> {
        let json = self.json();
        if json.is_empty() { None } else { serde_json::from_str(json).ok() }
    }

    /// Bytes it takes.
    pub const fn cost(&self) -> usize {
        self.text.len() + OVERHEAD
    }

    /// Whether it is told at any level: that lines are missing is.
    pub fn passes(&self, least: Level) -> bool {
        self.level >= least || matches!(self.missing, Missing::Lines(_))
    }
}
