//! What keys do.

use ratatui::crossterm::event::KeyEvent;

use super::{
    app::{App, Focus, Home, View},
    dialog::{Answer, Dialog, Purpose, Reply},
    graph::Way,
    keys::{self, Action, Context, Key},
    layout::Zoom,
    news::{Effect, Ended, Request},
    palette::Palette,
    table::Row,
    theme::Role,
};

impl App {
    pub(super) fn key(&mut self, event: &KeyEvent) -> Vec<Effect> {
        let Some(key) = Key::of(event) else { return Vec::new() };
        let anywhere = keys::action(Context::Anywhere, key);
        // These two work whatever is asked or typed.
        if let Some(action @ (Action::Interrupt | Action::Suspend)) = anywhere {
            return self.act(action);
        }
        if let Some(dialog) = self.dialog.take() {
            let reply = dialog.key(key);
            return self.reply(reply);
        }
        if self.views.palette.is_some() {
            return self.palette_key(key);
        }
        if self.views.help.is_some() {
            self.help_key(key);
            return Vec::new();
        }
        if self.is_for_logs(key) {
            return self.logs_key(*event);
        }
        if let Some(action) = anywhere {
            return self.act(action);
        }
        if self.in_logs() {
            return self.logs_key(*event);
        }
        keys::action(self.context(), key).map_or_else(Vec::new, |action| self.act(action))
    }

