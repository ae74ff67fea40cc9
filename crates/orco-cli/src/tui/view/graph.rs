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

/// Rows of an area that are for services; the last one is for words about the selected one.
pub const fn rows(height: u16) -> u16 {
    if height >= 4 { height - 1 } else { height }
}

/// The columns of all of it.
pub fn widest(graph: &Graph) -> usize {
    let rows = graph_rows(graph);
    let rest = rows.iter().map(|row| canvas::width(&row.needed())).max().unwrap_or(0);
    6 + name_width(&rows) + 1 + Rails::new(&rows).width() + 2 + 9 + 2 + rest
}

fn name_width(rows: &[GraphRow<'_>]) -> usize {
    rows.iter().map(|row| canvas::width(&row.node.name)).max().unwrap_or(0).min(NAME)
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
    let (rails, width) = (Rails::new(&all), name_width(&all));
    let chosen = place(&all, app.views.graph.selected()).unwrap_or(usize::MAX);
    let (top, left) = app.views.graph.window();
    let height = usize::from(rows(area.height));
    for (y, (at, row)) in (area.y..).zip(all.iter().enumerate().skip(top).take(height)) {
        let line = line(app, &all, (at, row), &rails, width, chosen);
        flow::draw(&line, left, area, y, buf, theme);
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

fn line(
    app: &App,
    all: &[GraphRow<'_>],
    (at, row): (usize, &GraphRow<'_>),
    rails: &Rails,
    width: usize,
    chosen: usize,
) -> Line {
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
    let mut line = vec![
        (Role::Faint, format!("{layer:>3} ")),
        (role, format!("{} ", state.map_or(" ", shape))),
        (if near || at == chosen { Role::Accent } else { Role::Strong }, name.into_owned()),
        (Role::Plain, pad),
    ];
    for (c, hot) in rails.cells(at, chosen) {
        line.push((if hot { Role::Accent } else { Role::Border }, c.to_string()));
    }
    let word = state.map_or("", |state| state.as_str());
    line.push((role, format!("  {word:9}")));
    line.push((Role::Faint, format!("  {}", row.needed())));
    line
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
