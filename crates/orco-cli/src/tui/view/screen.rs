//! The whole screen.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{events, foot, graph, head, help, palette, stopping, strip, table, why};
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
    if !app.shows_logs() {
        divider(app, parts.divider, buf, theme);
    }
    match (app.stopping, app.view) {
        (Some(total), _) => stopping::draw(app, total, parts.below, buf, theme),
        // The line above is the pane's own.
        (None, View::Logs) => {
            let focused = app.focus == Focus::Below;
            app.pane.draw(parts.divider.union(parts.below), buf, theme, focused);
        }
        (None, View::Graph) => graph::draw(app, parts.below, buf, theme),
        (None, View::Events) => events::draw(app, parts.below, buf, theme),
        (None, View::Why) => why::draw(app, parts.below, buf, theme),
    }
    if let Some(from) = app.views.help {
        help::draw(app, from, app.between(), buf, theme);
    }
    if let Some(open) = app.views.palette.as_ref().filter(|_| app.dialog.is_none()) {
        palette::draw(app, open, app.between(), buf, theme);
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
        (Some(_), _) => " Stopping ".to_owned(),
        (None, View::Logs) => " Logs ".to_owned(),
        (None, View::Graph) => " Graph ".to_owned(),
        (None, View::Events) => {
            let whose = app.table.selected().service().filter(|_| !app.views.events.is_of_everybody());
            let how = if app.views.events.follows() { "following" } else { "paused" };
            format!(" Events of {}, {how} ", whose.unwrap_or("all"))
        }
        (None, View::Why) => match app.table.selected().service() {
            Some(service) => format!(" Why {service} "),
            None => " What is not ready ".to_owned(),
        },
    };
    canvas::put(buf, area, area.x + 1, area.y, &title, theme.style(Role::Strong));
}
