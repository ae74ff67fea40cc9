//! Which columns are for what, and what stands in front of a message.

use orco_api::wire::{Level, Source};

use super::{contract::Selection, held::Held, ring::Ring, stamp::Times};

/// Longer labels are cut.
const WIDEST: u16 = 24;

/// Columns, from left to right; each part but the message has one empty column or a bar behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Columns {
    /// The cursor and the level; 0 or 2.
    pub gutter: u16,
    /// The time; 0 if it is not shown.
    pub time: u16,
    /// The label; 0 if it is not shown.
    pub label: u16,
    /// The message.
    pub body: u16,
}

impl Columns {
    /// For a pane so wide. What matters least goes first where it is narrow.
    pub fn of(width: u16, times: Times, selection: &Selection, ring: &Ring) -> Self {
        let gutter = if width >= 16 { 2 } else { 0 };
        let time = if width >= 44 { times.columns() } else { 0 };
        let widest = match selection {
            Selection::All => ring.widest_name(),
            Selection::Service(_) if ring.has_replicas() => ring.widest_replica(),
            Selection::Service(_) | Selection::Replica(..) => 0,
        };
        let label = if width >= 24 { widest.min(WIDEST).min(width / 3) } else { 0 };
        let behind = |columns: u16, gap: u16| if columns > 0 { columns + gap } else { 0 };
        // A bar stands behind the label, between two empty columns.
        let before = behind(gutter, 1) + behind(time, 1) + behind(label, 3);
        Self { gutter, time, label, body: width.saturating_sub(before).max(1) }
    }

    /// Where the message begins.
    pub const fn start(&self, width: u16) -> u16 {
        width.saturating_sub(self.body)
    }
}

/// `api/0`, or what is not told by the selection already.
pub fn label(held: &Held, selection: &Selection, ring: &Ring) -> String {
    match (selection, held.replica >= 0) {
        (Selection::All, true) => format!("{}/{}", ring.name(held), held.replica),
        (Selection::All, false) => ring.name(held).to_owned(),
        (Selection::Service(_) | Selection::Replica(..), true) => format!("/{}", held.replica),
        (Selection::Service(_) | Selection::Replica(..), false) => String::new(),
    }
}

/// One letter for each level that matters.
pub const fn letter(level: Level) -> &'static str {
    match level {
        Level::Trace => "T",
        Level::Debug => "D",
        Level::Info => " ",
        Level::Warn => "W",
        Level::Error => "E",
        Level::Fatal => "F",
    }
}

/// Orco's own lines are told apart without colour.
pub const fn bar(source: Source) -> &'static str {
    match source {
        Source::System => "!",
        Source::Stdout | Source::Stderr => "│",
    }
}
