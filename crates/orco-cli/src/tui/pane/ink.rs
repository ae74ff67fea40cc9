//! What the parts of the pane mean, and how the theme shows that.

use ratatui::style::{Modifier, Style};

use crate::tui::theme::{Depth, Role, Theme};

/// What a part means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// A message.
    Text,
    /// Less important: fields, fine levels, times.
    Faint,
    /// The name of a field.
    Field,
    /// What Orco itself says.
    Own,
    /// That something is missing here.
    Mark,
    /// A warning.
    Warn,
    /// An error.
    Bad,
    /// A service's label, by the number of its name.
    Label(usize),
    /// A part that was searched for.
    Match,
    /// The same in the line that the search stands at.
    Current,
    /// The line the keys act on.
    Cursor,
    /// Lines that are chosen.
    Chosen,
    /// What the line about the pane says.
    Title,
}

impl Ink {
    /// The label of this name; always the same.
    pub fn label(name: &str) -> Self {
        // FNV-1a: the standard library's hash may change between versions.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self::Label((hash >> 8) as usize)
    }

    /// How it looks.
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Text => theme.style(Role::Plain),
            Self::Faint => theme.style(Role::Faint),
            Self::Field => theme.style(Role::Accent),
            Self::Own => theme.style(Role::Plain).add_modifier(Modifier::ITALIC),
            Self::Mark => theme.style(Role::Busy).add_modifier(Modifier::ITALIC),
            Self::Warn => theme.style(Role::Busy),
            Self::Bad => theme.style(Role::Bad),
            Self::Label(number) => theme.style(Role::Label(number)),
            Self::Match => theme.style(Role::Match),
            Self::Current => theme.style(Role::Current),
            Self::Cursor => theme.style(Role::Marked),
            Self::Chosen => theme.style(Role::Selected),
            Self::Title => theme.style(Role::Strong),
        }
    }
}

/// The service's own style on this screen.
pub const fn own(style: Style, theme: &Theme) -> Style {
    match theme.depth {
        Depth::None => Style { fg: None, bg: None, ..style },
        Depth::Sixteen | Depth::Many => style,
    }
}
