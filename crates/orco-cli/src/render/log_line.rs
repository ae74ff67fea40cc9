//! Log records as lines for people.

use std::{collections::HashMap, fmt::Write};

use orco_api::wire::{Event, Level, LogRecord, Source};

use super::{Ink, Paint, printable};

/// Turns records into `api/0 | text`, with one colour per service and labels of one width.
#[derive(Debug)]
pub struct LogLines {
    paint: Paint,
    width: usize,
    colours: HashMap<String, usize>,
    style: LogStyle,
    /// The line that stands there without its end.
    open: Option<Unfinished>,
}

/// What stands in front of a line.
#[derive(Clone, Copy, Debug)]
pub struct LogStyle {
    /// The time.
    pub timestamps: bool,
    /// The service and the replica.
    pub prefix: bool,
}

impl Default for LogStyle {
    fn default() -> Self {
        Self { timestamps: false, prefix: true }
    }
}

/// Whose line has no end yet, and how much of it is shown.
#[derive(Debug)]
struct Unfinished {
    service: String,
    instance: (i64, u32, Source),
    shown: String,
}

impl Unfinished {
    fn new(record: &LogRecord) -> Self {
        let instance = (record.replica, record.run, record.source);
        Self { service: record.service.clone(), instance, shown: record.msg.clone() }
    }

    /// What the record adds to the line, if it goes on with it.
    fn rest<'a>(&self, record: &'a LogRecord) -> Option<&'a str> {
        let same = self.service == record.service && self.instance == (record.replica, record.run, record.source);
        record.msg.strip_prefix(&self.shown).filter(|_| same && record.fields.is_none())
    }
}

/// Longer labels stick out instead of moving everything to the right.
const WIDEST: usize = 24;

