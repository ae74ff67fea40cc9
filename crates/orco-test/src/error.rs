//! What can go wrong, so that a test's message is enough to know.

use std::{io, path::PathBuf, time::Duration};

use orco_core::{
    engine::{CommandError, StartError},
    load::Rejected,
};

use crate::Failure;

/// What can go wrong. Its text alone tells what happened; what was started is gone, unless it was to be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stack file is not valid.
    #[error("`{}` is no valid stack: {rejected}", .path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Everything that is wrong with it.
        rejected: Box<Rejected>,
    },
    /// The stack cannot be started at all.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A service did not become ready.
    #[error("{0}")]
    NotReady(Box<Failure>),
    /// What was asked of a service cannot be done: it does not exist, does not run, has no such port.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// What was asked of a service of a [host](crate::shared) cannot be done.
    #[error("{0}")]
    Refused(String),
    /// The pattern is no regular expression.
    #[error("`{pattern}` is no pattern: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// No line matched in time.
    #[error("{service}: {found} of {wanted} lines match `{pattern}` after {within:?}; {}", .last.as_deref().map_or("it has printed nothing".to_owned(), |line| format!("its last line: {line}")))]
    NoSuchLine {
        /// The service.
        service: String,
        /// The pattern.
        pattern: String,
        /// How many lines were to match.
        wanted: usize,
        /// How many did.
        found: usize,
        /// How long was waited.
        within: Duration,
        /// The last line that there is.
        last: Option<String>,
    },
    /// A private file or directory cannot be used.
    #[error("cannot use `{}`", .path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// This executable cannot be started as a host of services.
    #[error(
        "this program cannot host shared services: its hook has not run. Write `assert!(orco_test::can_host())` in a test \
         of this executable; link it with a loader that runs `.init_array` (any Linux target with glibc or musl does)"
    )]
    NoHook,
    /// The host has ended or does not answer.
    #[error("the host of these services {0}")]
    Host(String),
}

impl Error {
    pub(crate) fn place(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Place { path, source }
    }
}
