//! The commands there are: made from the key table.

use crate::tui::keys::{Action, TABLE};

/// What comes behind a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    /// Nothing.
    Nothing,
    /// Services; without any, the selected one.
    Services,
    /// One service; without it, the selected one.
    Service,
    /// `api=3`.
    Scale,
    /// `api HUP`, `api/0 HUP`.
    Signal,
    /// `dark` or `light`.
    Ground,
    /// A column of the table.
    Column,
    /// Any text.
    Text,
}

/// A command.
#[derive(Clone, Debug)]
pub struct Word {
    /// Its name.
    pub word: &'static str,
    /// What it does without anything behind it.
    pub action: Action,
    /// What may come behind it.
    pub wants: Wants,
    /// One line for people.
    pub help: &'static str,
    /// A key that does the same.
    pub key: String,
}

const fn wants(action: Action) -> Wants {
    match action {
        Action::Start | Action::Stop | Action::Restart => Wants::Services,
        Action::Logs | Action::Events | Action::Why | Action::Graph | Action::Unfold | Action::Fold => Wants::Service,
        Action::Scale => Wants::Scale,
        Action::Signal => Wants::Signal,
        Action::Ground => Wants::Ground,
        Action::Sort => Wants::Column,
        Action::Filter => Wants::Text,
        _ => Wants::Nothing,
    }
}

/// All commands, each once, in the order of the key table; without what nobody may do.
pub fn words(read_only: bool) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for line in TABLE {
        let Some(word) = line.action.word() else { continue };
        if (read_only && line.action.changes()) || words.iter().any(|other| other.word == word) {
            continue;
        }
        let key = line.keys.first().map(|key| key.label()).unwrap_or_default();
        // The word stands before it anyway.
        let help = line.help.strip_prefix(word).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(line.help);
        words.push(Word { word, action: line.action, wants: wants(line.action), help, key });
    }
    words
}
