//! How things look: colours by role, and a shape for each state, so that colour is never the only carrier of meaning.

use orco_api::wire::State;
use ratatui::style::{Color, Modifier, Style};

use crate::render::Ink;

/// What something means; the theme decides how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// As it is.
    Plain,
    /// Headings and names.
    Strong,
    /// Less important.
    Faint,
    /// Well.
    Good,
    /// On its way.
    Busy,
    /// Not well.
    Bad,
    /// Keys that can be pressed, the head of the column that sorts.
    Accent,
    /// The lines around and between parts.
    Border,
    /// The lines around the part that gets the keys.
    Focus,
    /// The row that is selected, in the part that gets the keys.
    Selected,
    /// The row that is selected in another part.
    Marked,
    /// A bar at the edge of the screen.
    Bar,
    /// What a search has found.
    Match,
    /// The one of them that the search stands at.
    Current,
    /// A service's own colour, by its number.
    Label(usize),
}

impl From<Ink> for Role {
    fn from(ink: Ink) -> Self {
        match ink {
            Ink::Plain => Self::Plain,
            Ink::Strong => Self::Strong,
            Ink::Faint => Self::Faint,
            Ink::Good => Self::Good,
            Ink::Busy => Self::Busy,
            Ink::Bad => Self::Bad,
            Ink::Label(number) => Self::Label(number),
        }
    }
}

/// Whether the terminal is dark or light.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ground {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light.
    Light,
}

impl Ground {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Dark,
        }
    }
}

/// How many colours the terminal has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Depth {
    /// None, or none are wanted: only bold, dim, underlined and reversed.
    None,
    /// The 16 that the user's terminal names.
    #[default]
    Sixteen,
    /// 256 and more.
    Many,
}

/// How everything looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Theme {
    /// Dark or light.
    pub ground: Ground,
    /// How many colours.
    pub depth: Depth,
}

const LABELS: [Color; 6] = [Color::Cyan, Color::Magenta, Color::Blue, Color::Green, Color::Yellow, Color::LightCyan];
/// Told apart on a dark ground.
const DARK: [u8; 12] = [80, 176, 75, 114, 179, 141, 216, 108, 110, 186, 139, 73];
/// Told apart on a light one.
const LIGHT: [u8; 12] = [30, 127, 25, 28, 130, 91, 166, 65, 31, 100, 96, 23];

