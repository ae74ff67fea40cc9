//! The bar at the bottom: a question, what is typed, a note, or what keys there are.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    app::{App, Focus, Home},
    canvas,
    dialog::Dialog,
    theme::{Role, Theme},
};

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let (x, y) = (area.x, area.y);
    match (&app.dialog, &app.note) {
        (Some(Dialog::Confirm { text, .. }), _) => {
            // The answer's keys stay in sight, whatever the question is.
            let room = usize::from(area.width).saturating_sub(7);
            let x = canvas::put(buf, area, x, y, &canvas::fit(text, room), theme.style(Role::Busy));
            canvas::put(buf, area, x, y, " (y/n)", theme.style(Role::Strong));
        }
        (Some(Dialog::Input { purpose, text }), _) => {
            let x = canvas::put(buf, area, x, y, &purpose.label(), theme.style(Role::Accent));
            // What was typed last is seen.
            let room = usize::from(area.right().saturating_sub(x)).saturating_sub(1);
            let skip = text.chars().count().saturating_sub(room);
            let shown: String = text.chars().skip(skip).collect();
            let x = canvas::put(buf, area, x, y, &shown, theme.style(Role::Plain));
            canvas::put(buf, area, x, y, "▏", theme.style(Role::Accent));
        }
        (None, Some(note)) => {
            canvas::put(buf, area, x, y, &note.text, theme.style(note.role));
        }
        (None, None) => keys(app, area, buf, theme),
    }
}

const LOGS: [(&str, &str); 4] = [("/", "search"), ("l", "level"), ("t", "times"), ("End", "follow")];

fn keys(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let quit = if app.home == Home::Here { "quit+stop" } else { "quit" };
    let table = [("s", "start"), ("S", "stop"), ("r", "restart"), ("n", "scale"), ("K", "signal"), ("/", "filter")];
    if app.stopping.is_some() {
        let x = canvas::put(buf, area, area.x, area.y, " Ctrl-C", theme.style(Role::Accent));
        canvas::put(buf, area, x, area.y, " kill what is left", theme.style(Role::Faint));
        return;
    }
    let first: &[(&str, &str)] = match app.focus {
        Focus::Table if app.read_only => &table[5..],
        Focus::Table => &table,
        Focus::Below if app.shows_logs() => &LOGS,
        Focus::Below => &[],
    };
    let mut x = area.x;
    for (key, what) in first.iter().copied().chain([("Tab", "other part"), ("z", "zoom"), ("d", "detach"), ("q", quit)])
    {
        let wide = canvas::width(key) + canvas::width(what) + 3;
        if usize::from(area.right().saturating_sub(x)) < wide {
            break;
        }
        x = canvas::put(buf, area, x, area.y, &format!(" {key}"), theme.style(Role::Accent));
        x = canvas::put(buf, area, x, area.y, &format!(" {what}"), theme.style(Role::Faint));
    }
}
