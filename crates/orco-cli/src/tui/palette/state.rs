//! What is typed, and what was typed before.

use std::collections::VecDeque;

use super::offer::Offers;
use crate::tui::keys::{self, Action, Context, Key};
use ratatui::crossterm::event::KeyCode;

/// The longest command, in characters.
const LONGEST: usize = 500;
/// Commands that are remembered.
const REMEMBERED: usize = 100;

/// What was typed before, oldest first; of this session alone.
#[derive(Clone, Debug, Default)]
pub struct Past(VecDeque<String>);

impl Past {
    /// Remembers a command.
    pub fn push(&mut self, line: &str) {
        if line.is_empty() || self.0.back().is_some_and(|last| last == line) {
            return;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    /// One of them; 0 is the last.
    fn get(&self, back: usize) -> Option<&String> {
        self.0.iter().rev().nth(back)
    }
}

/// The palette while it is open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Palette {
    text: String,
    /// What was typed by hand, while offers are tried, and which of them it is.
    tried: Option<(String, usize)>,
    /// How far back in what was typed before, and what was there instead.
    back: Option<(usize, String)>,
    error: Option<String>,
}

/// What became of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    /// It goes on.
    On,
    /// It is closed.
    Left,
    /// What was typed shall be done.
    Entered,
}

impl Palette {
    /// What is typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the offers are for: what was typed by hand.
    pub fn typed(&self) -> &str {
        self.tried.as_ref().map_or(&self.text, |(typed, _)| typed)
    }

    /// The offer that is tried.
    pub fn tried(&self) -> Option<usize> {
        self.tried.as_ref().map(|(_, at)| *at)
    }

    /// Why what was typed cannot be done.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Says so.
    pub fn refuse(&mut self, why: String) {
        self.error = Some(why);
    }

