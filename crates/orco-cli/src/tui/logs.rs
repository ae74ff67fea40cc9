//! The log pane within the whole: which keys are for it, and what becomes of its wishes.

use std::time::Duration;

use orco_api::wire::{LogRecord, Timestamp};
use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::{
    app::{App, Focus, View, is_due},
    keys::{self, Context, Key},
    news::{Effect, Saved},
    pane::{PaneEffect, PaneInput, Selection},
    table::Row,
    theme::Role,
};

/// From one stream to the next while the selection moves, in microseconds.
const CALM: u64 = 150_000;
/// The same after a stream has ended by itself.
const AGAIN: u64 = 1_000_000;

impl App {
    /// Whether the pane is seen.
    pub(super) const fn shows_logs(&self) -> bool {
        matches!(self.view, View::Logs) && self.stopping.is_none()
    }

    /// Whether the pane gets the keys.
    pub(super) fn in_logs(&self) -> bool {
        self.shows_logs() && self.focus == Focus::Below && self.dialog.is_none()
    }

    /// Whether this key is for the pane before it is for anybody else.
    pub(super) fn is_for_logs(&self, key: Key) -> bool {
        let back = keys::action(Context::Logs, key) == Some(keys::Action::Back);
        self.in_logs() && (self.pane.is_typing() || back && self.pane.takes_back())
    }

    /// When the pane needs the time, if at all.
    pub fn wake(&self) -> Option<Duration> {
        let behind = (self.is_behind() && !self.logs_over).then(|| Duration::from_micros(CALM));
        let pane = if self.shows_logs() { self.pane.wake() } else { None };
        behind.into_iter().chain(pane).min()
    }

    pub(super) fn logs_key(&mut self, event: KeyEvent) -> Vec<Effect> {
        self.tell_logs(PaneInput::Key(event))
    }

    pub(super) fn logs_action(&mut self, action: keys::Action) -> Vec<Effect> {
        let wishes = self.pane.act(action);
        self.carry(wishes)
    }

    pub(super) fn logs_mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        if self.shows_logs() { self.tell_logs(PaneInput::Mouse(event)) } else { Vec::new() }
    }

    fn wanted(&self) -> Selection {
        match self.table.selected().clone() {
            Row::All => Selection::All,
            Row::Service(name) => Selection::Service(name),
            Row::Replica(name, replica) => Selection::Replica(name, replica),
        }
    }

    /// Whether other lines are wanted than those that are followed.
    fn is_behind(&self) -> bool {
        self.model.status.is_some() && (self.logs_over || *self.pane.selection() != self.wanted())
    }

    /// Follows the lines of the selected row, unless that is done already. Who walks through the rows does not ask for
    /// the lines of each.
    pub(super) fn follow_selected(&mut self) -> Vec<Effect> {
        let every = if self.logs_over { AGAIN } else { CALM };
        if !self.is_behind() || !is_due(self.followed, every, self.model.now) {
            return Vec::new();
        }
        self.followed = Some(self.model.now);
        self.logs_over = false;
        let wanted = self.wanted();
        self.tell_logs(PaneInput::Select(wanted))
    }

    pub(super) fn take_records(&mut self, number: u64, records: Vec<LogRecord>) -> Vec<Effect> {
        // Those of an earlier stream would come twice.
        if number == self.follows { self.tell_logs(PaneInput::Records(records)) } else { Vec::new() }
    }

    /// The stream is over. It is opened anew as soon as somebody answers again.
    pub(super) fn logs_ended(&mut self, number: u64, why: Option<String>) {
        if number != self.follows {
            return;
        }
        self.logs_over = true;
        if let Some(why) = why {
            self.say(Role::Bad, format!("no more log lines: {why}"));
        }
    }

    pub(super) fn logs_tick(&mut self, now: Timestamp) -> Vec<Effect> {
        self.tell_logs(PaneInput::Tick(now))
    }

    pub(super) fn logs_paste(&mut self, text: String) -> Vec<Effect> {
        self.tell_logs(PaneInput::Paste(text))
    }

    pub(super) fn saved(&mut self, saved: Saved) -> Vec<Effect> {
        self.tell_logs(PaneInput::Saved(saved))
    }

    pub(super) fn tell_logs(&mut self, input: PaneInput) -> Vec<Effect> {
        let wishes = self.pane.update(input);
        self.carry(wishes)
    }

    fn carry(&mut self, wishes: Vec<PaneEffect>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for wish in wishes {
            match wish {
                PaneEffect::Subscribe(query) => {
                    self.follows += 1;
                    effects.push(Effect::Follow(self.follows, Box::new(query)));
                }
                PaneEffect::Copy(text) => effects.push(Effect::Copy(text)),
                PaneEffect::Save { path, text, replace } => effects.push(Effect::Save { path, text, replace }),
                PaneEffect::Notice(text) => self.say(Role::Plain, text),
            }
        }
        effects
    }
}