impl LogLines {
    /// With the names that are known to come, for the width of the labels.
    pub fn new<'a>(paint: Paint, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut lines = Self { paint, width: 0, colours: HashMap::new(), style: LogStyle::default(), open: None };
        for name in names {
            lines.width = lines.width.max((name.len() + 2).min(WIDEST));
            let next = lines.colours.len();
            lines.colours.insert(name.to_owned(), next);
        }
        lines
    }

    /// In this style.
    #[must_use]
    pub const fn with(mut self, style: LogStyle) -> Self {
        self.style = style;
        self
    }

    fn label(&mut self, service: &str, replica: Option<u32>, bar: char, text: &mut String) {
        let label = replica.map_or_else(|| service.to_owned(), |replica| format!("{service}/{replica}"));
        let colour = match self.colours.get(service) {
            Some(colour) => *colour,
            None => {
                let next = self.colours.len();
                *self.colours.entry(service.to_owned()).or_insert(next)
            }
        };
        self.width = self.width.max(label.len().min(WIDEST));
        let label = format!("{label:width$} {bar}", width = self.width);
        let _ = write!(text, "{} ", self.paint.ink(Ink::Label(colour), label));
    }

    /// Appends a state change as one line, if it is one that people watching want to see.
    pub fn note(&mut self, event: &Event, text: &mut String) {
        // What went wrong is said first; other messages begin with it themselves.
        let (ink, word) = match event.kind.as_str() {
            // The next event says that it was done, or why not.
            "ServiceStarting" | "ServiceStopping" => return,
            "ServiceReady" | "ServiceCompleted" | "StackReady" => (Ink::Good, ""),
            "ServiceStarted" | "ServiceStopped" | "StackStopped" => (Ink::Faint, ""),
            "ServiceBlocked" | "ServiceRestarting" => (Ink::Busy, ""),
            "ServiceUnready" => (Ink::Busy, "unready: "),
            "ServiceCrashed" => (Ink::Bad, "crashed: "),
            "ServiceFailed" => (Ink::Bad, "failed: "),
            "HookFailed" | "KeeperLost" => (Ink::Bad, ""),
            _ => (Ink::Plain, ""),
        };
        let mut message = event.message.as_str();
        match &event.service {
            Some(service) => {
                self.label(service, event.replica, '*', text);
                // The label has the name already.
                message = message.strip_prefix(service.as_str()).and_then(|m| m.strip_prefix(' ')).unwrap_or(message);
            }
            None => text.push_str("* "),
        }
        text.push_str(&self.paint.ink(ink, format_args!("{word}{}", printable(message))));
        let untold = |reason: &&String| event.kind != "ServiceCompleted" && !message.contains(reason.as_str());
        if let Some(reason) = event.reason.as_ref().filter(untold) {
            let _ = write!(text, " ({})", printable(reason));
        }
        text.push('\n');
    }

    /// Appends the record as one line, or goes on with the line that stands there without its end. What a terminal
    /// would obey is shown, not passed on.
    pub fn write(&mut self, record: &LogRecord, text: &mut String) {
        match self.open.take() {
            Some(open) => match open.rest(record) {
                Some(rest) => self.message(record.level, rest, text),
                None => {
                    // Something came between: the line is told again, whole.
                    text.push('\n');
                    self.begin(record, text);
                }
            },
            None => self.begin(record, text),
        }
        if record.partial {
            self.open = Some(Unfinished::new(record));
            return;
        }
        self.fields(record, text);
        text.push('\n');
    }

    /// Ends a line that has no end yet.
    pub fn end(&mut self, text: &mut String) {
        if self.open.take().is_some() {
            text.push('\n');
        }
    }

    /// What stands in front, and the message.
    fn begin(&mut self, record: &LogRecord, text: &mut String) {
        let replica = u32::try_from(record.replica).ok();
        // Orco's own lines are told apart without colour.
        let bar = if record.source == Source::System { '!' } else { '|' };
        if self.style.prefix {
            self.label(&record.service, replica, bar, text);
        }
        if self.style.timestamps {
            let _ = write!(text, "{} ", self.paint.ink(Ink::Faint, record.ts));
        }
        self.message(record.level, &record.msg, text);
    }

    fn message(&self, level: Level, msg: &str, text: &mut String) {
        let msg = printable(msg);
        match level {
            Level::Error | Level::Fatal => text.push_str(&self.paint.ink(Ink::Bad, msg)),
            Level::Warn => text.push_str(&self.paint.ink(Ink::Busy, msg)),
            Level::Trace | Level::Debug => text.push_str(&self.paint.ink(Ink::Faint, msg)),
            Level::Info => text.push_str(&msg),
        }
    }

    fn fields(&self, record: &LogRecord, text: &mut String) {
        if let Some(fields) = record.fields.as_ref().filter(|f| !f.is_empty()) {
            for (name, value) in fields {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let pair = format!(" {}={}", printable(name), printable(&shown));
                text.push_str(&self.paint.ink(Ink::Faint, pair));
            }
        }
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

    /// In the same line where nothing came between, else once more.
    #[test]
    fn unfinished_lines() {
        let mut lines = LogLines::new(Paint(false), []);
        let mut text = String::new();
        let sample = samples::records().remove(0);
        let mut write = |msg: &str, replica: i64, partial: bool| {
            let mut record = sample.clone();
            (record.msg, record.replica, record.partial) = (msg.to_owned(), replica, partial);
            text.clear();
            lines.write(&record, &mut text);
            text.clone()
        };
        assert_eq!(write("Name? ", 0, true), "db/0 | Name? ");
        assert_eq!(write("Name? B\u{1b}", 0, true), "B\\x1b");
        assert_eq!(write("Name? B\u{1b}ob", 0, false), "ob\n");
        assert_eq!(write("50%", 0, true), "db/0 | 50%");
        assert_eq!(write("other", 1, false), "\ndb/1 | other\n");
        assert_eq!(write("50% done", 0, false), "db/0 | 50% done\n");
        assert_eq!(write("a", 0, true), "db/0 | a");
        assert_eq!(write("b", 0, false), "\ndb/0 | b\n");
        assert_eq!(write("end", 0, true), "db/0 | end");
        text.clear();
        lines.end(&mut text);
        lines.end(&mut text);
        assert_eq!(text, "\n");
    }

    #[test]
    fn times_and_no_labels() {
        let sample = samples::records().remove(0);
        for (timestamps, prefix, want) in [
            (true, true, "db/0 | 2026-01-01T00:00:01.000000Z ready to accept connections\n"),
            (true, false, "2026-01-01T00:00:01.000000Z ready to accept connections\n"),
            (false, false, "ready to accept connections\n"),
        ] {
            let mut text = String::new();
            LogLines::new(Paint(false), []).with(LogStyle { timestamps, prefix }).write(&sample, &mut text);
            assert_eq!(text, want);
        }
    }

    #[test]
    fn notes() {
        let mut lines = LogLines::new(Paint(false), ["db", "api"]);
        let mut text = String::new();
        for event in samples::events() {
            lines.note(&event, &mut text);
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
