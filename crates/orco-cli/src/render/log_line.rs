//! Log records as lines for people.

use std::{collections::HashMap, fmt::Write};

use orco_api::wire::{Level, LogRecord, Source};

use super::{Ink, Paint, printable};

/// Turns records into `api/0 | text`, with one colour per service and labels of one width.
#[derive(Debug)]
pub struct LogLines {
    paint: Paint,
    width: usize,
    colours: HashMap<String, usize>,
}

/// Longer labels stick out instead of moving everything to the right.
const WIDEST: usize = 24;

impl LogLines {
    /// With the names that are known to come, for the width of the labels.
    pub fn new<'a>(paint: Paint, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut lines = Self { paint, width: 0, colours: HashMap::new() };
        for name in names {
            lines.width = lines.width.max((name.len() + 2).min(WIDEST));
            let next = lines.colours.len();
            lines.colours.insert(name.to_owned(), next);
        }
        lines
    }

    /// Appends the record as one line. What a terminal would obey is shown, not passed on.
    pub fn write(&mut self, record: &LogRecord, text: &mut String) {
        let label = match record.replica {
            replica if replica < 0 => record.service.clone(),
            replica => format!("{}/{replica}", record.service),
        };
        let next = self.colours.len();
        let colour = *self.colours.entry(record.service.clone()).or_insert(next);
        self.width = self.width.max(label.len().min(WIDEST));
        let label = format!("{label:width$}", width = self.width);
        // Orco's own lines are told apart without colour.
        let bar = if record.source == Source::System { '!' } else { '|' };
        let _ = write!(text, "{} ", self.paint.ink(Ink::Label(colour), format_args!("{label} {bar}")));
        let msg = printable(&record.msg);
        match record.level {
            Level::Error | Level::Fatal => text.push_str(&self.paint.ink(Ink::Bad, msg)),
            Level::Warn => text.push_str(&self.paint.ink(Ink::Busy, msg)),
            Level::Trace | Level::Debug => text.push_str(&self.paint.ink(Ink::Faint, msg)),
            Level::Info => text.push_str(&msg),
        }
        if let Some(fields) = record.fields.as_ref().filter(|f| !f.is_empty()) {
            for (name, value) in fields {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let pair = format!(" {}={}", printable(name), printable(&shown));
                text.push_str(&self.paint.ink(Ink::Faint, pair));
            }
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn lines() {
        let mut lines = LogLines::new(Paint(false), ["db", "api"]);
        let mut text = String::new();
        for record in samples::records() {
            lines.write(&record, &mut text);
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_service_cannot_paint_the_terminal() {
        let mut text = String::new();
        let mut evil = samples::records().remove(0);
        evil.msg = "\x1b]0;title\x07\x1b[2J".to_owned();
        evil.fields = Some([("\x1b[31m".to_owned(), "\x1b[31m".into())].into_iter().collect());
        LogLines::new(Paint(false), []).write(&evil, &mut text);
        assert!(!text.contains('\x1b'), "{text:?}");
        assert_eq!(text.lines().count(), 1);
    }
}
