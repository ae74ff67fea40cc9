//! The bar at the bottom: a question, what is typed, a note, or what keys there are.

use ratatui::{buffer::Buffer, layout::Rect};

use super::palette;
use crate::tui::{
    app::{App, Focus, Home, View},
    canvas,
    dialog::Dialog,
    flow::{self, Line},
    theme::{Role, Theme},
};

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let (x, y) = (area.x, area.y);
    if let (None, Some(open)) = (&app.dialog, &app.views.palette) {
        palette::line(open, area, buf, theme);
        return;
    }
    match (&app.dialog, &app.note) {
        (Some(Dialog::Confirm { text, .. }), _) => {
            // The answer's keys stay in sight, whatever the question is.
            let room = usize::from(area.width).saturating_sub(7);
            let x = canvas::put(buf, area, x, y, &canvas::fit(text, room), theme.style(Role::Busy));
            canvas::put(buf, area, x, y, " (y/n)", theme.style(Role::Strong));
        }
        (Some(Dialog::Input { purpose, text, offered }), _) => {
            let x = canvas::put(buf, area, x, y, &purpose.label(), theme.style(Role::Accent));
            let room = usize::from(area.right().saturating_sub(x)).saturating_sub(1);
            let role = if *offered { Role::Selected } else { Role::Plain };
            let x = canvas::put(buf, area, x, y, canvas::tail(text, room), theme.style(role));
            canvas::put(buf, area, x, y, "▏", theme.style(Role::Accent));
        }
        (None, Some(note)) => {
            let lines = flow::wrap(&[(note.role, note.text.clone())], area.width.into());
            tell(&lines, app.between(), area, buf, theme);
        }
        (None, None) => keys(app, area, buf, theme),
    }
}

/// Lines in the bar, and above it what has no room there: an answer that is cut is none.
fn tell(lines: &[Line], between: Rect, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let most = usize::from(between.height / 2 + 1).min(lines.len());
    let above = u16::try_from(most.saturating_sub(1)).unwrap_or_default();
    let area = Rect { y: area.y - above, height: 1 + above, ..area };
    flow::clear(buf, area);
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        flow::draw(line, 0, area, y, buf, theme);
    }
    if lines.len() > most {
        canvas::put_right(buf, area, area.right(), area.bottom() - 1, " …", theme.style(Role::Strong));
    }
}

/// A key, what it does, and how early it goes where there is no room for all: the highest number first.
type Hint = (&'static str, &'static str, u8);

const TABLE: [Hint; 6] = [
    ("s", "start", 7),
    ("S", "stop", 6),
    ("r", "restart", 5),
    ("n", "scale", 8),
    ("K", "signal", 9),
    ("/", "filter", 4),
];
const VIEWS: [Hint; 3] = [("g", "graph", 3), ("e", "events", 3), ("w", "why", 2)];
const LOGS: [Hint; 9] = [
    ("/", "search", 2),
    ("n", "next", 7),
    ("l", "level", 3),
    ("W", "wrap", 6),
    ("t", "times", 5),
    ("v", "choose", 8),
    ("y", "copy", 6),
    (">", "save", 6),
    ("End", "follow", 3),
];

/// The keys of the part that has them, then those of everywhere.
fn hints(app: &App) -> Vec<Hint> {
    if app.views.help.is_some() {
        return vec![("Esc", "close the help", 0), ("↑ ↓", "scroll", 1)];
    }
    let mut hints = Vec::new();
    match app.focus {
        Focus::Table => {
            hints.extend(TABLE.iter().filter(|hint| !app.read_only || hint.0 == "/"));
            hints.extend(VIEWS);
            hints.push(("Tab", if app.shows_logs() { "logs" } else { "view" }, 4));
        }
        Focus::Below => {
            match app.view {
                View::Logs => hints.extend(LOGS),
                View::Why => hints.extend([("↑ ↓", "scroll", 2), ("w", "back to the logs", 3)]),
                View::Graph => {
                    hints.extend([("← →", "along edges", 2), ("Enter", "go to it", 2), ("g", "back to the logs", 3)]);
                }
                View::Events => {
                    hints.extend([("Enter", "details", 2), ("f", "one or all", 2), ("e", "back to the logs", 3)]);
                }
            }
            hints.extend([("z", "zoom", 5), ("Tab", "table", 1)]);
        }
    }
    hints.extend([
        (":", "command", 6),
        ("?", "help", 0),
        ("q", if app.home == Home::Here { "stop+quit" } else { "quit" }, 0),
    ]);
    hints
}

fn keys(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let hints = if app.stopping.is_some() { vec![("Ctrl-C", "kill what is left", 0)] } else { hints(app) };
    let mut x = area.x;
    for (key, what, _) in fitting(hints, usize::from(area.width)) {
        x = canvas::put(buf, area, x, area.y, &format!(" {key}"), theme.style(Role::Accent));
        x = canvas::put(buf, area, x, area.y, &format!(" {what}"), theme.style(Role::Faint));
    }
}

/// Those that there is room for.
fn fitting(mut hints: Vec<Hint>, width: usize) -> Vec<Hint> {
    let wide = |(key, what, _): &Hint| canvas::width(key) + canvas::width(what) + 2;
    while hints.iter().map(wide).sum::<usize>() > width {
        let Some(rank) = hints.iter().map(|hint| hint.2).max() else { break };
        let Some(last) = hints.iter().rposition(|hint| hint.2 == rank) else { break };
        hints.remove(last);
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_stays_where_there_is_little_room() {
        let all: Vec<Hint> = TABLE.into_iter().chain(VIEWS).chain([("?", "help", 0), ("q", "quit", 0)]).collect();
        let told = |width| fitting(all.clone(), width).iter().map(|hint| hint.0).collect::<String>();
        assert_eq!(told(200), "sSrnK/gew?q");
        assert_eq!(told(60), "r/gew?q");
        assert_eq!(told(21), "w?q");
        assert_eq!(told(14), "?q");
        assert_eq!(told(3), "");
    }
}
