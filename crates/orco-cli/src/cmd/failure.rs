//! Why a command failed, with which code, and what to do next.

use std::{error::Error, io};

use orco_api::{
    client::ClientError,
    place::{FindError, LockError, MetaError, PlaceError, StackFileError, StateRootError},
    wire::Code,
};

use crate::{exit::Exit, render, terminal};

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    /// `None`: everything has been said already.
    error: Option<Box<dyn Error + Send + Sync>>,
    next: Option<String>,
}

/// A message in front of an error.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Context {
    what: String,
    source: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// An error with its exit code.
    pub fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: Some(error.into()), next: None }
    }

    /// Only an exit code: the findings are on the screen already.
    pub const fn silent(exit: Exit) -> Self {
        Self { exit, error: None, next: None }
    }

    /// A fault of Orco or of the system below.
    pub fn internal(what: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::INTERNAL, Context { what: what.to_owned(), source: source.into() })
    }

    /// With what to do about it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// With another exit code.
    #[must_use]
    pub const fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Says it, once, and gives the exit code.
    pub fn report(&self) -> Exit {
        if let Some(error) = &self.error {
            terminal::note(render::failure(&**error, self.next.as_deref(), terminal::paint_err()));
        }
        self.exit
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever reads our output has had enough.
            io::ErrorKind::BrokenPipe => Self::silent(Exit::DONE),
            _ => Self::internal("cannot write the output", error),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        if let ClientError::NoEngine { log, keeper_pid, .. } = &error {
            let keeper = keeper_pid.map(|pid| format!("; `kill {pid}` ends its services")).unwrap_or_default();
            let next = format!("`{}` tells more{keeper}", log.display());
            return Self::new(Exit::NOT_RUNNING, error).next(next);
        }
        let (exit, next) = match &error {
            ClientError::NotRunning { .. } => {
                (Exit::NOT_RUNNING, Some("start it with `orco up`, or name another with `-f FILE` or `--stack NAME`"))
            }
            ClientError::Unreachable { .. } | ClientError::Unsafe(_) | ClientError::Lost(_) => {
                (Exit::NOT_RUNNING, None)
            }
            ClientError::Api(body) => match body.code {
                Code::UnknownService => (Exit::USAGE, Some("`orco status` lists the services")),
                Code::BadRequest | Code::InvalidStack => (Exit::USAGE, None),
                Code::ShuttingDown => (Exit::NOT_RUNNING, None),
                Code::NoInstance | Code::Refused | Code::Unrecorded => (Exit::FAILED, None),
                _ => (Exit::INTERNAL, None),
            },
            _ => (Exit::INTERNAL, Some("is the running stack's `orco` of another version?")),
        };
        let failure = Self::new(exit, error);
        match next {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}

impl From<StackFileError> for Failure {
    fn from(error: StackFileError) -> Self {
        Self::new(Exit::USAGE, error).next("name the stack file with `-f FILE`")
    }
}

impl From<StateRootError> for Failure {
    fn from(error: StateRootError) -> Self {
        Self::new(Exit::INTERNAL, error)
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        let elsewhere = matches!(error, PlaceError::Io { .. });
        let failure = Self::new(Exit::INTERNAL, error);
        if elsewhere { failure.next("name a folder of yours for Orco's state with `ORCO_STATE_DIR`") } else { failure }
    }
}

impl From<MetaError> for Failure {
    fn from(error: MetaError) -> Self {
        Self::new(Exit::INTERNAL, error)
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Several { .. } => Self::new(Exit::USAGE, error).next("name one by its file, with `-f`"),
            _ => Self::new(Exit::NOT_RUNNING, error).next("`orco ls` lists the stacks that run"),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => {
                Self::new(Exit::ALREADY_RUNS, error).next("`orco status` shows it, `orco down` stops it")
            }
            _ => Self::new(Exit::INTERNAL, error),
        }
    }
}