    /// Does what a key, a click or the palette asks for.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Quit => return self.quit(),
            Action::Interrupt => return self.interrupt(),
            Action::Detach => return self.detach(),
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::Focus => self.turn_focus(),
            Action::Zoom => self.turn_zoom(),
            Action::Grow => self.resize_table(1),
            Action::Shrink => self.resize_table(-1),
            Action::Back => self.back(),
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.turn_page(-1),
            Action::PageDown => self.turn_page(1),
            Action::First => self.step(isize::MIN),
            Action::Last => self.step(isize::MAX),
            Action::Unfold => self.table.unfold(true, &self.model),
            Action::Fold => self.table.unfold(false, &self.model),
            Action::Toggle => self.toggle(),
            Action::Sort => self.table.sort_next(&self.model),
            Action::Reverse => self.table.turn(&self.model),
            Action::Filter => self.ask_filter(),
            Action::Start => return self.on_services(Request::Start),
            Action::Stop => self.confirm("stop", "", Request::Stop),
            Action::Restart => self.confirm("restart", ", one replica at a time", Request::Restart),
            Action::Scale => self.ask_scale(),
            Action::Signal => self.ask_signal(),
            Action::Logs => return self.open_view(View::Logs),
            Action::Graph => return self.turn_view(View::Graph),
            Action::Events => return self.turn_view(View::Events),
            Action::Why => return self.turn_view(View::Why),
            Action::Help => self.views.help = Some(0),
            Action::Palette => self.views.palette = Some(Palette::default()),
            Action::Ground => return vec![Effect::Ground(None)],
            Action::Needs => self.follow_edge(Way::Needs),
            Action::NeededBy => self.follow_edge(Way::NeededBy),
            Action::PanLeft => self.pan(false),
            Action::PanRight => self.pan(true),
            Action::Open if !self.shows_logs() => self.open_selected(),
            Action::Only => self.views.events.turn(),
            Action::HalfUp
            | Action::HalfDown
            | Action::Left
            | Action::Right
            | Action::Leftmost
            | Action::Search
            | Action::Next
            | Action::Previous
            | Action::Level
            | Action::Wrap
            | Action::Times
            | Action::Raw
            | Action::Open
            | Action::Choose
            | Action::Copy
            | Action::Save => return self.logs_action(action),
            // Answers to dialogs.
            Action::Yes | Action::No | Action::Enter | Action::Erase | Action::EraseWord | Action::Clear => {}
            // Of the palette itself.
            Action::Complete | Action::CompleteBack | Action::Older | Action::Newer => {}
        }
        Vec::new()
    }

    fn quit(&mut self) -> Vec<Effect> {
        match (self.home, self.stopping) {
            (Home::Attached, _) => vec![Effect::End(Ended::Left)],
            // Asked already; it goes on.
            (Home::Here, Some(_)) => {
                self.say(Role::Busy, "stopping everything in order; Ctrl-C kills what is left");
                Vec::new()
            }
            (Home::Here, None) => {
                let text = format!("quit, and stop all of {}?", self.model.stack());
                self.dialog = Some(Dialog::Confirm { text, yes: Answer::StopStack });
                Vec::new()
            }
        }
    }

    fn detach(&mut self) -> Vec<Effect> {
        match (self.home, self.stopping) {
            (Home::Attached, _) => vec![Effect::End(Ended::Left)],
            (Home::Here, Some(_)) => Vec::new(),
            (Home::Here, None) => {
                let text = "this stack lives with this program (`orco up -d` would outlive it): quit, and stop it?";
                self.dialog = Some(Dialog::Confirm { text: text.to_owned(), yes: Answer::StopStack });
                Vec::new()
            }
        }
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        match self.home {
            Home::Attached => vec![Effect::End(Ended::Interrupted)],
            Home::Here => {
                self.killing = self.stopping.is_some();
                self.begin_stopping();
                vec![Effect::Interrupt]
            }
        }
    }

    fn turn_focus(&mut self) {
        self.focus = match self.focus {
            Focus::Table => Focus::Below,
            Focus::Below => Focus::Table,
        };
        if self.zoom.is_some() {
            self.zoom = Some(self.zoomed());
        }
    }

    const fn zoomed(&self) -> Zoom {
        match self.focus {
            Focus::Table => Zoom::Table,
            Focus::Below => Zoom::Below,
        }
    }

    fn turn_zoom(&mut self) {
        self.zoom = if self.zoom.is_some() { None } else { Some(self.zoomed()) };
    }

    fn resize_table(&mut self, by: i16) {
        let now = self.parts().table.height;
        self.split = Some(now.saturating_add_signed(by));
        // As it was cut, not as it was asked for: the next key shall move it at once.
        self.split = Some(self.parts().table.height);
    }

    fn back(&mut self) {
        if self.view != View::Logs {
            self.close_view();
        } else if self.zoom.is_some() {
            self.zoom = None;
        } else if self.focus == Focus::Below {
            self.focus = Focus::Table;
        } else if !self.table.filter().is_empty() {
            self.table.set_filter(String::new(), &self.model);
        }
    }

    fn page(&self) -> isize {
        let parts = self.parts();
        let height = if self.focus == Focus::Table { parts.table.height.saturating_sub(2) } else { parts.below.height };
        isize::try_from(height.max(1)).unwrap_or(1)
    }

    fn turn_page(&mut self, by: isize) {
        if self.focus == Focus::Below && self.is_event_open() {
            self.scroll_event(by, true);
        } else {
            self.step(by * self.page());
        }
    }

    fn step(&mut self, by: isize) {
        if self.focus == Focus::Table {
            self.table.step(by);
        } else {
            self.step_below(by);
        }
    }

    pub(super) fn toggle(&mut self) {
        if let Some(name) = self.selected_service() {
            let show = !self.table.is_unfolded(&name);
            self.table.unfold(show, &self.model);
        }
    }

    /// The selected service, or all of them.
    fn services(&self) -> Vec<String> {
        match self.selected_service() {
            Some(name) => vec![name],
            None => self.model.services().map(|service| service.name.clone()).collect(),
        }
    }

    fn on_services(&mut self, request: fn(Vec<String>) -> Request) -> Vec<Effect> {
        let services = self.services();
        if services.is_empty() { Vec::new() } else { self.request(request(services)) }
    }

    fn confirm(&mut self, verb: &str, how: &str, request: fn(Vec<String>) -> Request) {
        if self.refused() {
            return;
        }
        let services = self.services();
        let what = match services.as_slice() {
            [] => return,
            [one] => one.clone(),
            many => format!("all {} services", many.len()),
        };
        let text = format!("{verb} {what}{how}?");
        self.dialog = Some(Dialog::Confirm { text, yes: Answer::Do(request(services)) });
    }

    /// Says so where nothing may be changed, before anything is asked.
    fn refused(&mut self) -> bool {
        if self.read_only {
            self.say(Role::Busy, "read-only: nothing can be changed here");
        }
        self.read_only
    }

    fn ask_filter(&mut self) {
        let text = self.table.filter().to_owned();
        self.dialog = Some(Dialog::Input { purpose: Purpose::Filter(text.clone()), text, offered: false });
    }

    fn ask_scale(&mut self) {
        if self.refused() {
            return;
        }
        let Some(name) = self.selected_service() else {
            self.say(Role::Busy, "select a service first");
            return;
        };
        let now = self.model.service(&name).map_or(1, |service| service.replicas);
        self.dialog = Some(Dialog::Input { purpose: Purpose::Scale(name), text: now.to_string(), offered: true });
    }

    fn ask_signal(&mut self) {
        if self.refused() {
            return;
        }
        let (name, replica) = match self.table.selected().clone() {
            Row::All => {
                self.say(Role::Busy, "select a service first");
                return;
            }
            Row::Service(name) => (name, None),
            Row::Replica(name, replica) => (name, Some(replica)),
        };
        self.dialog =
            Some(Dialog::Input { purpose: Purpose::Signal(name, replica), text: "HUP".to_owned(), offered: true });
    }

    fn reply(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::On(dialog) => self.goes_on(dialog),
            Reply::Left(Dialog::Input { purpose: Purpose::Filter(before), .. }) => {
                self.table.set_filter(before, &self.model);
            }
            Reply::Left(_) | Reply::Typed(Purpose::Filter(_), _) => {}
            Reply::Yes(Answer::StopStack) => return self.interrupt(),
            Reply::Yes(Answer::Do(request)) => return self.request(request),
            Reply::Typed(Purpose::Scale(service), text) => match text.trim().parse::<u32>() {
                Ok(0) => self.say(Role::Bad, format!("to have none of {service}, stop it")),
                Ok(replicas) => return self.request(Request::Scale(service, replicas)),
                Err(_) => self.say(Role::Bad, format!("`{text}` is not a number of replicas")),
            },
            Reply::Typed(Purpose::Signal(service, replica), text) => {
                let signal = text.trim().to_owned();
                if !signal.is_empty() {
                    return self.request(Request::Signal { service, replica, signal });
                }
            }
        }
        Vec::new()
    }

    fn goes_on(&mut self, dialog: Dialog) {
        if let Dialog::Input { purpose: Purpose::Filter(_), text, .. } = &dialog {
            // Seen while it is typed.
            self.table.set_filter(text.clone(), &self.model);
        }
        self.dialog = Some(dialog);
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        if let Some(dialog) = self.dialog.take() {
            self.goes_on(dialog.paste(text));
            return Vec::new();
        }
        if let Some(palette) = &mut self.views.palette {
            palette.paste(text);
            return Vec::new();
        }
        if self.in_logs() { self.logs_paste(text.to_owned()) } else { Vec::new() }
    }
}
