//! The state of the terminal UI. Pure: keys, news and the time come in, effects come out.

use orco_api::wire::{Outcome, Service, Status, Timestamp};
use ratatui::{
    crossterm::event::{KeyEvent, MouseEvent},
    layout::Rect,
};

use super::{
    dialog::Dialog,
    layout::{self, Parts, Shape, Zoom},
    model::{Connection, Model},
    news::{Effect, Ended, News, Question, Request},
    pane::{Pane, PaneConfig},
    table::{Row, Table},
    theme::Role,
    views::Views,
};

/// How long a note stays, in microseconds.
const NOTE: u64 = 8_000_000;
/// How often is asked what services use, in microseconds.
const USAGE: u64 = 2_000_000;
/// An engine that has not answered for so long may hang, in microseconds.
const SILENCE: u64 = 5_000_000;
/// Commands under way at once; nobody waits for more of them.
const UNDER_WAY: usize = 32;

/// Whose stack it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// A foreground `up` in this very program: the stack ends with it.
    Here,
    /// Another program's.
    Attached,
}

/// Something came in.
#[derive(Debug)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// A text that was pasted.
    Paste(String),
    /// The screen has so many columns and lines now.
    Resize(u16, u16),
    /// Time has passed.
    Tick,
    /// Something over the connection.
    News(News),
    /// Whoever runs the stack has begun to stop it.
    Stopping,
}

/// What is below the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum View {
    /// The log pane.
    #[default]
    Logs,
    /// Who depends on whom.
    Graph,
    /// What has happened.
    Events,
    /// Why the selected service is not ready.
    Why,
}

/// Which part gets the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Focus {
    /// The table.
    #[default]
    Table,
    /// What is below.
    Below,
}

/// What the mouse holds on to while its button is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// The line between the table and what is below.
    Divider,
    /// Something in the log pane.
    Logs,
}

/// Something told for a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What.
    pub text: String,
    /// How it looks.
    pub role: Role,
    /// Until when.
    pub until: Timestamp,
}

/// Everything.
#[derive(Debug)]
pub struct App {
    /// What is known.
    pub model: Model,
    /// Whose stack it is.
    pub home: Home,
    /// Nothing may be changed.
    pub read_only: bool,
    /// The rows.
    pub table: Table,
    /// What is below.
    pub view: View,
    /// Who gets the keys.
    pub focus: Focus,
    /// One part has the whole screen.
    pub zoom: Option<Zoom>,
    /// Lines that the user gave to the table.
    pub split: Option<u16>,
    /// What the views below remember.
    pub views: Views,
    /// What is asked.
    pub dialog: Option<Dialog>,
    /// What is told.
    pub note: Option<Note>,
    /// The whole screen.
    pub screen: Rect,
    /// Requests under way.
    pub under_way: Vec<Request>,
    /// The stack of a foreground `up` is being stopped: how many were there when that began.
    pub stopping: Option<usize>,
    /// The user has asked twice.
    pub killing: bool,
    /// The log pane.
    pub pane: Pane,
    /// The number of the stream of log records that is followed.
    pub(super) follows: u64,
    /// That stream has ended.
    pub(super) logs_over: bool,
    /// When the lines of the selected row were asked for.
    pub(super) followed: Option<Timestamp>,
    /// What the mouse holds on to.
    pub(super) held: Option<Held>,
    asked_usage: Option<Timestamp>,
    usage_under_way: bool,
    pub(super) asked_why: Option<Timestamp>,
    /// What is known of the causes is old, or nothing is.
    pub(super) why_wanted: bool,
    pub(super) graph_under_way: bool,
    /// It changed while it was under way.
    pub(super) graph_again: bool,
}

