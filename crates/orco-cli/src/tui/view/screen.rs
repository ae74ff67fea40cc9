//! The whole screen.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{foot, head, stopping, strip, table};
use crate::tui::{
    app::{App, Focus, View},
    canvas,
    theme::{Role, Theme},
};

/// Draws everything.
pub fn draw(app: &mut App, buf: &mut Buffer, theme: &Theme) {
    let parts = app.parts();
    head::draw(app, parts.head, buf, theme);
    table::draw(app, parts.table, buf, theme);
    strip::draw(app, parts.strip, buf, theme);
    if app.stopping.is_some() {
        divider(app, parts.divider, buf, theme);
    }
    match (app.stopping, app.view) {
        (Some(total), _) => stopping::draw(app, total, parts.below, buf, theme),
        // The line above is the pane's own.
        (None, View::Logs) => {
            let focused = app.focus == Focus::Below;
            app.pane.draw(parts.divider.union(parts.below), buf, theme, focused);
        }
    }
    foot::draw(app, parts.foot, buf, theme);
}

/// The line above the part below says what it is.
fn divider(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let line = if app.focus == Focus::Below { Role::Focus } else { Role::Border };
    let rule = "─".repeat(usize::from(area.width));
    canvas::put(buf, area, area.x, area.y, &rule, theme.style(line));
    let title = match (app.stopping, app.view) {
        (Some(_), _) => " Stopping ",
        (None, View::Logs) => " Logs ",
    };
    canvas::put(buf, area, area.x + 1, area.y, title, theme.style(Role::Strong));
}
