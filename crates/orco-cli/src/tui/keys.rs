//! THE key table: what each key does, where, and what the help says about it. Help and palette are made from it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

pub use super::action::Action;

/// Where a key has a meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Context {
    /// Wherever nothing is typed or asked.
    Anywhere,
    /// In the table.
    Table,
    /// In the log pane.
    Logs,
    /// In a view below the table that scrolls.
    Scroll,
    /// In the graph.
    Graph,
    /// In the list of events.
    Events,
    /// In the help.
    Help,
    /// In the command palette.
    Palette,
    /// While a question is asked.
    Question,
    /// While something is typed.
    Typing,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Table,
        Self::Logs,
        Self::Scroll,
        Self::Graph,
        Self::Events,
        Self::Anywhere,
        Self::Palette,
        Self::Help,
        Self::Question,
        Self::Typing,
    ];

    /// As a heading of the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Anywhere => "Anywhere",
            Self::Table => "Table",
            Self::Logs => "Log pane",
            Self::Scroll => "Views",
            Self::Graph => "Graph",
            Self::Events => "Events",
            Self::Help => "Help",
            Self::Palette => "Commands",
            Self::Question => "Questions",
            Self::Typing => "Input",
        }
    }
}

/// A key, and whether Ctrl is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// With Ctrl.
    pub ctrl: bool,
}

impl Key {
    /// The key of an event that is one; releases are none.
    pub fn of(event: &KeyEvent) -> Option<Self> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            // Some terminals tell Ctrl-C with Caps Lock as `C`.
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        (event.kind != KeyEventKind::Release).then_some(Self { code, ctrl })
    }

    /// As the help writes it.
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.ctrl => c.to_ascii_uppercase().to_string(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => format!("{other:?}"),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// Any of these.
    pub keys: &'static [Key],
    /// What it does.
    pub action: Action,
    /// One line for people, in the words of the palette.
    pub help: &'static str,
}

const fn char(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: false }
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}

