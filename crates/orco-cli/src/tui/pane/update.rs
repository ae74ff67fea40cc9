//! What each input does.

use orco_api::wire::{Level, LogRecord, LogsQuery, Timestamp};
use ratatui::crossterm::event::{KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{
    contract::{PaneEffect, PaneInput, SaveResult, Selection},
    prompt::Asking,
    ring::{Id, Pushed},
    search::{Budget, Search, Way},
    shown::Shown,
    state::{Pane, notice},
};
use crate::tui::keys::{Action, Context, Key, action};

/// Rows that one step of the wheel moves.
const WHEEL: isize = 3;
/// Columns that one step to the side moves.
const ASIDE: usize = 16;

impl Pane {
    /// Takes an input and says what shall be done.
    pub fn update(&mut self, input: PaneInput) -> Vec<PaneEffect> {
        match input {
            PaneInput::Records(records) => {
                self.store(records);
                Vec::new()
            }
            PaneInput::Key(key) => self.key(&key),
            PaneInput::Mouse(mouse) => self.mouse(mouse),
            PaneInput::Paste(text) => self.paste(&text),
            PaneInput::Select(selection) => self.select(selection),
            PaneInput::Tick(now) => self.tick(now),
            PaneInput::Saved(result) => self.saved(result),
        }
    }

    /// Stores what has come. Nothing here looks into a line.
    fn store(&mut self, records: Vec<LogRecord>) {
        for record in records {
            match self.ring.push(record) {
                Pushed::New(id) => {
                    if self.passes(id) {
                        self.shown.set(id, true);
                        if let Some(hold) = &mut self.hold {
                            hold.new += 1;
                        }
                    }
                }
                Pushed::Instead(id) => {
                    self.heights.get_mut().forget(id);
                    let passes = self.passes(id);
                    self.shown.set(id, passes);
                    let matches = passes && self.search.as_ref().is_some_and(|search| self.look(search, id).0);
                    if let Some(search) = &mut self.search {
                        search.recheck(id, matches);
                    }
                }
            }
            // With each record: a batch may be larger than what is held.
            self.shown.drop_before(self.ring.first());
        }
        let first = self.ring.first();
        if let Some(search) = &mut self.search {
            search.drop_before(first);
        }
        self.open = self.open.filter(|id| *id >= first);
        self.settle();
    }

    fn passes(&self, id: Id) -> bool {
        self.ring.get(id).is_some_and(|held| held.passes(self.least))
    }

    /// Whether the search finds something in this record, and how many bytes that was.
    pub(super) fn look(&self, search: &Search, id: Id) -> (bool, usize) {
        let Some((held, body)) = self.body(id) else { return (false, 0) };
        (search.is_in(&body.text), held.cost())
    }

    fn select(&mut self, selection: Selection) -> Vec<PaneEffect> {
        self.ring.clear();
        self.shown.clear();
        self.hold = None;
        self.open = None;
        self.left = 0;
        if let Some(search) = &mut self.search {
            search.again(self.ring.end());
            search.wanted = None;
        }
        self.selection = selection;
        let (services, replica) = match &self.selection {
            Selection::All => (String::new(), None),
            Selection::Service(name) => (name.clone(), None),
            Selection::Replica(name, replica) => (name.clone(), Some(*replica)),
        };
        let tail = Some(self.config.tail);
        vec![PaneEffect::Subscribe(LogsQuery {
            services,
            replica,
            follow: true,
            tail,
            partial: true,
            ..LogsQuery::default()
        })]
    }

    fn tick(&mut self, now: Timestamp) -> Vec<PaneEffect> {
        self.now = now;
        self.search_on();
        self.go_on()
    }

    /// Searches a little further.
    pub(super) fn search_on(&mut self) {
        let Some(mut search) = self.search.take() else { return };
        search.step(&self.shown, self.ring.end(), Budget::STEP, |search, id| self.look(search, id));
        self.search = Some(search);
    }

    fn key(&mut self, key: &KeyEvent) -> Vec<PaneEffect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        if self.prompt.is_some() {
            return self.typed(key);
        }
        let action = Key::of(key).and_then(|key| action(Context::Logs, key));
        action.map_or_else(Vec::new, |action| self.act(action))
    }

    /// Does what a key of this table means.
    pub fn act(&mut self, action: Action) -> Vec<PaneEffect> {
        let page = isize::from(i16::try_from(self.area.height).unwrap_or(i16::MAX));
        match action {
            Action::Up => self.step(Way::Previous),
            Action::Down => self.step(Way::Next),
            Action::PageUp => self.scroll(-(page - 1).max(1)),
            Action::PageDown => self.scroll((page - 1).max(1)),
            Action::HalfUp => self.scroll(-(page / 2).max(1)),
            Action::HalfDown => self.scroll((page / 2).max(1)),
            Action::First => self.go_to_first(),
            Action::Last => self.follow(),
            Action::Left => self.left = self.left.saturating_sub(ASIDE),
            Action::Right if self.wrap => return notice("lines are wrapped: W shows one row each"),
            Action::Right => self.left = (self.left + ASIDE).min(super::body::SHOWN),
            Action::Leftmost => self.left = 0,
            Action::Search => self.ask(Asking::Search(None)),
            Action::Next => return self.find(Way::Next),
            Action::Previous => return self.find(Way::Previous),
            Action::Level => self.next_level(),
            Action::Wrap => (self.wrap, self.left) = (!self.wrap, 0),
            Action::Times => self.times = self.times.next(),
            Action::Raw => self.turn_raw(),
            Action::Open => self.turn_open(),
            Action::Choose => self.choose(),
            Action::Copy => return self.copy(),
            Action::Save => {
                if self.shown.len() == 0 {
                    return notice("there is no line to save");
                }
                self.ask(Asking::Save);
            }
            Action::Back => self.back(),
            // Those of others.
            Action::Quit
            | Action::Interrupt
            | Action::Detach
            | Action::Suspend
            | Action::Redraw
            | Action::Focus
            | Action::Zoom
            | Action::Grow
            | Action::Shrink
            | Action::Unfold
            | Action::Fold
            | Action::Toggle
            | Action::Sort
            | Action::Reverse
            | Action::Filter
            | Action::Start
            | Action::Stop
            | Action::Restart
            | Action::Scale
            | Action::Signal
            | Action::Yes
            | Action::No
            | Action::Enter
            | Action::Erase
            | Action::Clear
            | Action::EraseWord
            | Action::Logs
            | Action::Graph
            | Action::Events
            | Action::Why
            | Action::Help
            | Action::Palette
            | Action::Ground
            | Action::Needs
            | Action::NeededBy
            | Action::PanLeft
            | Action::PanRight
            | Action::Only
            | Action::Complete
            | Action::CompleteBack
            | Action::Older
            | Action::Newer => {}
        }
        Vec::new()
    }

    fn next_level(&mut self) {
        self.least = match self.least {
            Level::Trace => Level::Debug,
            Level::Debug => Level::Info,
            Level::Info => Level::Warn,
            Level::Warn => Level::Error,
            Level::Error | Level::Fatal => Level::Trace,
        };
        let (ring, least) = (&self.ring, self.least);
        self.shown =
            Shown::of((ring.first()..ring.end()).filter(|id| ring.get(*id).is_some_and(|held| held.passes(least))));
        if let Some(search) = &mut self.search {
            search.again(self.ring.end());
        }
        self.settle();
    }

    fn turn_raw(&mut self) {
        self.raw = !self.raw;
        // What is shown is what is searched.
        if let Some(search) = &mut self.search {
            search.again(self.ring.end());
        }
    }

    /// One thing at a time: the chosen lines, the open record, the search, and then it follows again.
    fn back(&mut self) {
        if let Some(hold) = &mut self.hold
            && hold.mark.is_some()
        {
            hold.mark = None;
        } else if self.open.is_some() {
            self.open = None;
        } else if self.search.is_some() {
            self.search = None;
        } else {
            self.follow();
        }
    }

    fn mouse(&mut self, mouse: MouseEvent) -> Vec<PaneEffect> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.scroll(-WHEEL),
            MouseEventKind::ScrollDown => self.scroll(WHEEL),
            MouseEventKind::ScrollLeft => self.left = self.left.saturating_sub(ASIDE),
            MouseEventKind::ScrollRight if !self.wrap => self.left = (self.left + ASIDE).min(super::body::SHOWN),
            MouseEventKind::Down(MouseButton::Left) if self.area.contains(at) => self.point(at.y, false),
            MouseEventKind::Drag(MouseButton::Left) => self.point(at.y, true),
            _ => {}
        }
        Vec::new()
    }

    fn saved(&mut self, result: SaveResult) -> Vec<PaneEffect> {
        match result {
            SaveResult::Done { path, bytes } => {
                notice(format!("saved {path} ({} bytes)", super::body::grouped(bytes as u64)))
            }
            SaveResult::Exists(path) => {
                self.ask(Asking::Replace(path));
                Vec::new()
            }
            SaveResult::Failed { path, why } => notice(format!("cannot save {path}: {why}")),
        }
    }
}