impl Theme {
    /// From the variables of the environment: `NO_COLOR`, `TERM`, `COLORTERM` and `COLORFGBG` say what the terminal is;
    /// `ground` wins over the last.
    pub fn of(ground: Option<Ground>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let depth = if set("NO_COLOR").is_some() || matches!(term.as_str(), "dumb" | "vt100" | "vt220" | "ansi-m") {
            Depth::None
        } else if term.contains("256color") || term.contains("direct") || set("COLORTERM").is_some() {
            Depth::Many
        } else {
            Depth::Sixteen
        };
        // `15;0`: the text's colour and the ground's, by number; 7 and 15 are white.
        let told = set("COLORFGBG").and_then(|text| text.rsplit(';').next().and_then(|last| last.parse::<u8>().ok()));
        let found = if matches!(told, Some(7 | 15)) { Ground::Light } else { Ground::Dark };
        Self { ground: ground.unwrap_or(found), depth }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let style = Style::new();
        match (role, self.depth) {
            (Role::Plain, _) => style,
            (Role::Strong, _) => style.add_modifier(Modifier::BOLD),
            (Role::Faint | Role::Border, Depth::None) => style.add_modifier(Modifier::DIM),
            (Role::Faint | Role::Border, _) => style.fg(Color::DarkGray),
            (Role::Good | Role::Busy, Depth::None) => style,
            (Role::Good, _) => style.fg(self.pick(Color::Green, 28)),
            (Role::Busy, _) => style.fg(self.pick(Color::Yellow, 130)),
            (Role::Bad, Depth::None) => style.add_modifier(Modifier::BOLD),
            (Role::Bad, _) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Role::Accent | Role::Focus, Depth::None) => style.add_modifier(Modifier::BOLD),
            (Role::Accent | Role::Focus, _) => style.fg(self.pick(Color::Cyan, 25)),
            (Role::Selected | Role::Bar, Depth::None) => style.add_modifier(Modifier::REVERSED),
            // Reversed, each colour would be a patch of its own ground.
            (Role::Selected | Role::Bar, Depth::Sixteen) => style.fg(Color::Reset).add_modifier(Modifier::REVERSED),
            (Role::Selected, Depth::Many) => style.bg(Color::Indexed(self.ground(24, 153))),
            (Role::Bar, Depth::Many) => style.bg(Color::Indexed(self.ground(236, 254))),
            (Role::Marked, Depth::None | Depth::Sixteen) => style.add_modifier(Modifier::UNDERLINED),
            (Role::Marked, Depth::Many) => style.bg(Color::Indexed(self.ground(237, 253))),
            (Role::Match, Depth::None) => style.add_modifier(Modifier::UNDERLINED),
            (Role::Match, _) => style.fg(Color::Black).bg(Color::Yellow),
            (Role::Current, Depth::None) => style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
            (Role::Current, _) => style.fg(Color::Black).bg(Color::Magenta).add_modifier(Modifier::BOLD),
            (Role::Label(_), Depth::None) => style,
            (Role::Label(number), Depth::Sixteen) => style.fg(LABELS[number % LABELS.len()]),
            (Role::Label(number), Depth::Many) => {
                let labels = if self.ground == Ground::Dark { DARK } else { LIGHT };
                style.fg(Color::Indexed(labels[number % labels.len()]))
            }
        }
    }

    /// Some of the 16 colours cannot be read on a light ground.
    fn pick(&self, usual: Color, on_light: u8) -> Color {
        match (self.ground, self.depth) {
            (Ground::Light, Depth::Many) => Color::Indexed(on_light),
            _ => usual,
        }
    }

    const fn ground(&self, dark: u8, light: u8) -> u8 {
        match self.ground {
            Ground::Dark => dark,
            Ground::Light => light,
        }
    }
}

/// The shape of a state: one column wide everywhere.
pub const fn shape(state: State) -> &'static str {
    match state {
        State::Running => "●",
        State::Completed => "✓",
        State::Failed => "✖",
        State::Stopped => "■",
        State::Stopping => "◑",
        State::Starting => "◐",
        // Whatever else there may be one day waits for something.
        _ => "□",
    }
}

/// The role of a state.
pub const fn of_state(state: State) -> Role {
    match state {
        State::Running | State::Completed => Role::Good,
        State::Pending | State::Starting | State::Stopping => Role::Busy,
        State::Failed => Role::Bad,
        _ => Role::Faint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Theme {
        Theme::of(None, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_the_environment_says() {
        let (dark, light) = (Ground::Dark, Ground::Light);
        for (variables, ground, depth) in [
            (&[("TERM", "xterm-256color")][..], dark, Depth::Many),
            (&[("TERM", "linux")], dark, Depth::Sixteen),
            (&[("TERM", "screen"), ("COLORTERM", "truecolor")], dark, Depth::Many),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], dark, Depth::None),
            (&[("TERM", "xterm"), ("NO_COLOR", ""), ("COLORFGBG", "0;15")], light, Depth::Sixteen),
            (&[("TERM", "xterm"), ("COLORFGBG", "15;default;0")], dark, Depth::Sixteen),
        ] {
            assert_eq!(of(variables), Theme { ground, depth }, "{variables:?}");
        }
        assert_eq!(Theme::of(Some(light), |_| None).ground, light);
    }

    #[test]
    fn without_colours_there_are_none_and_states_differ_all_the_same() {
        let theme = Theme { ground: Ground::Dark, depth: Depth::None };
        let roles = [Role::Good, Role::Busy, Role::Bad, Role::Selected, Role::Match, Role::Label(3), Role::Faint];
        for role in roles {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        let states = [State::Pending, State::Starting, State::Running, State::Stopping, State::Stopped];
        let all = states.into_iter().chain([State::Completed, State::Failed]);
        let shapes: std::collections::BTreeSet<_> = all.map(shape).collect();
        assert_eq!(shapes.len(), 7);
    }
}