    /// A key for it. `offers` are for [`typed`](Self::typed).
    pub fn key(&mut self, key: Key, offers: &Offers, past: &Past) -> Typed {
        let action = keys::action(Context::Palette, key);
        match action {
            Some(Action::Enter) => return Typed::Entered,
            Some(Action::Back) => return Typed::Left,
            Some(Action::Erase) if self.text.is_empty() => return Typed::Left,
            Some(Action::Complete) => self.complete(offers, 1),
            Some(Action::CompleteBack) => self.complete(offers, -1),
            Some(Action::Older) => self.recall(past, 1),
            Some(Action::Newer) => self.recall(past, -1),
            Some(Action::Erase) => self.edit(|text| {
                text.pop();
            }),
            Some(Action::EraseWord) => self.edit(|text| {
                let end = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
                text.truncate(end);
            }),
            Some(Action::Clear) => self.edit(String::clear),
            _ => {
                if let Key { code: KeyCode::Char(c), ctrl: false } = key {
                    self.paste(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        Typed::On
    }

    /// A text that was pasted, up to the end of its first line.
    pub fn paste(&mut self, pasted: &str) {
        self.edit(|text| {
            let room = LONGEST.saturating_sub(text.chars().count());
            let line = pasted.lines().next().unwrap_or_default();
            text.extend(line.chars().filter(|c| !c.is_control()).take(room));
        });
    }

    fn edit(&mut self, change: impl FnOnce(&mut String)) {
        change(&mut self.text);
        (self.tried, self.back, self.error) = (None, None, None);
    }

    /// Tries the next offer, or the one before. Where there is only one, it can be gone on with at once.
    fn complete(&mut self, offers: &Offers, by: isize) {
        let count = offers.list.len();
        if count == 0 {
            return;
        }
        let at = match (self.tried(), by > 0) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        };
        let Some(offer) = offers.list.get(at) else { return };
        let typed = self.typed().to_owned();
        self.text = format!("{}{}", offers.kept, offer.text);
        if offer.goes_on {
            self.text.push(' ');
        }
        self.tried = (count > 1).then_some((typed, at));
        (self.back, self.error) = (None, None);
    }

    fn recall(&mut self, past: &Past, by: isize) {
        let (at, instead) = match &self.back {
            None if by < 0 => return,
            None => (0, self.text.clone()),
            Some((at, instead)) => match at.checked_add_signed(by) {
                Some(at) => (at, instead.clone()),
                None => {
                    let instead = instead.clone();
                    self.edit(|text| *text = instead);
                    return;
                }
            },
        };
        if let Some(line) = past.get(at) {
            self.edit(|text| text.clone_from(line));
            self.back = Some((at, instead));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        model::Model,
        palette::{Offers, offers},
        samples,
    };

    fn press(palette: &mut Palette, past: &Past, keys: &[KeyCode]) -> Typed {
        let model = Model { status: Some(samples::status()), ..Model::default() };
        let mut typed = Typed::On;
        for code in keys {
            let offers: Offers = offers(palette.typed(), &model, false);
            typed = palette.key(Key { code: *code, ctrl: false }, &offers, past);
        }
        typed
    }

    fn after(text: &str, keys: &[KeyCode]) -> String {
        let mut palette = Palette::default();
        palette.paste(text);
        press(&mut palette, &Past::default(), keys);
        palette.text().to_owned()
    }

    #[test]
    fn tab_completes_and_goes_round() {
        let (tab, back) = (KeyCode::Tab, KeyCode::BackTab);
        assert_eq!(after("resta", &[tab]), "restart ");
        assert_eq!(after("restart wo", &[tab]), "restart worker ");
        assert_eq!(after("restart w", &[tab]), "restart web ");
        assert_eq!(after("restart w", &[tab, tab]), "restart worker ");
        assert_eq!(after("restart w", &[tab, tab, tab]), "restart web ");
        assert_eq!(after("restart w", &[back]), "restart worker ");
        // Whatever it is that was completed, what is typed next is the next word.
        assert_eq!(after("st", &[tab, KeyCode::Char('w')]), "start w");
        assert_eq!(after("restart web w", &[tab]), "restart web worker ");
        assert_eq!(after("scale ap", &[tab]), "scale api=");
        assert_eq!(after("signal api HU", &[tab]), "signal api HUP ");
        assert_eq!(after("theme l", &[tab]), "theme light ");
        assert_eq!(after("xyzzy", &[tab]), "xyzzy");
    }

    #[test]
    fn what_was_typed_before_comes_back_and_goes() {
        let mut past = Past::default();
        ["first", "second", "second"].iter().for_each(|line| past.push(line));
        let mut palette = Palette::default();
        palette.paste("now");
        let mut seen = Vec::new();
        for code in [KeyCode::Up, KeyCode::Up, KeyCode::Up, KeyCode::Down, KeyCode::Down, KeyCode::Down] {
            press(&mut palette, &past, &[code]);
            seen.push(palette.text().to_owned());
        }
        assert_eq!(seen, ["second", "first", "first", "second", "now", "now"]);
        (0..300).for_each(|at| past.push(&at.to_string()));
        assert_eq!(past.0.len(), REMEMBERED);
    }

    #[test]
    fn edited_left_and_bounded() {
        let mut palette = Palette::default();
        palette.paste(&format!("restart api\x1b\nnext{}", "x".repeat(900)));
        assert_eq!(palette.text(), "restart api");
        let past = Past::default();
        assert_eq!(press(&mut palette, &past, &[KeyCode::Enter]), Typed::Entered);
        palette.refuse("no".into());
        press(&mut palette, &past, &[KeyCode::Char('x')]);
        assert_eq!((palette.error(), palette.text()), (None, "restart apix"));
        let ctrl = |c| Key { code: KeyCode::Char(c), ctrl: true };
        let none = Offers::default();
        palette.key(ctrl('w'), &none, &past);
        assert_eq!(palette.text(), "restart ");
        palette.key(ctrl('u'), &none, &past);
        assert_eq!(palette.key(Key { code: KeyCode::Backspace, ctrl: false }, &none, &past), Typed::Left);
        palette.paste(&"x".repeat(900));
        assert_eq!(palette.text().len(), LONGEST);
    }
}