impl App {
    /// With an empty model.
    pub fn new(home: Home, read_only: bool) -> Self {
        let mut app = Self {
            model: Model::default(),
            home,
            read_only,
            table: Table::default(),
            view: View::default(),
            focus: Focus::default(),
            zoom: None,
            split: None,
            views: Views::default(),
            dialog: None,
            note: None,
            screen: Rect::default(),
            under_way: Vec::new(),
            stopping: None,
            killing: false,
            pane: Pane::new(PaneConfig::new("stack")),
            follows: 0,
            logs_over: true,
            followed: None,
            held: None,
            asked_usage: None,
            usage_under_way: false,
            asked_why: None,
            why_wanted: false,
            graph_under_way: false,
            graph_again: false,
        };
        app.table.rebuild(&app.model);
        app
    }

    /// Takes an input at this time of the wall clock.
    pub fn update(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        self.model.now = now;
        let before = self.table.selected().clone();
        // A flood of lines is nothing to the other views.
        let lines = matches!(input, Input::News(News::Logs(..)));
        let mut effects = match input {
            Input::Key(event) => self.key(&event),
            Input::Mouse(event) => self.mouse(event),
            Input::Paste(text) => self.paste(&text),
            Input::Resize(width, height) => {
                self.screen = Rect::new(0, 0, width, height);
                Vec::new()
            }
            Input::Tick => self.tick(),
            Input::News(news) => self.news(news),
            Input::Stopping => {
                self.begin_stopping();
                Vec::new()
            }
        };
        if *self.table.selected() != before {
            effects.extend(self.selected());
        }
        effects.extend(self.follow_selected());
        let height = usize::from(self.parts().table.height.saturating_sub(1));
        self.table.show(height);
        if !lines {
            self.settle();
        }
        effects
    }

    /// Where everything is.
    pub fn parts(&self) -> Parts {
        let wanted = u16::try_from(self.table.rows().len() + 1).unwrap_or(u16::MAX);
        layout::parts(self.screen, Shape { wanted, split: self.split, zoom: self.zoom })
    }

    /// Tells something for a moment.
    pub fn say(&mut self, role: Role, text: impl Into<String>) {
        let until = Timestamp::from_unix_micros(self.model.now.unix_micros().saturating_add(NOTE));
        self.note = Some(Note { text: text.into(), role, until });
    }

    /// Has something done, unless nothing may be changed.
    pub fn request(&mut self, request: Request) -> Vec<Effect> {
        if self.read_only {
            self.say(Role::Busy, "read-only: nothing can be changed here");
            return Vec::new();
        }
        if self.under_way.len() >= UNDER_WAY {
            self.say(Role::Busy, format!("{UNDER_WAY} commands are under way already"));
            return Vec::new();
        }
        self.say(Role::Plain, format!("{}: under way", request.words()));
        self.under_way.push(request.clone());
        vec![Effect::Do(request)]
    }

    /// Another row is selected: the views below follow.
    fn selected(&mut self) -> Vec<Effect> {
        self.model.why = None;
        self.asked_why = None;
        self.views.why = 0;
        if let Some(name) = self.selected_service() {
            self.views.graph.select(&name);
        }
        self.want_why();
        self.ask_why()
    }

    fn tick(&mut self) -> Vec<Effect> {
        let now = self.model.now;
        if self.note.as_ref().is_some_and(|note| note.until <= now) {
            self.note = None;
        }
        let mut effects = self.logs_tick(now);
        effects.extend(self.ask_why());
        effects.extend(self.ask_graph());
        // Whoever hangs, or was stopped by a signal, keeps its connections open and says nothing.
        if self.usage_under_way && self.model.connection == Connection::Live && is_due(self.asked_usage, SILENCE, now) {
            self.model.connection = Connection::Silent;
        }
        let there = matches!(self.model.connection, Connection::Live | Connection::Silent);
        let shown = self.parts().table.height > 0 && there;
        if shown && !self.usage_under_way && is_due(self.asked_usage, USAGE, now) {
            self.asked_usage = Some(now);
            self.usage_under_way = true;
            effects.push(Effect::Ask(Question::Usage));
        }
        effects
    }

