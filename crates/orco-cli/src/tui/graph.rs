//! The graph's own state: which service is selected, which part is seen.

use std::collections::BTreeMap;

use orco_api::wire::{Graph, State};

use super::model::Model;
use crate::render::{GraphRow, graph_rows};

/// Along which way an edge is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To what is needed.
    Needs,
    /// To what needs it.
    NeededBy,
}

/// What the view remembers.
#[derive(Clone, Debug, Default)]
pub struct GraphView {
    selected: String,
    top: usize,
    left: usize,
}

impl GraphView {
    /// The selected service; empty if there is none.
    pub fn selected(&self) -> &str {
        &self.selected
    }

    /// The first row that is seen, and the first column.
    pub const fn window(&self) -> (usize, usize) {
        (self.top, self.left)
    }

    /// Selects a service.
    pub fn select(&mut self, name: &str) {
        name.clone_into(&mut self.selected);
    }

    /// Selects the service in this row, or the last.
    pub fn select_row(&mut self, graph: &Graph, row: usize) {
        let rows = graph_rows(graph);
        if let Some(row) = rows.get(row).or(rows.last()) {
            self.select(&row.node.name);
        }
    }

    /// Moves the selection by rows.
    pub fn step(&mut self, graph: &Graph, by: isize) {
        let at = place(&graph_rows(graph), &self.selected).unwrap_or(0);
        self.select_row(graph, at.saturating_add_signed(by));
    }

    /// Follows an edge: to what most likely holds the selected service up, or to the first that it may hold up.
    pub fn follow(&mut self, graph: &Graph, way: Way, model: &Model) {
        let edges = graph.edges.iter().filter_map(|edge| match way {
            Way::Needs => (edge.from == self.selected).then_some(&edge.to),
            Way::NeededBy => (edge.to == self.selected).then_some(&edge.from),
        });
        let next = edges.min_by_key(|name| {
            let service = model.service(name);
            service.map_or(2, |service| if service.state == State::Failed { 0 } else { 1 + u8::from(service.ready) })
        });
        if let Some(next) = next.cloned() {
            self.selected = next;
        }
    }

    /// Moves the window to the side.
    pub fn pan(&mut self, by: isize) {
        self.left = self.left.saturating_add_signed(by);
    }

    /// Brings the selection into a window of so many rows, and the window to where there is something to see.
    pub fn show(&mut self, graph: &Graph, height: usize, widest: usize) {
        let height = height.max(1);
        let rows = graph_rows(graph);
        let at = place(&rows, &self.selected).unwrap_or(0);
        if let Some(row) = rows.get(at) {
            row.node.name.clone_into(&mut self.selected);
        }
        let lowest = (at + 1).saturating_sub(height);
        self.top = self.top.clamp(lowest, at.max(lowest)).min(rows.len().saturating_sub(height).max(lowest));
        self.left = self.left.min(widest);
    }
}

