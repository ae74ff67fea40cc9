//! What the command palette does.

use super::{
    app::{App, Focus, View},
    dialog::{Answer, Dialog},
    keys::{Action, Key},
    news::{Effect, Request},
    palette::{self, Order, Palette, Typed},
};

impl App {
    /// A key while the palette is open.
    pub(super) fn palette_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(mut open) = self.views.palette.take() else { return Vec::new() };
        let offers = palette::offers(open.typed(), &self.model, self.read_only);
        match open.key(key, &offers, &self.views.past) {
            Typed::On => self.views.palette = Some(open),
            Typed::Left => {}
            Typed::Entered => return self.entered(open),
        }
        Vec::new()
    }

    fn entered(&mut self, mut open: Palette) -> Vec<Effect> {
        let line = open.text().trim().to_owned();
        if line.is_empty() {
            return Vec::new();
        }
        let mut order = palette::parse(&line, &self.model, self.read_only);
        let mut meant = line;
        // What is no command and no name yet means the best of what it could become.
        if order.is_err() && !meant.contains(char::is_whitespace) {
            let offers = palette::offers(&meant, &self.model, self.read_only);
            if let Some(best) = offers.list.into_iter().next().filter(|best| best.text != meant) {
                order = palette::parse(&best.text, &self.model, self.read_only);
                meant = best.text;
            }
        }
        match order {
            Ok(order) => {
                self.views.past.push(&meant);
                self.obey(order)
            }
            Err(why) => {
                open.refuse(why);
                self.views.palette = Some(open);
                Vec::new()
            }
        }
    }

    fn obey(&mut self, order: Order) -> Vec<Effect> {
        match order {
            Order::Act(action) => match view_of(action) {
                // Named, it is shown; only its key turns it off again.
                Some(view) => self.open_view(view),
                None => {
                    if action.is_about_lines() {
                        // What is done to lines shall be seen.
                        (self.view, self.focus) = (View::Logs, Focus::Below);
                    }
                    self.act(action)
                }
            },
            Order::Change(request) => self.ask_or_do(request),
            Order::At(name, action) => {
                self.go_to(&name);
                match view_of(action) {
                    Some(view) => {
                        let effects = self.open_view(view);
                        self.focus = Focus::Below;
                        effects
                    }
                    None => self.act(action),
                }
            }
            Order::Select(name) => {
                self.go_to(&name);
                Vec::new()
            }
            Order::Filter(text) => {
                self.table.set_filter(text, &self.model);
                Vec::new()
            }
            Order::Sort(column) => {
                self.table.sort_by(column, &self.model);
                Vec::new()
            }
            Order::Ground(ground) => vec![Effect::Ground(Some(ground))],
        }
    }

    /// Asks first where it hurts.
    fn ask_or_do(&mut self, request: Request) -> Vec<Effect> {
        let text = match &request {
            Request::Start(_) | Request::Scale(..) | Request::Signal { .. } => return self.request(request),
            Request::Stop(names) => format!("stop {}?", names.join(", ")),
            Request::Restart(names) => format!("restart {}, one replica at a time?", names.join(", ")),
        };
        self.dialog = Some(Dialog::Confirm { text, yes: Answer::Do(request) });
        Vec::new()
    }
}

const fn view_of(action: Action) -> Option<View> {
    match action {
        Action::Logs => Some(View::Logs),
        Action::Graph => Some(View::Graph),
        Action::Events => Some(View::Events),
        Action::Why => Some(View::Why),
        _ => None,
    }
}