const fn code(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

const fn line(context: Context, keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding { context, keys, action, help }
}

use Action as A;
use Context::{Anywhere, Events, Graph, Help, Logs, Palette, Question, Scroll, Table, Typing};

/// The table. A key stands once in a context, and what stands in `Anywhere` stands nowhere else, but for `Esc`.
pub const TABLE: &[Binding] = &[
    line(Anywhere, &[char('q')], A::Quit, "quit; in a foreground `up` this stops the stack"),
    line(Anywhere, &[ctrl('c')], A::Interrupt, "stop the stack of a foreground `up`; once more kills; elsewhere: quit"),
    line(Anywhere, &[char('d')], A::Detach, "detach: leave, the stack goes on"),
    line(Anywhere, &[ctrl('z')], A::Suspend, "suspend: back to the shell until `fg`"),
    line(Anywhere, &[ctrl('l')], A::Redraw, "draw the screen again"),
    line(Anywhere, &[code(KeyCode::Tab)], A::Focus, "go to the other part of the screen"),
    line(Anywhere, &[char('z')], A::Zoom, "zoom: this part takes the whole screen"),
    line(Anywhere, &[char('+'), char('=')], A::Grow, "more lines for the table"),
    line(Anywhere, &[char('-')], A::Shrink, "fewer lines for the table"),
    line(Anywhere, &[char('L')], A::Logs, "logs below the table"),
    line(Anywhere, &[char('g')], A::Graph, "graph: who depends on whom; again: back to the logs"),
    line(Anywhere, &[char('e')], A::Events, "events of the selected service, or all; again: back to the logs"),
    line(Anywhere, &[char('w')], A::Why, "why the selected service is not ready; again: back to the logs"),
    line(Anywhere, &[char(':')], A::Palette, "command: do anything by its name"),
    line(Anywhere, &[char('?')], A::Help, "help: these lines"),
    line(Anywhere, &[char('T')], A::Ground, "theme: for a light terminal, or a dark one"),
    line(Anywhere, &[code(KeyCode::Esc)], A::Back, "back: close, unzoom, clear the filter"),
    line(Table, &[code(KeyCode::Up), char('k')], A::Up, "one row up"),
    line(Table, &[code(KeyCode::Down), char('j')], A::Down, "one row down"),
    line(Table, &[code(KeyCode::PageUp)], A::PageUp, "one page up"),
    line(Table, &[code(KeyCode::PageDown)], A::PageDown, "one page down"),
    line(Table, &[code(KeyCode::Home)], A::First, "to the first row"),
    line(Table, &[code(KeyCode::End), char('G')], A::Last, "to the last row"),
    line(Table, &[code(KeyCode::Right)], A::Unfold, "unfold: show the replicas"),
    line(Table, &[code(KeyCode::Left)], A::Fold, "fold: hide the replicas"),
    line(Table, &[code(KeyCode::Enter), char(' ')], A::Toggle, "show or hide the replicas"),
    line(Table, &[char('o')], A::Sort, "sort by the next column"),
    line(Table, &[char('O')], A::Reverse, "sort the other way round"),
    line(Table, &[char('/')], A::Filter, "filter by name or state"),
    line(Table, &[char('s')], A::Start, "start the selected service"),
    line(Table, &[char('S')], A::Stop, "stop the selected service"),
    line(Table, &[char('r')], A::Restart, "restart the selected service, one replica at a time"),
    line(Table, &[char('n')], A::Scale, "scale: set the number of replicas"),
    line(Table, &[char('K')], A::Signal, "send a signal to the selected service or replica"),
    line(Logs, &[code(KeyCode::Up), char('k')], A::Up, "pause; one line up"),
    line(Logs, &[code(KeyCode::Down), char('j')], A::Down, "one line down; after the last it follows"),
    line(Logs, &[code(KeyCode::PageUp)], A::PageUp, "one page up"),
    line(Logs, &[code(KeyCode::PageDown), char(' ')], A::PageDown, "one page down"),
    line(Logs, &[ctrl('u')], A::HalfUp, "half a page up"),
    line(Logs, &[ctrl('d')], A::HalfDown, "half a page down"),
    line(Logs, &[code(KeyCode::Home)], A::First, "to the oldest line that is held"),
    line(Logs, &[code(KeyCode::End), char('G')], A::Last, "follow: to the newest line and on"),
    line(Logs, &[char('/')], A::Search, "search: a regular expression; any case without capitals"),
    line(Logs, &[char('n')], A::Next, "next match"),
    line(Logs, &[char('N')], A::Previous, "previous match"),
    line(Logs, &[char('l')], A::Level, "level: all, debug, info, warn, error"),
    line(Logs, &[char('W')], A::Wrap, "wrap long lines, or one row each"),
    line(Logs, &[code(KeyCode::Left)], A::Left, "to the left, where lines are not wrapped"),
    line(Logs, &[code(KeyCode::Right)], A::Right, "to the right, where lines are not wrapped"),
    line(Logs, &[char('0')], A::Leftmost, "to the beginning of the lines"),
    line(Logs, &[char('t')], A::Times, "times: none, ages, of the day (UTC)"),
    line(Logs, &[char('p')], A::Raw, "fields as name=value, or raw JSON"),
    line(Logs, &[code(KeyCode::Enter)], A::Open, "open the line: all fields, one each row"),
    line(Logs, &[char('v')], A::Choose, "choose lines from here on"),
    line(Logs, &[char('y')], A::Copy, "copy the chosen lines, or those that are seen"),
    line(Logs, &[char('>')], A::Save, "save the chosen lines, or all that are held, to a file"),
    line(Logs, &[code(KeyCode::Esc)], A::Back, "back: choice, open line, search, then follow"),
    line(Scroll, &[code(KeyCode::Up), char('k')], A::Up, "one line up"),
    line(Scroll, &[code(KeyCode::Down), char('j')], A::Down, "one line down"),
    line(Scroll, &[code(KeyCode::PageUp)], A::PageUp, "one page up"),
    line(Scroll, &[code(KeyCode::PageDown), char(' ')], A::PageDown, "one page down"),
    line(Scroll, &[code(KeyCode::Home)], A::First, "to the first line"),
    line(Scroll, &[code(KeyCode::End), char('G')], A::Last, "to the last line"),
    line(Graph, &[code(KeyCode::Up), char('k')], A::Up, "one service up"),
    line(Graph, &[code(KeyCode::Down), char('j')], A::Down, "one service down"),
    line(Graph, &[code(KeyCode::PageUp)], A::PageUp, "one page up"),
    line(Graph, &[code(KeyCode::PageDown), char(' ')], A::PageDown, "one page down"),
    line(Graph, &[code(KeyCode::Home)], A::First, "to the first service"),
    line(Graph, &[code(KeyCode::End), char('G')], A::Last, "to the last service"),
    line(Graph, &[code(KeyCode::Left), char('h')], A::Needs, "along an edge: to what it needs, least ready first"),
    line(Graph, &[code(KeyCode::Right), char('l')], A::NeededBy, "along an edge: to what needs it"),
    line(Graph, &[char('<'), char(',')], A::PanLeft, "scroll to the left"),
    line(Graph, &[char('>'), char('.')], A::PanRight, "scroll to the right"),
    line(Graph, &[code(KeyCode::Enter)], A::Open, "go to this service in the table"),
    line(Events, &[code(KeyCode::Up), char('k')], A::Up, "one event up"),
    line(Events, &[code(KeyCode::Down), char('j')], A::Down, "one event down"),
    line(Events, &[code(KeyCode::PageUp)], A::PageUp, "one page up; of the open event, where there is one"),
    line(Events, &[code(KeyCode::PageDown), char(' ')], A::PageDown, "one page down, likewise"),
    line(Events, &[code(KeyCode::Home)], A::First, "to the oldest event"),
    line(Events, &[code(KeyCode::End), char('G')], A::Last, "to the newest event, and follow"),
    line(Events, &[code(KeyCode::Enter)], A::Open, "show all of this event, or only its line"),
    line(Events, &[char('f')], A::Only, "events of the selected service, or of all"),
    line(Help, &[code(KeyCode::Up), char('k')], A::Up, "one line up"),
    line(Help, &[code(KeyCode::Down), char('j')], A::Down, "one line down"),
    line(Help, &[code(KeyCode::PageUp)], A::PageUp, "one page up"),
    line(Help, &[code(KeyCode::PageDown), char(' ')], A::PageDown, "one page down"),
    line(Help, &[code(KeyCode::Home)], A::First, "to the first line"),
    line(Help, &[code(KeyCode::End), char('G')], A::Last, "to the last line"),
    line(Help, &[code(KeyCode::Esc), char('?'), char('q')], A::Back, "close the help"),
    line(Palette, &[code(KeyCode::Enter)], A::Enter, "do it"),
    line(Palette, &[code(KeyCode::Tab)], A::Complete, "complete; again: the next one"),
    line(Palette, &[code(KeyCode::BackTab)], A::CompleteBack, "complete with the one before"),
    line(Palette, &[code(KeyCode::Up), ctrl('p')], A::Older, "an earlier command"),
    line(Palette, &[code(KeyCode::Down), ctrl('n')], A::Newer, "a later command"),
    line(
        Palette,
        &[code(KeyCode::Backspace), ctrl('h')],
        A::Erase,
        "take the last character away; the last one: leave",
    ),
    line(Palette, &[ctrl('w')], A::EraseWord, "take the last word away"),
    line(Palette, &[ctrl('u')], A::Clear, "take all of it away"),
    line(Palette, &[code(KeyCode::Esc)], A::Back, "leave it"),
    line(Question, &[char('y'), char('Y'), code(KeyCode::Enter)], A::Yes, "yes"),
    line(Question, &[char('n'), char('N'), code(KeyCode::Esc)], A::No, "no"),
    line(Typing, &[code(KeyCode::Enter)], A::Enter, "take it"),
    line(Typing, &[code(KeyCode::Esc)], A::Back, "leave it"),
    line(Typing, &[code(KeyCode::Backspace), ctrl('h')], A::Erase, "take the last character away"),
    line(Typing, &[ctrl('u')], A::Clear, "take all of it away"),
];

/// What a key does in this context itself.
pub fn action(context: Context, key: Key) -> Option<Action> {
    TABLE.iter().find(|line| line.context == context && line.keys.contains(&key)).map(|line| line.action)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_key_twice_in_a_context() {
        let all: Vec<_> = TABLE.iter().flat_map(|line| line.keys.iter().map(move |key| (line.context, *key))).collect();
        for (at, (context, key)) in all.iter().enumerate() {
            for (other, same) in &all[at + 1..] {
                let part = |context| matches!(context, Table | Logs | Scroll | Graph | Events);
                let clash = other == context
                    || (*context == Anywhere && part(*other))
                    || (*other == Anywhere && part(*context));
                assert!(
                    !(clash && same == key && key.code != KeyCode::Esc),
                    "{} stands in {context:?} and in {other:?}",
                    key.label()
                );
            }
        }
    }

    #[test]
    fn each_line_can_be_told_from_the_others() {
        for line in TABLE {
            assert!(!line.keys.is_empty() && !line.help.is_empty(), "{line:?}");
            assert!(line.keys.iter().all(|key| action(line.context, *key) == Some(line.action)), "{line:?}");
        }
    }

    #[test]
    fn a_command_means_one_thing() {
        let mut words = std::collections::BTreeMap::new();
        for line in TABLE {
            if let Some(word) = line.action.word() {
                assert_eq!(*words.entry(word).or_insert(line.action), line.action);
            }
        }
        let change = |line: &&Binding| line.action.changes();
        assert!(TABLE.iter().filter(change).all(|line| line.action.word().is_some()));
    }

    #[test]
    fn what_terminals_send() {
        let event = |code, modifiers| KeyEvent::new(code, modifiers);
        let of = |code, modifiers| Key::of(&event(code, modifiers)).map(Key::label);
        let (none, held) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        assert_eq!(of(KeyCode::Char('C'), held | KeyModifiers::SHIFT).as_deref(), Some("Ctrl-C"));
        assert_eq!(of(KeyCode::Char('G'), KeyModifiers::SHIFT).as_deref(), Some("G"));
        assert_eq!(of(KeyCode::Char(' '), none).as_deref(), Some("Space"));
        let release = KeyEvent::new_with_kind(KeyCode::Up, none, KeyEventKind::Release);
        assert_eq!(Key::of(&release), None);
    }
}
