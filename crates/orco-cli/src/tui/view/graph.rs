//! The dependency graph: a row for each service, by layer, and beside the rows a line from each to what needs it.

use orco_api::wire::Graph;
use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    render::{GraphRow, graph_rows},
    tui::{
        app::{App, Focus},
        canvas,
        flow::{self, Line},
        graph::{Rails, place},
        theme::{Role, Theme, of_state, shape},
    },
};

/// Names take at most so many columns.
const NAME: usize = 40;
/// Layer and shape before a name, and the gap behind it.
const FRONT: usize = 7;
/// The word for a state, and the gap before it.
const STATE: usize = 11;

/// Rows of an area that are for services; the last one is for words about the selected one.
pub const fn rows(height: u16) -> u16 {
    if height >= 4 { height - 1 } else { height }
}

/// How many columns there are that so wide an area cannot show at once. Names stay in sight.
pub fn beyond(graph: &Graph, width: u16) -> usize {
    let rows = graph_rows(graph);
    let needed = rows.iter().map(|row| canvas::width(&row.needed())).max().unwrap_or(0);
    let rest = Rails::new(&rows).width() + STATE + 2 + needed;
    rest.saturating_sub(usize::from(width).saturating_sub(FRONT + name_width(&rows, width)))
}

/// Names take at most half of the area.
fn name_width(rows: &[GraphRow<'_>], width: u16) -> usize {
    let widest = rows.iter().map(|row| canvas::width(&row.node.name)).max().unwrap_or(0);
    widest.min(NAME).min((usize::from(width) / 2).saturating_sub(FRONT))
}

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let graph = match &app.model.graph {
        Some(Ok(graph)) => graph,
        Some(Err(why)) => {
            canvas::put(buf, area, area.x, area.y, why, theme.style(Role::Bad));
            return;
        }
        None => {
            canvas::put(buf, area, area.x, area.y, "asking for the graph…", theme.style(Role::Faint));
            return;
        }
    };
    let all = graph_rows(graph);
    let (rails, width) = (Rails::new(&all), name_width(&all, area.width));
    let (front, rest) = halves(area, width);
    let chosen = place(&all, app.views.graph.selected()).unwrap_or(usize::MAX);
    let (top, left) = app.views.graph.window();
    let height = usize::from(rows(area.height));
    for ((at, row), y) in all.iter().enumerate().skip(top).take(height).zip(area.y..) {
        let (name, edges) = line(app, &all, (at, row), &rails, width, chosen);
        flow::draw(&name, 0, front, y, buf, theme);
        flow::draw(&edges, left, rest, y, buf, theme);
        if at == chosen {
            let role = if app.focus == Focus::Below { Role::Selected } else { Role::Marked };
            canvas::paint_row(buf, area, y, theme.style(role));
        }
    }
    if rows(area.height) < area.height
        && let Some(row) = all.get(chosen)
    {
        flow::draw(&about(app, &all, row), 0, area, area.bottom() - 1, buf, theme);
    }
}

/// Where the names are, and where all the rest is.
fn halves(area: Rect, width: usize) -> (Rect, Rect) {
    let front = u16::try_from(FRONT + width).unwrap_or(area.width).min(area.width);
    (Rect { width: front, ..area }, Rect { x: area.x + front, width: area.width - front, ..area })
}

/// The name, and what stands beside it.
fn line(
    app: &App,
    all: &[GraphRow<'_>],
    (at, row): (usize, &GraphRow<'_>),
    rails: &Rails,
    width: usize,
    chosen: usize,
) -> (Line, Line) {
    let node = row.node;
    let layer = if row.first { node.layer.to_string() } else { String::new() };
    let service = app.model.service(&node.name);
    let state = service.map(|service| service.state).or(node.state);
    let role = state.map_or(Role::Faint, of_state);
    let near = all.get(chosen).is_some_and(|other| {
        let needs = |a: &GraphRow<'_>, b: &GraphRow<'_>| a.needs.iter().any(|edge| edge.to == b.node.name);
        needs(other, row) || needs(row, other)
    });
    let name = canvas::fit(&node.name, width);
    let pad = " ".repeat(width.saturating_sub(canvas::width(&name)) + 1);
    let front = vec![
        (Role::Faint, format!("{layer:>3} ")),
        (role, format!("{} ", state.map_or(" ", shape))),
        (if near || at == chosen { Role::Accent } else { Role::Strong }, name.into_owned()),
        (Role::Plain, pad),
    ];
    let mut line = Line::new();
    for (c, hot) in rails.cells(at, chosen) {
        line.push((if hot { Role::Accent } else { Role::Border }, c.to_string()));
    }
    let word = state.map_or("", |state| state.as_str());
    line.push((role, format!("  {word:9}")));
    line.push((Role::Faint, format!("  {}", row.needed())));
    (front, line)
}

/// What there is to say of the selected service, and with whom it is connected.
fn about(app: &App, all: &[GraphRow<'_>], row: &GraphRow<'_>) -> Line {
    let mut line = vec![(Role::Strong, format!(" {}", row.node.name))];
    match app.model.service(&row.node.name) {
        Some(service) if !service.message.is_empty() => {
            line.push((of_state(service.state), format!(": {}", service.message)));
        }
        Some(service) if service.ready => line.push((Role::Good, ": ready".to_owned())),
        _ => {}
    }
    let names = |names: Vec<&str>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let needs = row.needs.iter().map(|edge| edge.to.as_str()).collect();
    let needed = |other: &&GraphRow<'_>| other.needs.iter().any(|edge| edge.to == row.node.name);
    let needed = all.iter().filter(needed).map(|other| other.node.name.as_str()).collect();
    line.push((Role::Faint, format!("; needs {}; needed by {}", names(needs), names(needed))));
    line
}
