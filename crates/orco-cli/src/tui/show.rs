//! What keys and the mouse do in the views below the table, and in the help.

use ratatui::layout::{Position, Rect};

use super::{
    app::{App, Focus, View},
    events,
    graph::Way,
    keys::{self, Action, Context, Key},
    layout::Zoom,
    news::{Effect, Question},
    theme::Role,
    view,
};

/// Columns for one step to the side.
const PAN: isize = 8;

impl App {
    /// Where the keys go.
    pub const fn context(&self) -> Context {
        match (self.focus, self.view) {
            (Focus::Table, _) => Context::Table,
            (Focus::Below, View::Logs) => Context::Logs,
            (Focus::Below, View::Why) => Context::Scroll,
            (Focus::Below, View::Graph) => Context::Graph,
            (Focus::Below, View::Events) => Context::Events,
        }
    }

    /// Shows a view, or the logs again where it is shown.
    pub(super) fn turn_view(&mut self, view: View) -> Vec<Effect> {
        if self.view == view && self.is_below_seen() {
            self.close_view();
            return Vec::new();
        }
        self.open_view(view)
    }

    /// Shows a view, and asks for what it shows.
    pub(super) fn open_view(&mut self, view: View) -> Vec<Effect> {
        self.view = view;
        // Those in which something is selected get the keys; of the others, the table stays the one that selects.
        match view {
            View::Graph | View::Events => self.focus = Focus::Below,
            View::Why if self.zoom.is_none() => self.focus = Focus::Table,
            View::Why | View::Logs => {}
        }
        if !self.is_below_seen() {
            (self.focus, self.zoom) = (Focus::Below, Some(Zoom::Below));
        }
        match view {
            View::Logs | View::Events => Vec::new(),
            View::Graph => {
                if let Some(name) = self.selected_service() {
                    self.views.graph.select(&name);
                }
                self.ask_graph()
            }
            View::Why => {
                self.want_why();
                self.ask_why()
            }
        }
    }

    /// Asks for the graph, where it is shown and not known.
    pub(super) fn ask_graph(&mut self) -> Vec<Effect> {
        if self.view != View::Graph || self.graph_under_way || matches!(self.model.graph, Some(Ok(_))) {
            return Vec::new();
        }
        self.graph_under_way = true;
        vec![Effect::Ask(Question::Graph)]
    }

    fn is_below_seen(&self) -> bool {
        self.parts().below.height > 0
    }

    /// Back to the logs.
    pub(super) fn close_view(&mut self) {
        self.view = View::Logs;
        self.focus = Focus::Table;
        if self.zoom == Some(Zoom::Below) {
            self.zoom = None;
        }
    }

    /// Moves in the view below the table.
    pub(super) fn step_below(&mut self, by: isize) {
        let below = self.parts().below;
        match self.view {
            View::Logs => {}
            View::Graph => {
                if let Some(Ok(graph)) = &self.model.graph {
                    self.views.graph.step(graph, by);
                }
            }
            View::Events => {
                let (height, _) = events::split(below.height, self.views.events.is_open());
                let listed = self.views.events.listed(&self.model, self.table.selected().service());
                let mut after = self.views.events.clone();
                after.step(&listed, by, height.into());
                self.views.events = after;
            }
            View::Why => self.views.why = self.views.why.saturating_add_signed(by),
        }
    }

    /// Whether an event is open, and gets the pages.
    pub(super) fn is_event_open(&self) -> bool {
        self.view == View::Events && self.views.events.is_open()
    }

    /// Moves within the event that is open. `pages`: by so many pages of it instead of lines.
    pub(super) fn scroll_event(&mut self, by: isize, pages: bool) {
        let below = self.parts().below;
        let (list, rest) = events::split(below.height, true);
        let page = isize::try_from(rest.saturating_sub(2).max(1)).unwrap_or(1);
        let listed = self.views.events.listed(&self.model, self.table.selected().service());
        let open = listed.get(self.views.events.place(&listed));
        let most = open.map_or(0, |event| view::events::hidden(event, below.width, rest));
        let mut after = self.views.events.clone();
        after.scroll(&listed, if pages { by * page } else { by }, most, list.into());
        self.views.events = after;
    }

    /// The wheel over a view below the table.
    pub(super) fn wheel_below(&mut self, at: Position, by: isize) {
        let below = self.parts().below;
        let (list, _) = events::split(below.height, true);
        if self.is_event_open() && at.y >= below.y + list {
            self.scroll_event(by, false);
        } else {
            self.step_below(by);
        }
    }

