//! Colour, where there is a terminal that wants it. Never the only carrier of meaning.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use orco_api::wire::State;

/// What something means; the palette decides how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// As it is.
    Plain,
    /// Headings.
    Strong,
    /// Less important.
    Faint,
    /// Well.
    Good,
    /// On its way.
    Busy,
    /// Not well.
    Bad,
    /// A service's own colour, by its number.
    Label(usize),
}

const LABELS: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::Green, AnsiColor::Yellow, AnsiColor::BrightCyan];

impl From<State> for Ink {
    fn from(state: State) -> Self {
        match state {
            State::Running | State::Completed => Self::Good,
            State::Pending | State::Starting | State::Stopping => Self::Busy,
            State::Failed => Self::Bad,
            _ => Self::Faint,
        }
    }
}

/// Whether to colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paint(pub bool);

impl Paint {
    /// The text in this ink.
    pub fn ink(self, ink: Ink, text: impl Display) -> String {
        let style = match ink {
            Ink::Plain => Style::new(),
            Ink::Strong => Style::new().bold(),
            Ink::Faint => Style::new().dimmed(),
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Busy => AnsiColor::Yellow.on_default(),
            Ink::Bad => AnsiColor::Red.on_default().bold(),
            Ink::Label(number) => LABELS[number % LABELS.len()].on_default(),
        };
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}
