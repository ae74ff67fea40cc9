//! What the terminal UI takes.

use clap::{Args, ValueEnum};

use super::StackArgs;
use crate::tui::Ground;

/// `tui`.
#[derive(Args, Debug)]
pub struct Tui {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Look only: whatever would change something is refused
    #[arg(long)]
    pub read_only: bool,
    /// How it looks.
    #[command(flatten)]
    pub look: ThemeArgs,
}

/// `--theme` of `tui` and `up`.
#[derive(Args, Clone, Copy, Debug)]
pub struct ThemeArgs {
    /// Colours of the terminal UI, for a dark or a light terminal [default: as `COLORFGBG` says, else dark]
    #[arg(long, value_enum, value_name = "THEME")]
    pub theme: Option<ThemeName>,
}

/// A theme by name.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThemeName {
    /// Light text on dark
    Dark,
    /// Dark text on light
    Light,
}

impl From<ThemeName> for Ground {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Dark => Self::Dark,
            ThemeName::Light => Self::Light,
        }
    }
}
