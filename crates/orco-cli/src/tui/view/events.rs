//! The list of events, and all of the one that is open.

use orco_api::wire::Event;
use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    render::{event_clock, event_ink, event_subject, event_words},
    tui::{
        app::{App, Focus},
        canvas, events,
        flow::{self, Line},
        theme::{Role, Theme},
    },
};

/// From this width on, what is told stands below each other.
const WIDE: u16 = 64;
/// The longest usual name of a kind.
const KIND: usize = 18;
/// Names take at most so many columns.
const SUBJECT: usize = 24;

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let view = &app.views.events;
    let listed = view.listed(&app.model, app.table.selected().service());
    if listed.is_empty() {
        let text = if app.model.events.is_empty() { "no events yet" } else { "no events of this service; f shows all" };
        canvas::put(buf, area, area.x, area.y, text, theme.style(Role::Faint));
        return;
    }
    let (list, rest) = events::split(area.height, view.is_open());
    let first = view.first(&listed, list.into());
    let at = view.place(&listed);
    let seen = &listed[first..listed.len().min(first + usize::from(list))];
    let subject = seen.iter().map(|event| canvas::width(&event_subject(event))).max().unwrap_or(0).min(SUBJECT);
    for ((event, place), y) in seen.iter().zip(first..).zip(area.y..) {
        flow::draw(&line(app, event, area.width, subject), 0, area, y, buf, theme);
        if place == at {
            let role = if app.focus == Focus::Below { Role::Selected } else { Role::Marked };
            canvas::paint_row(buf, area, y, theme.style(role));
        }
    }
    let rest = Rect { y: area.y + list, height: rest, ..area };
    if let Some(event) = listed.get(at).filter(|_| !rest.is_empty()) {
        draw_open(event, view.scrolled(event), rest, buf, theme);
    }
}

/// All of an event, from this line on, below a rule that says which it is.
fn draw_open(event: &Event, from: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let title = format!("─ {} {} {} ({}) ", event.kind, event_subject(event), event.ts, event.seq);
    let rule = "─".repeat(usize::from(area.width).saturating_sub(canvas::width(&title)));
    flow::draw(&[(Role::Border, format!("{title}{rule}"))], 0, area, area.y, buf, theme);
    let lines = details(event, area.width);
    let from = from.min(beyond(lines.len(), area.height));
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    for (line, y) in lines.iter().skip(from).zip(rows.top()..rows.bottom()) {
        flow::draw(line, 0, rows, y, buf, theme);
    }
    let seen = lines.len().min(from + usize::from(rows.height));
    if seen - from < lines.len() {
        let place = format!(" {}-{seen} of {} ", from + 1, lines.len());
        if canvas::width(&place) + 2 < usize::from(area.width) {
            canvas::put_right(buf, area, area.right() - 1, area.y, &place, theme.style(Role::Accent));
        }
    }
}

/// How many lines of so many have no room below the rule.
fn beyond(lines: usize, height: u16) -> usize {
    lines.saturating_sub(usize::from(height.saturating_sub(1)))
}

/// How many lines of the open event can be above those that are seen, in a part of this size.
pub fn hidden(event: &Event, width: u16, height: u16) -> usize {
    beyond(details(event, width).len(), height)
}

fn line(app: &App, event: &Event, width: u16, subject: usize) -> Line {
    let clock = event_clock(event);
    let who = event_subject(event);
    let label = app.model.status.as_ref().zip(event.service.as_ref());
    let label = label.and_then(|(status, name)| status.services.get_index_of(name)).map_or(Role::Plain, Role::Label);
    let kind = Role::from(event_ink(event));
    let words = event_words(event);
    let said = if kind == Role::Bad { Role::Bad } else { Role::Plain };
    if width < WIDE {
        let short = clock.get(..8).unwrap_or(&clock).to_owned();
        return vec![
            (Role::Faint, format!("{short} ")),
            (label, format!("{who} ")),
            (kind, event.kind.clone()),
            (said, format!(" {words}")),
        ];
    }
    let pad = |text: &str, columns: usize| {
        let text = canvas::fit(text, columns);
        format!("{text}{:gap$}", "", gap = columns - canvas::width(&text))
    };
    vec![
        (Role::Faint, format!("{clock}  ")),
        (label, format!("{}  ", pad(&who, subject))),
        (kind, format!("{}  ", pad(&event.kind, KIND))),
        (said, words),
    ]
}

/// Longer details stand on lines of their own.
const SHORT: usize = 60;
/// More lines are not laid out, whatever an event brings along.
const MOST: usize = 1_000;

/// All that is known of an event, in lines of at most so many columns.
fn details(event: &Event, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    let data = (!event.data.is_null()).then(|| event.data.to_string());
    let data = data.map(|short| match short.len() {
        0..=SHORT => short,
        _ => serde_json::to_string_pretty(&event.data).unwrap_or(short),
    });
    for (name, value) in [
        ("message", Some(event.message.clone())),
        ("reason", event.reason.clone()),
        ("attempt", event.attempt.map(|number| number.to_string())),
        ("data", data),
    ] {
        for (at, part) in value.iter().flat_map(|value| value.split('\n')).enumerate() {
            if lines.len() >= MOST {
                lines.push(vec![(Role::Faint, "… `orco events` has all of it".to_owned())]);
                return lines;
            }
            let name = if at == 0 { name } else { "" };
            let line = [(Role::Faint, format!("{name:>7}  ")), (Role::Plain, part.to_owned())];
            lines.extend(flow::wrap(&line, width.into()));
        }
    }
    lines
}