    fn news(&mut self, news: News) -> Vec<Effect> {
        match news {
            News::Status(status) => return self.status(*status),
            // A stack that is being stopped says good-bye before its program does.
            News::Stale(_) if self.stopping.is_some() => {}
            News::Stale(why) => self.model.connection = Connection::Stale(why),
            News::Down(orderly) => return vec![Effect::End(Ended::Down(orderly))],
            News::Events(events) => self.model.take_events(events),
            News::Usage(status) => {
                self.usage_under_way = false;
                if let Some(status) = status {
                    if self.model.connection == Connection::Silent {
                        self.model.connection = Connection::Live;
                    }
                    self.model.usage.take(&status);
                    // Their order may have changed.
                    self.table.rebuild(&self.model);
                }
            }
            News::Why(service, answer) => {
                if self.table.selected().service() == Some(&service) {
                    self.model.why = Some((service, answer.map(|why| *why)));
                }
            }
            News::Graph(graph) => {
                self.graph_under_way = false;
                if std::mem::take(&mut self.graph_again) {
                    return self.ask_graph();
                }
                self.model.graph = Some(graph.map(|graph| *graph));
            }
            News::Logs(number, records) => return self.take_records(number, records),
            News::LogsEnded(number, why) => self.logs_ended(number, why),
            News::Saved(saved) => return self.saved(saved),
            News::Done(request, answer) => self.done(&request, answer),
        }
        Vec::new()
    }

    fn status(&mut self, status: Status) -> Vec<Effect> {
        let first = self.model.status.is_none();
        let others = self.model.status.as_ref().is_none_or(|old| {
            let drawn = |service: &'_ Service| (service.name.clone(), service.revision.clone());
            old.services.values().map(drawn).ne(status.services.values().map(drawn))
        });
        if self.is_why_old(&status) {
            self.want_why();
        }
        self.model.connection = Connection::Live;
        self.model.status = Some(status);
        if others {
            // It is asked for again by the view that shows it.
            self.model.graph = None;
            self.graph_again = self.graph_under_way;
        }
        self.table.rebuild(&self.model);
        if first {
            self.pane.name(self.model.stack());
            return self.tick();
        }
        let mut effects = self.ask_why();
        effects.extend(self.ask_graph());
        effects
    }

    fn done(&mut self, request: &Request, answer: Result<Outcome, String>) {
        if let Some(at) = self.under_way.iter().position(|other| other == request) {
            self.under_way.remove(at);
        }
        let words = request.words();
        match answer {
            Ok(Outcome { done: true, .. }) => self.say(Role::Good, format!("{words}: done")),
            Ok(Outcome::TAKEN) => self.say(Role::Good, format!("{words}: on its way")),
            Ok(Outcome { service, why, .. }) => {
                let service = service.map(|service| format!("{service}: ")).unwrap_or_default();
                let why = why.unwrap_or_else(|| "it was not done".to_owned());
                self.say(Role::Bad, format!("{words}: {service}{why}"));
            }
            Err(why) => self.say(Role::Bad, format!("{words}: {why}")),
        }
    }

    /// From now on the screen tells what is left.
    pub(super) fn begin_stopping(&mut self) {
        if self.stopping.is_none() {
            let left = self.model.services().filter(|service| super::stopping::is_left(service)).count();
            self.stopping = Some(left);
            self.zoom = None;
            self.dialog = None;
        }
    }

    /// The name of the selected service.
    pub fn selected_service(&self) -> Option<String> {
        match self.table.selected() {
            Row::All => None,
            Row::Service(name) | Row::Replica(name, _) => Some(name.clone()),
        }
    }
}

/// Whether so many microseconds have passed.
pub(super) fn is_due(last: Option<Timestamp>, every: u64, now: Timestamp) -> bool {
    // A clock that went back must not make it wait for long.
    last.is_none_or(|last| now.unix_micros().abs_diff(last.unix_micros()) >= every)
}
