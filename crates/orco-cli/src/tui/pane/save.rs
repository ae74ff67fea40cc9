//! Saving to a file.

use std::fmt::Write as _;

use orco_api::wire::{LogRecord, Timestamp};

use super::{
    body::{Body, Form, word},
    contract::{PaneEffect, Selection},
    held::{Held, Missing},
    state::Pane,
};
use crate::tui::text::clean;

impl Pane {
    /// A name for the file, from whose lines are shown.
    pub(super) fn default_path(&self) -> String {
        let stack = &self.config.stack;
        match &self.selection {
            Selection::All => format!("orco-{stack}.log"),
            Selection::Service(name) => format!("orco-{stack}-{name}.log"),
            Selection::Replica(name, replica) => format!("orco-{stack}-{name}-{replica}.log"),
        }
    }

    /// Asks for a file with the chosen lines, or all that pass the level filter: NDJSON where the name says so.
    pub(super) fn save(&self, path: String, replace: bool) -> Vec<PaneEffect> {
        let json = [".json", ".jsonl", ".ndjson"].iter().any(|end| path.ends_with(end));
        let (from, to) = self.chosen().unwrap_or((0, u64::MAX));
        let mut text = String::new();
        for held in self.shown.range(from, to).filter_map(|id| self.ring.get(id)) {
            if json {
                let record = self.record(held);
                text.push_str(&serde_json::to_string(&record).unwrap_or_default());
                text.push('\n');
            } else {
                self.write_text(held, &mut text);
            }
        }
        vec![PaneEffect::Save { path, text, replace }]
    }

    fn write_text(&self, held: &Held, out: &mut String) {
        let name = clean(self.ring.name(held));
        let _ = write!(out, "{} {name}", Timestamp::from_unix_micros(held.ts));
        if held.replica >= 0 {
            let _ = write!(out, "/{}", held.replica);
        }
        let _ = writeln!(out, " {:5} {}", word(held.level), Body::of(held, Form::Pretty).text);
    }

    /// The record as it came, as far as it is held.
    fn record(&self, held: &Held) -> LogRecord {
        let (dropped, cut) = match held.missing {
            Missing::Nothing => (None, None),
            Missing::Lines(lines) => (Some(lines), None),
            Missing::Bytes(bytes) => (None, Some(bytes)),
        };
        let clipped = u64::from(held.clipped);
        LogRecord {
            ts: Timestamp::from_unix_micros(held.ts),
            service: self.ring.name(held).to_owned(),
            replica: i64::from(held.replica),
            level: held.level,
            msg: held.msg().to_owned(),
            source: held.source,
            seq: held.seq,
            run: held.run,
            fields: held.fields(),
            dropped,
            cut: if clipped > 0 { Some(cut.unwrap_or(0) + clipped) } else { cut },
            partial: held.partial,
        }
    }
}
