//! The rows of the table: which there are, in which order, which is selected. A selection belongs to a service, not to
//! a line: it stays when rows move.

use std::{cmp::Ordering, collections::BTreeSet};

use orco_api::wire::{Service, State};

use super::model::Model;

/// What a row is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Row {
    /// The whole stack.
    #[default]
    All,
    /// A service.
    Service(String),
    /// One replica of it.
    Replica(String, u32),
}

impl Row {
    /// The service, if it is about one.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Service(name) | Self::Replica(name, _) => Some(name),
        }
    }
}

/// A column, in the order on the screen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Column {
    /// The name.
    Service,
    /// The state.
    State,
    /// Whether dependents may go on.
    Ready,
    /// Replicas ready of replicas wanted.
    Repl,
    /// Restarts in total.
    Restarts,
    /// Share of a processor.
    Cpu,
    /// Resident memory.
    Mem,
    /// Since the youngest instance was started.
    Age,
    /// What there is to say.
    Message,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Service,
        Self::State,
        Self::Ready,
        Self::Repl,
        Self::Restarts,
        Self::Cpu,
        Self::Mem,
        Self::Age,
        Self::Message,
    ];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::State => "STATE",
            Self::Ready => "READY",
            Self::Repl => "REPL",
            Self::Restarts => "RESTARTS",
            Self::Cpu => "CPU",
            Self::Mem => "MEM",
            Self::Age => "AGE",
            Self::Message => "MESSAGE",
        }
    }
}

/// The table's own state.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    selected: usize,
    /// The first row on the screen.
    offset: usize,
    unfolded: BTreeSet<String>,
    sort: Option<Column>,
    reverse: bool,
    filter: String,
}

impl Table {
    /// The rows. The first is about the whole stack.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The selected one.
    pub fn selected(&self) -> &Row {
        self.rows.get(self.selected).unwrap_or(&Row::All)
    }

    /// Its place among the rows.
    pub const fn at(&self) -> usize {
        self.selected
    }

    /// The first row on the screen.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What sorts, if not the stack file, and whether the other way round.
    pub const fn sort(&self) -> (Option<Column>, bool) {
        (self.sort, self.reverse)
    }

    /// Only rows with this text are shown.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Whether the replicas of a service are shown.
    pub fn is_unfolded(&self, service: &str) -> bool {
        self.unfolded.contains(service)
    }

    /// Makes the rows anew.
    pub fn rebuild(&mut self, model: &Model) {
        let selected = self.selected().clone();
        let filter = self.filter.to_lowercase();
        let fits = |service: &&Service| {
            filter.is_empty()
                || service.name.to_lowercase().contains(&filter)
                || service.state.as_str().to_lowercase().contains(&filter)
        };
        let mut services: Vec<&Service> = model.services().filter(fits).collect();
        if let Some(column) = self.sort {
            services.sort_by(|a, b| compare(column, a, b, model));
        }
        if self.reverse {
            services.reverse();
        }
        self.rows.clear();
        self.rows.push(Row::All);
        for service in services {
            self.rows.push(Row::Service(service.name.clone()));
            if self.unfolded.contains(&service.name) {
                let replicas = service.instances.iter().map(|i| Row::Replica(service.name.clone(), i.replica));
                self.rows.extend(replicas);
            }
        }
        // A replica that is gone leaves the selection to its service; a service that is gone, to the row in its place.
        let own = |row: &Row| *row == selected;
        let parent = |row: &Row| matches!(row, Row::Service(name) if Some(name.as_str()) == selected.service());
        let at = self.rows.iter().position(own).or_else(|| self.rows.iter().position(parent));
        self.selected = at.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
    }

    /// Moves the selection.
    pub fn step(&mut self, by: isize) {
        self.select(self.selected.saturating_add_signed(by));
    }

    /// Selects the row in this place, or the last.
    pub fn select(&mut self, at: usize) {
        self.selected = at.min(self.rows.len().saturating_sub(1));
    }

    /// Selects a service. False: it has no row.
    pub fn select_service(&mut self, name: &str) -> bool {
        let at = self.rows.iter().position(|row| matches!(row, Row::Service(other) if other == name));
        self.selected = at.unwrap_or(self.selected);
        at.is_some()
    }

    /// Brings the selection into a window of so many rows.
    pub fn show(&mut self, height: usize) {
        let lowest = (self.selected + 1).saturating_sub(height.max(1));
        let highest = self.rows.len().saturating_sub(height.max(1));
        self.offset = self.offset.clamp(lowest, self.selected.max(lowest)).min(highest.max(lowest));
    }

    /// Shows or hides the replicas of the selected service.
    pub fn unfold(&mut self, show: bool, model: &Model) {
        let Some(name) = self.selected().service().map(str::to_owned) else { return };
        if show {
            self.unfolded.insert(name);
        } else {
            self.unfolded.remove(&name);
        }
        self.rebuild(model);
    }

    /// The next column sorts; after the last, the stack file does.
    pub fn sort_next(&mut self, model: &Model) {
        let next = self.sort.map_or(0, |column| column as usize + 1);
        self.sort = Column::ALL.get(next).copied();
        self.rebuild(model);
    }

