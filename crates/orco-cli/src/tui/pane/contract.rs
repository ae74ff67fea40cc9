//! What the pane and the program around it say to each other.

use orco_api::wire::{LogRecord, LogsQuery, Timestamp};
use ratatui::crossterm::event::{KeyEvent, MouseEvent};

/// Whose lines are shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Selection {
    /// Everybody's, merged.
    #[default]
    All,
    /// Those of one service.
    Service(String),
    /// Those of one replica.
    Replica(String, u32),
}

/// Limits and names.
#[derive(Clone, Debug)]
pub struct PaneConfig {
    /// The stack's name, for the name of a file to save.
    pub stack: String,
    /// At most so many lines are held.
    pub lines: usize,
    /// At most so many bytes are held.
    pub bytes: usize,
    /// So many lines of the past are asked for.
    pub tail: usize,
}

impl PaneConfig {
    /// The usual limits: 50,000 lines or 32 MiB, beginning with the last 2,000 lines.
    pub fn new(stack: impl Into<String>) -> Self {
        Self { stack: stack.into(), lines: 50_000, bytes: 32 << 20, tail: 2_000 }
    }
}

/// What comes in.
#[derive(Clone, Debug)]
pub enum PaneInput {
    /// New records of the stream that the last [`PaneEffect::Subscribe`] asked for. Those of an earlier one must not be
    /// handed in any more: their lines would come twice.
    Records(Vec<LogRecord>),
    /// A key, while the pane has the focus.
    Key(KeyEvent),
    /// The mouse, within the pane or dragged out of it; in coordinates of the screen.
    Mouse(MouseEvent),
    /// Pasted text; only prompts take it.
    Paste(String),
    /// Show others. Also to begin anew with the same: what is held is dropped, and asked for again.
    Select(Selection),
    /// The time. Needed when [`Pane::wake`](super::Pane::wake) says so, harmless more often.
    Tick(Timestamp),
    /// What became of a [`PaneEffect::Save`].
    Saved(SaveResult),
}

/// What became of saving.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaveResult {
    /// The file is written.
    Done {
        /// Where.
        path: String,
        /// How many bytes.
        bytes: usize,
    },
    /// There is a file of this name; it was not touched.
    Exists(String),
    /// It could not be written.
    Failed {
        /// Where.
        path: String,
        /// Why, as a lower-case fragment.
        why: String,
    },
}

/// What shall be done.
#[derive(Clone, PartialEq, Debug)]
pub enum PaneEffect {
    /// End the stream there is and open this one; its records come as [`PaneInput::Records`].
    Subscribe(LogsQuery),
    /// Put this into the clipboard: write [`clipboard`](super::clipboard) of it to the terminal.
    Copy(String),
    /// Write a file and say what became of it with [`PaneInput::Saved`].
    Save {
        /// Where; relative to the working directory.
        path: String,
        /// What.
        text: String,
        /// Whether a file that is there may be replaced. If not, it must be created as a new one.
        replace: bool,
    },
    /// Tell this, for a moment.
    Notice(String),
}
