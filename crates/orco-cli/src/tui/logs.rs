//! The log pane within the whole: whose lines it shows, what it asks for, and when.

use orco_api::wire::Timestamp;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::{
    app::{App, Focus, View, is_due},
    news::Effect,
    pane::{Pane, PaneConfig, PaneEffect, PaneInput, Selection},
    table::Row,
    theme::Role,
};

/// Whoever walks through the rows does not ask for the lines of each, in microseconds.
const CALM: u64 = 150_000;
/// How long until lines that ended are asked for again, in microseconds.
const AGAIN: u64 = 1_000_000;

/// The pane, and its subscription.
#[derive(Debug)]
pub struct Logs {
    /// The pane.
    pub pane: Pane,
    /// The number of the last subscription: records of others come too late.
    number: u64,
    /// When it was made.
    asked: Option<Timestamp>,
    /// It has ended although the stack has not.
    ended: bool,
}

impl Logs {
    /// Shows nothing yet.
    pub fn new(stack: &str) -> Self {
        Self { pane: Pane::new(PaneConfig::new(stack)), number: 0, asked: None, ended: false }
    }
}

impl App {
    /// Whether keys that mean nothing elsewhere are for the pane.
    pub fn in_logs(&self) -> bool {
        self.focus == Focus::Below && self.shows_logs()
    }

    /// Whether the pane is below the table.
    pub const fn shows_logs(&self) -> bool {
        matches!(self.view, View::Logs) && self.stopping.is_none()
    }

    /// A key for the pane.
    pub(super) fn logs_key(&mut self, event: &KeyEvent) -> Vec<Effect> {
        self.logs_input(PaneInput::Key(*event))
    }

    /// The mouse, in the pane or dragged out of it.
    pub(super) fn logs_mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        if self.shows_logs() { self.logs_input(PaneInput::Mouse(event)) } else { Vec::new() }
    }

    /// Something for the pane.
    pub(super) fn logs_input(&mut self, input: PaneInput) -> Vec<Effect> {
        let effects = self.logs.pane.update(input);
        effects.into_iter().filter_map(|effect| self.of_pane(effect)).collect()
    }

    fn of_pane(&mut self, effect: PaneEffect) -> Option<Effect> {
        match effect {
            PaneEffect::Subscribe(query) => {
                self.logs.number += 1;
                Some(Effect::Follow(self.logs.number, Box::new(query)))
            }
            PaneEffect::Copy(text) => Some(Effect::Copy(text)),
            PaneEffect::Save { path, text, replace } => Some(Effect::Save { path, text, replace }),
            PaneEffect::Notice(text) => {
                self.say(Role::Plain, text);
                None
            }
        }
    }

    /// News of a subscription.
    pub(super) fn logs_news(&mut self, number: u64, news: LogsNews) -> Vec<Effect> {
        if number != self.logs.number {
            return Vec::new();
        }
        match news {
            LogsNews::Records(records) => self.logs_input(PaneInput::Records(records)),
            LogsNews::Ended(why) => {
                self.logs.ended = true;
                if let Some(why) = why {
                    self.say(Role::Busy, format!("no more log lines: {why}"));
                }
                Vec::new()
            }
        }
    }

    fn wanted(&self) -> Selection {
        match self.table.selected() {
            Row::All => Selection::All,
            Row::Service(name) => Selection::Service(name.clone()),
            Row::Replica(name, replica) => Selection::Replica(name.clone(), *replica),
        }
    }

    fn is_behind(&self) -> bool {
        self.logs.asked.is_none() || self.logs.ended || *self.logs.pane.selection() != self.wanted()
    }

    /// Asks for the lines of the selected row, if they are not shown already and it is time.
    pub(super) fn follow_selection(&mut self) -> Vec<Effect> {
        let every = if self.logs.ended { AGAIN } else { CALM };
        let known = self.model.status.is_some();
        if !known || !self.is_behind() || !is_due(self.logs.asked, every, self.model.now) {
            return Vec::new();
        }
        self.logs.asked = Some(self.model.now);
        self.logs.ended = false;
        let wanted = self.wanted();
        self.logs_input(PaneInput::Select(wanted))
    }

    /// When the pane needs the time, at the latest.
    pub fn wake(&self) -> Option<std::time::Duration> {
        let behind = self.model.status.is_some() && self.is_behind() && !self.logs.ended;
        let soon = behind.then(|| std::time::Duration::from_micros(CALM));
        let pane = if self.shows_logs() { self.logs.pane.wake() } else { None };
        soon.into_iter().chain(pane).min()
    }
}

/// What comes of a subscription.
#[derive(Debug)]
pub enum LogsNews {
    /// Records.
    Records(Vec<orco_api::wire::LogRecord>),
    /// There are no more, for this reason.
    Ended(Option<String>),
}
