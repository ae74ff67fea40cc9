//! The bar at the top: which stack, how it is, whether that is still so.

use orco_api::wire::{Mode, State};
use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    app::App,
    canvas,
    model::Connection,
    theme::{Role, Theme, of_state, shape},
};

/// The states, worst first.
const STATES: [State; 7] =
    [State::Failed, State::Pending, State::Starting, State::Stopping, State::Running, State::Completed, State::Stopped];

/// How many services are in each state that any is in, worst first.
pub fn counts(app: &App) -> Vec<(State, usize)> {
    let count = |state: State| app.model.services().filter(|service| service.state == state).count();
    STATES.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
}

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let y = area.y;
    let mut x = canvas::put(buf, area, area.x, y, " ", theme.style(Role::Plain));
    let name = match app.model.stack() {
        "" => "orco",
        name => name,
    };
    x = canvas::put(buf, area, x, y, name, theme.style(Role::Strong));
    let mode = match app.model.status.as_ref().map(|status| status.mode) {
        Some(Mode::Foreground) => " foreground",
        Some(Mode::Embedded) => " embedded",
        Some(Mode::Detached) => " detached",
        _ => "",
    };
    x = canvas::put(buf, area, x, y, mode, theme.style(Role::Faint));
    if app.read_only {
        x = canvas::put(buf, area, x, y, " read-only", theme.style(Role::Busy));
    }
    match &app.model.connection {
        Connection::Opening => {
            x = canvas::put(buf, area, x, y, " connecting…", theme.style(Role::Busy));
        }
        Connection::Live => {}
        Connection::Silent => {
            x = canvas::put(buf, area, x, y, " STALE: the engine does not answer", theme.style(Role::Bad));
        }
        // It must not be cut away by what comes behind it.
        Connection::Stale(why) => {
            x = canvas::put(buf, area, x, y, " STALE, trying again: ", theme.style(Role::Bad));
            x = canvas::put(buf, area, x, y, why, theme.style(Role::Bad));
        }
    }
    let filter = app.table.filter();
    if !filter.is_empty() {
        x = canvas::put(buf, area, x, y, "  /", theme.style(Role::Accent));
        x = canvas::put(buf, area, x, y, filter, theme.style(Role::Accent));
    }
    for (state, count) in counts(app) {
        let text = format!("  {} {count} {}", shape(state), state.as_str());
        // Whole or not at all: half a number is another.
        if usize::from(area.right() - x.min(area.right())) < canvas::width(&text) {
            break;
        }
        x = canvas::put(buf, area, x, y, &text, theme.style(of_state(state)));
    }
    canvas::paint_row(buf, area, y, theme.style(Role::Bar));
}
