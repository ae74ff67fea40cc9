//! The two words of the stack file that states and reasons speak as well.

/// What kind of life a service leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Kind {
    /// Runs until it is stopped.
    #[default]
    Service,
    /// Runs to its end once per `up`.
    Oneshot,
    /// A service whose health gates nobody.
    Daemon,
}

impl Kind {
    /// The name in stack files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Oneshot => "oneshot",
            Self::Daemon => "daemon",
        }
    }
}

/// What a dependent asks of a dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Require {
    /// An instance has been created.
    Exists,
    /// Its process or container exists and has not exited.
    Started,
    /// It is Ready.
    #[default]
    Ready,
    /// A oneshot ended with a success code.
    Completed,
}

impl Require {
    /// The name in stack files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Started => "started",
            Self::Ready => "ready",
            Self::Completed => "completed",
        }
    }
}