    /// Opens what is selected in the view below.
    pub(super) fn open_selected(&mut self) {
        match self.view {
            View::Logs | View::Why => {}
            View::Events => self.views.events.turn_open(),
            View::Graph => {
                let name = self.views.graph.selected().to_owned();
                self.go_to(&name);
            }
        }
    }

    /// Selects a service in the table, which gets the keys.
    pub(super) fn go_to(&mut self, name: &str) {
        if self.model.service(name).is_none() {
            self.say(Role::Busy, format!("no service `{name}` any more"));
            return;
        }
        if !self.table.select_service(name) {
            self.table.set_filter(String::new(), &self.model);
            self.table.select_service(name);
        }
        self.focus = Focus::Table;
        if self.zoom == Some(Zoom::Below) {
            self.zoom = None;
        }
    }

    /// Follows an edge of the graph.
    pub(super) fn follow_edge(&mut self, way: Way) {
        if let Some(Ok(graph)) = &self.model.graph {
            self.views.graph.follow(graph, way, &self.model);
        }
    }

    /// Moves the graph to the side.
    pub(super) fn pan(&mut self, right: bool) {
        self.views.graph.pan(if right { PAN } else { -PAN });
    }

    /// A click below the table.
    pub(super) fn click_below(&mut self, at: Position) {
        let below = self.parts().below;
        let row = usize::from(at.y.saturating_sub(below.y));
        match self.view {
            View::Logs | View::Why => {}
            View::Graph => {
                let (top, _) = self.views.graph.window();
                if let Some(Ok(graph)) = &self.model.graph
                    && row < usize::from(view::graph::rows(below.height))
                {
                    self.views.graph.select_row(graph, top + row);
                }
            }
            View::Events => {
                let (height, _) = events::split(below.height, self.views.events.is_open());
                if row < usize::from(height) {
                    let listed = self.views.events.listed(&self.model, self.table.selected().service());
                    let mut after = self.views.events.clone();
                    after.select(&listed, row, height.into());
                    self.views.events = after;
                }
            }
        }
    }

    /// What is left of the screen between the bars.
    pub fn between(&self) -> Rect {
        let parts = self.parts();
        let height = self.screen.height.saturating_sub(parts.head.height + parts.foot.height);
        Rect { y: self.screen.y + parts.head.height, height, ..self.screen }
    }

    /// A key while the help is open.
    pub(super) fn help_key(&mut self, key: Key) {
        let Some(at) = self.views.help else { return };
        let page = isize::try_from(self.between().height).unwrap_or(1).max(2) - 1;
        let by = match keys::action(Context::Help, key) {
            Some(Action::Up) => -1,
            Some(Action::Down) => 1,
            Some(Action::PageUp) => -page,
            Some(Action::PageDown) => page,
            Some(Action::First) => isize::MIN,
            Some(Action::Last) => isize::MAX,
            Some(Action::Back) => {
                self.views.help = None;
                return;
            }
            _ => 0,
        };
        self.views.help = Some(at.saturating_add_signed(by));
    }

    /// Brings selections into their windows, and windows to where there is something to see.
    pub(super) fn settle(&mut self) {
        let below = self.parts().below;
        let most = |lines: usize, height: u16| lines.saturating_sub(usize::from(height.max(1)));
        match self.view {
            View::Logs => {}
            View::Graph => {
                if let Some(Ok(graph)) = &self.model.graph {
                    let (_, left) = self.views.graph.window();
                    let beyond = if left == 0 { 0 } else { view::graph::beyond(graph, below.width) };
                    self.views.graph.show(graph, view::graph::rows(below.height).into(), beyond);
                }
            }
            View::Events => {
                let (height, _) = events::split(below.height, self.views.events.is_open());
                let listed = self.views.events.listed(&self.model, self.table.selected().service());
                let mut after = self.views.events.clone();
                after.show(&listed, height.into());
                self.views.events = after;
            }
            View::Why => {
                if self.views.why > 0 {
                    let lines = view::why::lines(self, below.width).len();
                    self.views.why = self.views.why.min(most(lines, below.height));
                }
            }
        }
        if let Some(at) = self.views.help {
            let lines = view::help::lines(self, self.screen.width).len();
            self.views.help = Some(at.min(most(lines, self.between().height)));
        }
    }
}
