//! What the mouse does.

use ratatui::{
    crossterm::event::{MouseButton, MouseEvent, MouseEventKind},
    layout::Position,
};

use super::{
    app::{App, Focus, Held},
    news::Effect,
    view,
};

/// Rows for one notch of the wheel.
const NOTCH: isize = 3;

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        let parts = self.parts();
        let at = Position::new(event.column, event.row);
        if self.views.help.is_some() || self.views.palette.is_some() {
            self.scroll_help(event.kind);
            return Vec::new();
        }
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.held = self.click(at),
            MouseEventKind::Up(MouseButton::Left) => {
                let held = self.held.take();
                return if held == Some(Held::Logs) { self.logs_mouse(event) } else { Vec::new() };
            }
            MouseEventKind::Drag(MouseButton::Left) if self.held == Some(Held::Divider) => {
                self.split = Some(at.y.saturating_sub(parts.table.y));
                return Vec::new();
            }
            MouseEventKind::ScrollUp if parts.table.contains(at) => self.table.step(-NOTCH),
            MouseEventKind::ScrollDown if parts.table.contains(at) => self.table.step(NOTCH),
            MouseEventKind::ScrollUp if parts.below.contains(at) && !self.shows_logs() => self.wheel_below(at, -NOTCH),
            MouseEventKind::ScrollDown if parts.below.contains(at) && !self.shows_logs() => self.wheel_below(at, NOTCH),
            _ => {}
        }
        let pane = parts.below.contains(at) || self.held == Some(Held::Logs);
        if pane { self.logs_mouse(event) } else { Vec::new() }
    }

    fn scroll_help(&mut self, kind: MouseEventKind) {
        let by = match kind {
            MouseEventKind::ScrollUp => -NOTCH,
            MouseEventKind::ScrollDown => NOTCH,
            _ => 0,
        };
        self.views.help = self.views.help.map(|at| at.saturating_add_signed(by));
    }

    /// What is held on to until the button is up.
    fn click(&mut self, at: Position) -> Option<Held> {
        let parts = self.parts();
        if parts.table.contains(at) {
            self.focus = Focus::Table;
            self.click_table(at);
            None
        } else if parts.divider.contains(at) || parts.strip.contains(at) {
            (parts.table.height > 0).then_some(Held::Divider)
        } else if parts.below.contains(at) {
            self.focus = Focus::Below;
            self.click_below(at);
            self.shows_logs().then_some(Held::Logs)
        } else {
            None
        }
    }

    fn click_table(&mut self, at: Position) {
        let area = self.parts().table;
        let Some(line) = usize::from(at.y - area.y).checked_sub(1) else {
            if let Some(column) = view::table::column_at(self, area, at.x) {
                self.table.sort_by(column, &self.model);
            }
            return;
        };
        let row = self.table.offset() + line;
        if row >= self.table.rows().len() {
            return;
        }
        // A click on what is selected opens it.
        if row == self.table.at() {
            self.toggle();
        } else {
            self.table.select(row);
        }
    }
}
