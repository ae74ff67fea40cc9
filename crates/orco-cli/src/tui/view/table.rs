//! The table.

use orco_api::wire::{Instance, Service, Timestamp};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    columns::{self, Placed, SHAPE},
    head,
};
use crate::{
    render::{age, status_cells},
    tui::{
        app::{App, Focus},
        canvas,
        table::{Column, Row},
        theme::{Role, Theme, of_state, shape},
        usage::{Sample, bytes, percent},
    },
};

/// A row as text: shape, role of its state, and what stands in each column.
struct Line {
    shape: &'static str,
    role: Role,
    indent: u16,
    texts: [String; 9],
}

/// Draws it, with its headings.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let placed = placed(app, area.width);
    headings(app, area, &placed, buf, theme);
    let height = usize::from(area.height - 1);
    let rows = app.table.rows().iter().enumerate().skip(app.table.offset()).take(height);
    for ((at, row), y) in rows.zip(area.y + 1..) {
        if let Some(line) = line(app, row) {
            draw_line(&line, area, y, &placed, buf, theme);
        }
        if at == app.table.at() {
            let role = if app.focus == Focus::Table { Role::Selected } else { Role::Marked };
            canvas::paint_row(buf, area, y, theme.style(role));
        }
    }
}

/// The column under a place on the line of the headings.
pub fn column_at(app: &App, area: Rect, x: u16) -> Option<Column> {
    let x = x.checked_sub(area.x)?;
    let placed = placed(app, area.width);
    placed.into_iter().rev().find(|placed| placed.x <= x).map(|placed| placed.column)
}

fn placed(app: &App, width: u16) -> Vec<Placed> {
    let widest = |lengths: &mut dyn Iterator<Item = usize>| {
        u16::try_from(lengths.max().unwrap_or(0).min(usize::from(u16::MAX / 2))).unwrap_or(0)
    };
    let name = widest(&mut app.model.services().map(|service| canvas::width(&service.name)));
    let digits = |number: u64| number.max(1).ilog10() as usize + 1;
    let ready: u64 = app.model.services().map(|service| u64::from(service.ready_replicas)).sum();
    let wanted: u64 = app.model.services().map(|service| u64::from(service.replicas)).sum();
    let of = |some: u64, all: u64| widest(&mut std::iter::once(digits(some) + 1 + digits(all)));
    let services = app.model.services().count() as u64;
    columns::columns(width, (name, of(services, services), of(ready, wanted)))
}

fn headings(app: &App, area: Rect, placed: &[Placed], buf: &mut Buffer, theme: &Theme) {
    let (sort, reverse) = app.table.sort();
    for at in placed {
        let sorts = sort == Some(at.column);
        let arrow = match (sorts, reverse) {
            (false, _) => "",
            (true, false) => "▾",
            (true, true) => "▴",
        };
        let role = if sorts { Role::Accent } else { Role::Faint };
        let text = format!("{}{arrow}", at.column.title());
        // The arrow may stand in the gap behind a narrow column.
        let cell = Rect { x: area.x + at.x, width: at.width + 1, ..area }.intersection(area);
        if right(at.column) && !sorts {
            canvas::put_right(buf, cell, cell.x + at.width, area.y, &text, theme.style(role));
        } else {
            let indent = if at.column == Column::Service { SHAPE } else { 0 };
            canvas::put(buf, cell, cell.x + indent, area.y, &text, theme.style(role));
        }
    }
}

/// Numbers end below each other.
const fn right(column: Column) -> bool {
    matches!(column, Column::Restarts | Column::Cpu | Column::Mem | Column::Age)
}

fn draw_line(line: &Line, area: Rect, y: u16, placed: &[Placed], buf: &mut Buffer, theme: &Theme) {
    for at in placed {
        let cell = Rect { x: area.x + at.x, y, width: at.width, height: 1 }.intersection(area);
        let text = line.texts.get(at.column as usize).map_or("", String::as_str);
        let style: Style = match at.column {
            Column::State => theme.style(line.role),
            Column::Service => theme.style(if line.indent == 0 { Role::Strong } else { Role::Plain }),
            Column::Message if matches!(line.role, Role::Bad) => theme.style(Role::Bad),
            _ => theme.style(Role::Plain),
        };
        if at.column == Column::Service {
            canvas::put(buf, cell, cell.x + line.indent, y, line.shape, theme.style(line.role));
            canvas::put(buf, cell, cell.x + line.indent + SHAPE, y, text, style);
        } else if right(at.column) {
            canvas::put_right(buf, cell, cell.right(), y, text, style);
        } else {
            canvas::put(buf, cell, cell.x, y, text, style);
        }
    }
}

fn line(app: &App, row: &Row) -> Option<Line> {
    match row {
        Row::All => Some(all(app)),
        Row::Service(name) => Some(service(app, app.model.service(name)?)),
        Row::Replica(name, replica) => {
            let instances = &app.model.service(name)?.instances;
            Some(replica_line(name, instances.iter().find(|i| i.replica == *replica)?, app.model.now))
        }
    }
}

fn used(sample: Sample) -> (String, String) {
    (sample.cpu.map(percent).unwrap_or_default(), sample.memory.map(bytes).unwrap_or_default())
}

fn all(app: &App) -> Line {
    let services = || app.model.services();
    let ready = services().filter(|service| service.ready).count();
    let sum = |of: fn(&Service) -> u64| services().map(of).sum::<u64>();
    let (cpu, mem) = used(app.model.usage.sum());
    let counts = head::counts(app);
    let worst = counts.first().map(|(state, _)| *state);
    let message: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    Line {
        shape: worst.map_or(" ", shape),
        role: worst.map_or(Role::Faint, of_state),
        indent: 0,
        texts: [
            "All".to_owned(),
            worst.map_or("", orco_api::wire::State::as_str).to_owned(),
            format!("{ready}/{}", services().count()),
            format!("{}/{}", sum(|s| s.ready_replicas.into()), sum(|s| s.replicas.into())),
            sum(|s| s.restarts).to_string(),
            cpu,
            mem,
            String::new(),
            message.join(", "),
        ],
    }
}

fn service(app: &App, service: &Service) -> Line {
    // The same words as `orco status`.
    let [name, state, ready, repl, restarts, age, message] = status_cells(service, app.model.now);
    let (cpu, mem) = used(app.model.usage.last(&service.name));
    Line {
        shape: shape(service.state),
        role: of_state(service.state),
        indent: 0,
        texts: [name, state, ready, repl, restarts, cpu, mem, age, message],
    }
}

fn replica_line(name: &str, instance: &Instance, now: Timestamp) -> Line {
    let message = match (&instance.endpoint, instance.pid, &instance.container) {
        (Some(at), Some(pid), _) => format!("at {at}, pid {pid}"),
        (Some(at), None, _) => format!("at {at}"),
        (None, Some(pid), _) => format!("pid {pid}"),
        (None, None, Some(container)) => format!("container {}", container.get(..12).unwrap_or(container)),
        (None, None, None) => instance.exit.map(|exit| exit.to_core().to_string()).unwrap_or_default(),
    };
    Line {
        shape: shape(instance.state),
        role: of_state(instance.state),
        indent: 2,
        texts: [
            format!("{name}/{}", instance.replica),
            instance.state.as_str().to_owned(),
            instance.ready.to_string(),
            String::new(),
            instance.restarts.to_string(),
            String::new(),
            String::new(),
            instance.started_at.map(|at| age(at.until(now))).unwrap_or_default(),
            message,
        ],
    }
}
