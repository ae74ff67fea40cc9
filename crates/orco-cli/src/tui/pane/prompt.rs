//! A line that is typed at the bottom of the pane.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::search::Search;
use crate::tui::keys::{Action, Context, Key, action};

/// Nobody types more (characters).
const LONGEST: usize = 1_000;

/// What is asked for.
#[derive(Debug)]
pub enum Asking {
    /// What to search for, and what was searched for before.
    Search(Option<Search>),
    /// Where to save.
    Save,
    /// Whether the file of this name may be replaced.
    Replace(String),
}

/// The line.
#[derive(Debug)]
pub struct Prompt {
    pub asking: Asking,
    pub text: String,
    /// Where the next character goes (bytes).
    pub at: usize,
    /// What is wrong with it so far.
    pub error: Option<String>,
}

/// What a key did to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    Nothing,
    Changed,
    Done,
    Left,
}

impl Prompt {
    /// With a text to begin from.
    pub fn new(asking: Asking, text: String) -> Self {
        Self { asking, at: text.len(), text, error: None }
    }

    /// Puts text in; what is no text stays out.
    pub fn insert(&mut self, text: &str) {
        if matches!(self.asking, Asking::Replace(_)) {
            return;
        }
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() >= LONGEST {
                return;
            }
            self.text.insert(self.at, c);
            self.at += c.len_utf8();
        }
    }

    /// A key.
    pub fn key(&mut self, key: &KeyEvent) -> Typed {
        if matches!(self.asking, Asking::Replace(_)) {
            return self.answer(key);
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Typed::Done,
            KeyCode::Esc => return Typed::Left,
            KeyCode::Char('c') if ctrl => return Typed::Left,
            KeyCode::Left => self.at = self.before(),
            KeyCode::Right => self.at = self.after(),
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = self.text.len(),
            KeyCode::Char('a') if ctrl => self.at = 0,
            KeyCode::Char('e') if ctrl => self.at = self.text.len(),
            KeyCode::Backspace if self.text.is_empty() => return Typed::Left,
            KeyCode::Backspace => return self.erase(self.before()),
            KeyCode::Char('h') if ctrl => return self.erase(self.before()),
            KeyCode::Char('u') if ctrl => return self.erase(0),
            KeyCode::Char('w') if ctrl => return self.erase(self.word()),
            KeyCode::Delete => {
                let end = self.after();
                self.text.replace_range(self.at..end, "");
                return Typed::Changed;
            }
            KeyCode::Char(c) if !ctrl && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.insert(c.encode_utf8(&mut [0; 4]));
                return Typed::Changed;
            }
            _ => {}
        }
        Typed::Nothing
    }

    /// A key that may be the answer to a question. Enter is none: it ended the name of the file a moment ago.
    fn answer(&mut self, key: &KeyEvent) -> Typed {
        let meant =
            Key::of(key).filter(|key| key.code != KeyCode::Enter).and_then(|key| action(Context::Question, key));
        self.text = match meant {
            Some(Action::Yes) => "y".to_owned(),
            Some(Action::No) => "n".to_owned(),
            _ => return Typed::Nothing,
        };
        Typed::Done
    }

    fn before(&self) -> usize {
        self.text[..self.at].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.at..].chars().next().map_or(self.at, |c| self.at + c.len_utf8())
    }

    fn word(&self) -> usize {
        self.text[..self.at].trim_end().rfind(' ').map_or(0, |at| at + 1)
    }

    /// Takes away what is between there and the cursor.
    fn erase(&mut self, from: usize) -> Typed {
        self.text.replace_range(from..self.at, "");
        self.at = from;
        Typed::Changed
    }
}
