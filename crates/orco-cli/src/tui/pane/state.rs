//! What the pane knows.

use std::{cell::RefCell, time::Duration};

use orco_api::wire::{Level, Timestamp};
use ratatui::layout::Rect;

use super::{
    body::{Body, Form},
    contract::{PaneConfig, PaneEffect, Selection},
    heights::Heights,
    held::Held,
    lines::Columns,
    prompt::Prompt,
    ring::{Id, Ring},
    rows,
    search::Search,
    sheet::{Sheet, Spot},
    shown::Shown,
    stamp::Times,
};

/// While there is something left to search.
const SOON: Duration = Duration::from_millis(15);
/// While ages are seen.
const SECOND: Duration = Duration::from_secs(1);

/// The log pane.
#[derive(Debug)]
pub struct Pane {
    pub(super) config: PaneConfig,
    pub(super) selection: Selection,
    pub(super) ring: Ring,
    pub(super) shown: Shown,
    /// Only this level and worse.
    pub(super) least: Level,
    pub(super) times: Times,
    pub(super) raw: bool,
    pub(super) wrap: bool,
    /// Columns left of what is seen, where lines are not wrapped.
    pub(super) left: usize,
    /// The record that is shown with all there is to know.
    pub(super) open: Option<Id>,
    /// Nothing while it follows.
    pub(super) hold: Option<Hold>,
    pub(super) search: Option<Search>,
    /// What was searched for last.
    pub(super) pattern: String,
    pub(super) prompt: Option<Prompt>,
    pub(super) now: Timestamp,
    /// Where the lines were drawn last.
    pub(super) area: Rect,
    /// Which record was drawn in each of these rows.
    pub(super) drawn: Vec<Id>,
    pub(super) heights: RefCell<Heights>,
}

/// What is seen while it does not follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// The first row.
    pub top: Spot,
    /// The record the keys act on.
    pub cursor: Id,
    /// The other end of the lines that are chosen.
    pub mark: Option<Id>,
    /// Records that have come since.
    pub new: u64,
}

impl Pane {
    /// A pane that follows and holds nothing. It asks for nothing before the first
    /// [`PaneInput::Select`](super::PaneInput::Select).
    pub fn new(config: PaneConfig) -> Self {
        Self {
            ring: Ring::new(config.lines, config.bytes),
            config,
            selection: Selection::All,
            shown: Shown::default(),
            least: Level::Trace,
            times: Times::Off,
            raw: false,
            wrap: true,
            left: 0,
            open: None,
            hold: None,
            search: None,
            pattern: String::new(),
            prompt: None,
            now: Timestamp::default(),
            area: Rect::new(0, 0, 80, 24),
            drawn: Vec::new(),
            heights: RefCell::default(),
        }
    }

    /// The stack's name has become known.
    pub fn name(&mut self, stack: &str) {
        stack.clone_into(&mut self.config.stack);
    }

    /// Whose lines are shown.
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether all keys are for the pane, because something is typed into it.
    pub const fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    /// Whether the pane has something to go back from, so that `Esc` is for it.
    pub fn takes_back(&self) -> bool {
        self.prompt.is_some() || self.hold.is_some() || self.search.is_some() || self.open.is_some()
    }

    /// When the next [`PaneInput::Tick`](super::PaneInput::Tick) is needed, if at all. The pane must be drawn after it.
    pub fn wake(&self) -> Option<Duration> {
        if self.search.as_ref().is_some_and(|search| !search.is_done(&self.shown, self.ring.end())) {
            return Some(SOON);
        }
        (self.times == Times::Relative && self.shown.len() > 0).then_some(SECOND)
    }

    /// How many records are held.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.ring.len()
    }

    /// Bytes that takes.
    #[cfg(test)]
    pub const fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// How this record is shown.
    pub(super) fn form(&self, id: Id) -> Form {
        if self.open == Some(id) {
            Form::Open
        } else if self.raw {
            Form::Raw
        } else {
            Form::Pretty
        }
    }

    /// What is shown of this record.
    pub(super) fn body(&self, id: Id) -> Option<(&Held, Body<'_>)> {
        self.ring.get(id).map(|held| (held, Body::of(held, self.form(id))))
    }

    /// How many rows it has.
    pub(super) fn rows(&self, id: Id) -> usize {
        // One line each, whatever is in it.
        if !self.wrap && self.open != Some(id) {
            return 1;
        }
        let width = usize::from(self.columns().body.max(1));
        let count = || self.body(id).map_or(1, |(_, body)| rows::count(&body.text, width, self.wrap)).max(1);
        // One that is open is alone in that, and changes with its key.
        if self.open == Some(id) { count() } else { self.heights.borrow_mut().of(id, (width, self.raw), count) }
    }

    /// Which columns are for what.
    pub(super) fn columns(&self) -> Columns {
        Columns::of(self.area.width, self.times, &self.selection, &self.ring)
    }

    /// Does something with the records as a sheet.
    pub(super) fn sheet<T>(&self, look: impl FnOnce(&Sheet<'_>) -> T) -> T {
        let rows = |id| self.rows(id);
        look(&Sheet { shown: &self.shown, height: usize::from(self.area.height.max(1)), rows: &rows })
    }

    /// The first row that is seen.
    pub(super) fn top(&self) -> Option<Spot> {
        self.sheet(|sheet| {
            let tail = sheet.tail()?;
            match self.hold {
                Some(hold) => sheet.settle(hold.top).map(|top| top.min(tail)),
                None => Some(tail),
            }
        })
    }
}

/// One thing to tell.
pub(super) fn notice(text: impl Into<String>) -> Vec<PaneEffect> {
    vec![PaneEffect::Notice(text.into())]
}