/// The row of a service.
pub fn place(rows: &[GraphRow<'_>], name: &str) -> Option<usize> {
    rows.iter().position(|row| row.node.name == name)
}

/// All edges from one service to those that need it, as one line beside the rows.
#[derive(Debug)]
struct Lane {
    column: usize,
    from: usize,
    /// The rows that need it, in order; never empty.
    joins: Vec<usize>,
}

impl Lane {
    fn to(&self) -> usize {
        self.joins.last().copied().unwrap_or(self.from)
    }

    fn touches(&self, row: usize) -> bool {
        self.from == row || self.joins.binary_search(&row).is_ok()
    }

    /// Whether the line to or from this row belongs to an edge of the chosen one.
    fn leads(&self, row: usize, chosen: usize) -> bool {
        self.is_hot(row, chosen) && (row == chosen || self.from == row || self.from == chosen)
    }

    /// Whether at this row it belongs to an edge of the chosen one.
    fn is_hot(&self, row: usize, chosen: usize) -> bool {
        let within = |to: usize| (self.from..=to).contains(&row);
        if self.from == chosen {
            within(self.to())
        } else {
            self.joins.binary_search(&chosen).is_ok() && within(chosen)
        }
    }
}

/// The lines beside the rows: each begins at a service, goes down, and ends at the last one that needs it.
#[derive(Debug)]
pub struct Rails {
    lanes: Vec<Lane>,
    columns: usize,
}

impl Rails {
    /// For these rows. An edge that leads nowhere or up is left out.
    pub fn new(rows: &[GraphRow<'_>]) -> Self {
        let places: BTreeMap<&str, usize> =
            rows.iter().enumerate().map(|(at, row)| (row.node.name.as_str(), at)).collect();
        let mut joins: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            for edge in &row.needs {
                if let Some(from) = places.get(edge.to.as_str()).filter(|from| **from < at) {
                    let joins = joins.entry(*from).or_default();
                    // Nobody says the same twice; who does gets one line.
                    if joins.last() != Some(&at) {
                        joins.push(at);
                    }
                }
            }
        }
        let mut ends: Vec<usize> = Vec::new();
        let mut lanes = Vec::with_capacity(joins.len());
        for (from, joins) in joins {
            let mut lane = Lane { column: 0, from, joins };
            // A free column: one whose line has ended above this row. Else lines would seem to go on.
            lane.column = ends.iter().position(|end| *end < from).unwrap_or(ends.len());
            match ends.get_mut(lane.column) {
                Some(end) => *end = lane.to(),
                None => ends.push(lane.to()),
            }
            lanes.push(lane);
        }
        Self { lanes, columns: ends.len() }
    }

    /// How many columns of the screen they take.
    pub const fn width(&self) -> usize {
        if self.columns == 0 { 0 } else { self.columns * 2 + 1 }
    }

    /// The cells of a row, and for each whether it belongs to an edge of the chosen row.
    pub fn cells(&self, row: usize, chosen: usize) -> Vec<(char, bool)> {
        let mut cells = vec![(' ', false); self.width()];
        let here: Vec<&Lane> = self.lanes.iter().filter(|lane| (lane.from..=lane.to()).contains(&row)).collect();
        let touched = || here.iter().filter(|lane| lane.touches(row));
        let reach = touched().map(|lane| lane.column * 2 + 2).max();
        let hot = touched().filter(|lane| lane.leads(row, chosen)).map(|lane| lane.column * 2 + 2).max();
        for (x, cell) in cells.iter_mut().enumerate().take(reach.map_or(0, |reach| reach + 1)) {
            *cell = ('─', hot.is_some_and(|hot| x < hot));
        }
        for lane in &here {
            let x = lane.column * 2 + 2;
            let right = reach.is_some_and(|reach| x < reach);
            let shape = match (lane.touches(row), row > lane.from, row < lane.to(), right) {
                // What only passes by does not touch.
                (false, ..) => '│',
                (true, true, true, true) => '┼',
                (true, true, true, false) => '┤',
                (true, false, _, true) => '┬',
                (true, false, _, false) => '┐',
                (true, true, false, true) => '┴',
                (true, true, false, false) => '┘',
            };
            if let Some(cell) = cells.get_mut(x) {
                *cell = (shape, lane.is_hot(row, chosen));
            }
        }
        // An arrow into what needs something.
        if let Some(cell) = cells.first_mut().filter(|_| touched().any(|lane| lane.from != row)) {
            cell.0 = '◂';
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::tui::samples;

    fn picture(graph: &Graph, chosen: &str) -> String {
        let rows = graph_rows(graph);
        let rails = Rails::new(&rows);
        let chosen = place(&rows, chosen).unwrap_or(usize::MAX);
        let line = |(at, row): (usize, &GraphRow<'_>)| {
            let cells = rails.cells(at, chosen).into_iter().map(|(c, hot)| if hot && c == '─' { '━' } else { c });
            format!("{:7}{}", row.node.name, cells.collect::<String>()).trim_end().to_owned()
        };
        rows.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_edge_is_a_line_that_can_be_followed() {
        let lines = ["db     ━━┐", "seed   ◂━┼━┐", "api    ◂━┼━┴━┐", "web    ◂━│━━━┤", "worker ◂━┴━━━┘"];
        assert_eq!(picture(&samples::graph(), "api"), lines.join("\n"));
        assert!(!picture(&samples::graph(), "").contains('━'));
        // Of seed, only what it needs and what needs it is marked.
        assert_eq!(picture(&samples::graph(), "seed").lines().nth(2), Some("api    ◂━┼━┴─┐"));
    }

    #[test]
    fn it_moves_along_edges_towards_trouble() {
        let graph = samples::graph();
        let model = Model { status: Some(samples::status()), ..Model::default() };
        let mut view = GraphView::default();
        view.select("api");
        view.follow(&graph, Way::Needs, &model);
        assert_eq!(view.selected(), "db", "seed is completed, db is not ready");
        view.follow(&graph, Way::Needs, &model);
        assert_eq!(view.selected(), "db", "it needs nothing");
        view.follow(&graph, Way::NeededBy, &model);
        assert_eq!(view.selected(), "worker", "the one that failed");
        for (by, name) in [(-1, "web"), (isize::MIN, "db"), (isize::MAX, "worker"), (-5, "db")] {
            view.step(&graph, by);
            assert_eq!(view.selected(), name, "{by}");
        }
    }

    #[test]
    fn the_selection_is_always_in_the_window() {
        let graph = samples::wide_graph(200);
        let mut view = GraphView::default();
        for height in [0, 1, 7, 500] {
            for row in [0, 199, 100, 3] {
                view.select_row(&graph, row);
                view.pan(10_000);
                view.show(&graph, height, 80);
                let (top, left) = view.window();
                assert!((top..top + height.max(1)).contains(&row), "{row} in {height} from {top}");
                assert_eq!(left, 80);
            }
        }
        view.select("gone");
        view.show(&graph, 5, 0);
        assert_eq!((view.selected(), view.window()), ("s0", (0, 0)));
    }

    #[test]
    fn lines_never_share_a_cell_they_do_not_share_an_end_of() {
        let graph = samples::wide_graph(200);
        let rows = graph_rows(&graph);
        let rails = Rails::new(&rows);
        for (at, a) in rails.lanes.iter().enumerate() {
            for b in &rails.lanes[at + 1..] {
                assert!(a.column != b.column || a.to() < b.from || b.to() < a.from, "{a:?} {b:?}");
            }
        }
        let edges: usize = rails.lanes.iter().map(|lane| lane.joins.len()).sum();
        assert_eq!(edges, graph.edges.len());
    }
}
