//! What keys and commands do.

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Ends the program; in the foreground, the stack with it.
    Quit,
    /// As Ctrl-C does without a terminal UI.
    Interrupt,
    /// Leaves the stack alone.
    Detach,
    /// Back to the shell until `fg`.
    Suspend,
    /// Draws everything again.
    Redraw,
    /// The keys go to the other part.
    Focus,
    /// One part takes the whole screen.
    Zoom,
    /// The table gets more lines.
    Grow,
    /// The table gets fewer lines.
    Shrink,
    /// Out of whatever it is.
    Back,
    /// One up.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the begin.
    First,
    /// To the end.
    Last,
    /// Shows the replicas of a service.
    Unfold,
    /// Hides them.
    Fold,
    /// Shows or hides them.
    Toggle,
    /// The next column sorts.
    Sort,
    /// The other way round.
    Reverse,
    /// Only rows with this text.
    Filter,
    /// Starts a service.
    Start,
    /// Stops it.
    Stop,
    /// Replaces it.
    Restart,
    /// Sets its replicas.
    Scale,
    /// Sends a signal to it.
    Signal,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// What is further left.
    Left,
    /// What is further right.
    Right,
    /// The begins of lines.
    Leftmost,
    /// Searches.
    Search,
    /// The next match.
    Next,
    /// The match before.
    Previous,
    /// Only lines of the next level and worse.
    Level,
    /// Long lines are folded or cut.
    Wrap,
    /// Times in front of lines.
    Times,
    /// JSON as it is, or its fields.
    Raw,
    /// Everything about what is selected.
    Open,
    /// Begins to choose lines.
    Choose,
    /// Lines to the clipboard.
    Copy,
    /// Lines to a file.
    Save,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Takes what was typed.
    Enter,
    /// Takes the last character away.
    Erase,
    /// Takes the last word away.
    EraseWord,
    /// Takes all of it away.
    Clear,
    /// Shows the logs.
    Logs,
    /// Shows the graph.
    Graph,
    /// Shows the events.
    Events,
    /// Shows why a service is not ready.
    Why,
    /// Shows what keys there are.
    Help,
    /// Asks for a command.
    Palette,
    /// Dark or light.
    Ground,
    /// To what is needed.
    Needs,
    /// To what needs it.
    NeededBy,
    /// More of what is on the left.
    PanLeft,
    /// More of what is on the right.
    PanRight,
    /// Those of the selected service, or all.
    Only,
    /// The next way to go on with what was typed.
    Complete,
    /// The one before.
    CompleteBack,
    /// What was typed before.
    Older,
    /// What was typed after that.
    Newer,
}

impl Action {
    /// Whether it changes something of the stack.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Restart | Self::Scale | Self::Signal)
    }

    /// Whether it is about the lines of the log pane.
    pub const fn is_about_lines(self) -> bool {
        matches!(self, Self::Search | Self::Level | Self::Wrap | Self::Times | Self::Raw | Self::Copy | Self::Save)
    }

    /// As a command of the palette, where it is one.
    pub const fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Quit => "quit",
            Self::Detach => "detach",
            Self::Suspend => "suspend",
            Self::Redraw => "redraw",
            Self::Zoom => "zoom",
            Self::Grow => "grow",
            Self::Shrink => "shrink",
            Self::Unfold => "unfold",
            Self::Fold => "fold",
            Self::Sort => "sort",
            Self::Reverse => "reverse",
            Self::Filter => "filter",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Scale => "scale",
            Self::Signal => "signal",
            Self::Search => "search",
            Self::Level => "level",
            Self::Wrap => "wrap",
            Self::Times => "times",
            Self::Raw => "raw",
            Self::Copy => "copy",
            Self::Save => "save",
            Self::Logs => "logs",
            Self::Graph => "graph",
            Self::Events => "events",
            Self::Why => "why",
            Self::Help => "help",
            Self::Ground => "theme",
            // Ways about the screen, and answers.
            _ => return None,
        })
    }
}