    /// This column sorts; where it does already, the other way round.
    pub fn sort_by(&mut self, column: Column, model: &Model) {
        if self.sort == Some(column) {
            self.reverse = !self.reverse;
        } else {
            (self.sort, self.reverse) = (Some(column), false);
        }
        self.rebuild(model);
    }

    /// The other way round.
    pub fn turn(&mut self, model: &Model) {
        self.reverse = !self.reverse;
        self.rebuild(model);
    }

    /// Shows only rows with this text.
    pub fn set_filter(&mut self, filter: String, model: &Model) {
        self.filter = filter;
        self.rebuild(model);
    }
}

/// What needs eyes first comes first: most restarts, most memory, the worst state. The order of the file decides else.
fn compare(column: Column, a: &Service, b: &Service, model: &Model) -> Ordering {
    match column {
        Column::Service => a.name.cmp(&b.name),
        Column::State => urgency(a.state).cmp(&urgency(b.state)),
        Column::Ready => a.ready.cmp(&b.ready),
        Column::Repl => a.ready_replicas.cmp(&b.ready_replicas).then(b.replicas.cmp(&a.replicas)),
        Column::Restarts => b.restarts.cmp(&a.restarts),
        Column::Cpu => {
            let cpu = |service: &Service| model.usage.last(&service.name).cpu.unwrap_or(-1.0);
            cpu(b).total_cmp(&cpu(a))
        }
        Column::Mem => {
            let memory = |service: &Service| model.usage.last(&service.name).memory;
            memory(b).cmp(&memory(a))
        }
        Column::Age => since(b).cmp(&since(a)),
        Column::Message => a.message.is_empty().cmp(&b.message.is_empty()).then_with(|| a.message.cmp(&b.message)),
    }
}

const fn urgency(state: State) -> u8 {
    match state {
        State::Failed => 0,
        State::Pending => 1,
        State::Starting => 2,
        State::Stopping => 3,
        State::Running => 4,
        State::Completed => 5,
        _ => 6,
    }
}

/// Since when it is as it is: its youngest live instance, else the last event.
fn since(service: &Service) -> orco_api::wire::Timestamp {
    service.instances.iter().filter_map(|i| i.started_at).max().unwrap_or(service.last_event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::samples;

    fn names(table: &Table) -> String {
        let name = |row: &Row| match row {
            Row::All => "*".to_owned(),
            Row::Service(name) => name.clone(),
            Row::Replica(name, replica) => format!("{name}/{replica}"),
        };
        table.rows().iter().map(name).collect::<Vec<_>>().join(" ")
    }

    fn table() -> (Table, Model) {
        let model = Model { status: Some(samples::status()), ..Model::default() };
        let mut table = Table::default();
        table.rebuild(&model);
        (table, model)
    }

    #[test]
    fn replicas_unfold() {
        let (mut table, model) = table();
        assert_eq!(names(&table), "* db seed api web worker");
        table.select(3);
        table.unfold(true, &model);
        assert_eq!(names(&table), "* db seed api api/0 api/1 web worker");
        table.step(2);
        assert_eq!(table.selected(), &Row::Replica("api".into(), 1));
        table.unfold(false, &model);
        assert_eq!(names(&table), "* db seed api web worker");
        assert_eq!(table.selected(), &Row::Service("api".into()));
    }

    #[test]
    fn sorted_and_turned_the_selection_stays_with_its_service() {
        let (mut table, model) = table();
        table.select(5);
        for (column, expected) in [
            (Column::Service, "* api db seed web worker"),
            (Column::State, "* worker web db api seed"),
            (Column::Restarts, "* api db seed web worker"),
            (Column::Message, "* web worker db seed api"),
        ] {
            table.sort_by(column, &model);
            assert_eq!(names(&table), expected, "{column:?}");
            assert_eq!(table.selected(), &Row::Service("worker".into()));
        }
        table.turn(&model);
        assert_eq!(names(&table), "* api seed db worker web");
        // After the last column comes the order of the file.
        table.sort_next(&model);
        assert_eq!((table.sort(), names(&table).as_str()), ((None, true), "* worker web api seed db"));
    }

    #[test]
    fn filtered_by_name_or_state() {
        let (mut table, mut model) = table();
        table.select(4);
        table.set_filter("W".into(), &model);
        assert_eq!(names(&table), "* web worker");
        assert_eq!(table.selected(), &Row::Service("web".into()));
        table.set_filter("failed".into(), &model);
        assert_eq!((names(&table).as_str(), table.at()), ("* worker", 1));
        model.status = None;
        table.rebuild(&model);
        assert_eq!((names(&table).as_str(), table.selected()), ("*", &Row::All));
    }

    #[test]
    fn the_selection_is_always_in_the_window() {
        let (mut table, _) = table();
        for height in [0, 1, 2, 3, 100] {
            for at in [0, 5, 2, 4, 1] {
                table.select(at);
                table.show(height);
                let window = table.offset()..table.offset() + height.max(1);
                assert!(window.contains(&table.at()), "{at} in {height}: {window:?}");
            }
        }
        table.show(100);
        assert_eq!(table.offset(), 0);
    }
}
