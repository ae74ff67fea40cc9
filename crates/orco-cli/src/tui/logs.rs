//! The log pane within the whole: which keys are for it, and what becomes of its wishes.

use std::time::Duration;

use orco_api::wire::{LogRecord, Timestamp};
use ratatui::crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};

use super::{
    app::{App, Focus, View},
    keys::{self, Context, Key},
    news::{Effect, Saved},
    pane::{PaneEffect, PaneInput, Selection},
    table::Row,
    theme::Role,
};

impl App {
    /// Whether the pane is seen.
    const fn shows_logs(&self) -> bool {
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
        if self.shows_logs() { self.pane.wake() } else { None }
    }

    pub(super) fn logs_key(&mut self, event: KeyEvent) -> Vec<Effect> {
        self.to_logs(PaneInput::Key(event))
    }

    pub(super) fn logs_action(&mut self, action: keys::Action) -> Vec<Effect> {
        let wishes = self.pane.act(action);
        self.carry(wishes)
    }

    /// The mouse, if it is the pane's: where it is, or where the button was pressed.
    pub(super) fn logs_mouse(&mut self, event: MouseEvent) -> Option<Vec<Effect>> {
        let within = self.parts().below.contains((event.column, event.row).into());
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.dragging = within && self.shows_logs();
                if within {
                    self.focus = Focus::Below;
                }
            }
            MouseEventKind::Drag(MouseButton::Left) if self.dragging => {}
            MouseEventKind::Up(MouseButton::Left) => self.dragging = false,
            _ => {}
        }
        (self.shows_logs() && (within || self.dragging)).then(|| self.to_logs(PaneInput::Mouse(event)))
    }

    /// Follows the lines of what is selected.
    pub(super) fn follow_selected(&mut self) -> Vec<Effect> {
        self.logs_over = false;
        let selection = match self.table.selected().clone() {
            Row::All => Selection::All,
            Row::Service(name) => Selection::Service(name),
            Row::Replica(name, replica) => Selection::Replica(name, replica),
        };
        self.to_logs(PaneInput::Select(selection))
    }

    pub(super) fn take_records(&mut self, number: u64, records: Vec<LogRecord>) -> Vec<Effect> {
        // Those of an earlier stream would come twice.
        if number == self.follows { self.to_logs(PaneInput::Records(records)) } else { Vec::new() }
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
        self.to_logs(PaneInput::Tick(now))
    }

    pub(super) fn logs_paste(&mut self, text: String) -> Vec<Effect> {
        self.to_logs(PaneInput::Paste(text))
    }

    pub(super) fn saved(&mut self, saved: Saved) -> Vec<Effect> {
        self.to_logs(PaneInput::Saved(saved))
    }

    fn to_logs(&mut self, input: PaneInput) -> Vec<Effect> {
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
