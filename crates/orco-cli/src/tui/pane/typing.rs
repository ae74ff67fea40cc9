//! What is typed into the pane's own line.

use ratatui::crossterm::event::KeyEvent;

use super::{
    contract::PaneEffect,
    prompt::{Asking, Prompt, Typed},
    search::{Search, Way},
    state::{Pane, notice},
};

impl Pane {
    /// Asks for something.
    pub(super) fn ask(&mut self, asking: Asking) {
        let (asking, text) = match asking {
            Asking::Search(_) => (Asking::Search(self.search.take()), String::new()),
            Asking::Save => (Asking::Save, self.default_path()),
            Asking::Replace(path) => (Asking::Replace(path), String::new()),
        };
        self.prompt = Some(Prompt::new(asking, text));
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<PaneEffect> {
        if let Some(prompt) = &mut self.prompt {
            prompt.insert(text);
            self.changed();
        }
        Vec::new()
    }

    pub(super) fn typed(&mut self, key: &KeyEvent) -> Vec<PaneEffect> {
        let Some(prompt) = &mut self.prompt else { return Vec::new() };
        match prompt.key(key) {
            Typed::Nothing => {}
            Typed::Changed => self.changed(),
            Typed::Left => self.leave(),
            Typed::Done => return self.take(),
        }
        Vec::new()
    }

    /// Searches for what is typed so far, or says what is wrong with it.
    fn changed(&mut self) {
        let Some(prompt) = &mut self.prompt else { return };
        if !matches!(prompt.asking, Asking::Search(_)) {
            return;
        }
        prompt.error = None;
        self.search = None;
        if prompt.text.is_empty() {
            return;
        }
        match Search::new(&prompt.text, self.ring.end()) {
            Ok(search) => self.search = Some(search),
            Err(error) => prompt.error = Some(error),
        }
    }

    /// As if nothing had been asked.
    fn leave(&mut self) {
        if let Some(Prompt { asking: Asking::Search(before), .. }) = self.prompt.take() {
            self.search = before;
            if let Some(search) = &mut self.search {
                // Records have come and gone meanwhile.
                search.again(self.ring.end());
            }
        }
    }

    /// Does what was asked for.
    fn take(&mut self) -> Vec<PaneEffect> {
        let Some(prompt) = self.prompt.take() else { return Vec::new() };
        match prompt.asking {
            Asking::Search(_) if prompt.error.is_some() => {
                self.prompt = Some(prompt);
                Vec::new()
            }
            Asking::Search(_) if prompt.text.is_empty() => {
                // The same again, as elsewhere.
                self.search = Search::new(&self.pattern, self.ring.end()).ok().filter(|s| !s.pattern.is_empty());
                if self.search.is_some() { self.find(Way::Next) } else { Vec::new() }
            }
            Asking::Search(_) => {
                self.pattern = prompt.text;
                self.find(Way::Next)
            }
            Asking::Save => {
                let path = prompt.text.trim().to_owned();
                if path.is_empty() { notice("nothing saved") } else { self.save(path, false) }
            }
            Asking::Replace(path) => {
                if prompt.text == "y" {
                    self.save(path, true)
                } else {
                    notice(format!("{path} is left as it was"))
                }
            }
        }
    }
}
