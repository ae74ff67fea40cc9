//! Why a call failed.

use std::{io, path::PathBuf};

use crate::{place::PlaceError, wire::ErrorBody};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens: the stack does not run.
    #[error("no such running stack")]
    NotRunning {
        /// The socket that was tried.
        socket: PathBuf,
    },
    /// The socket is there and cannot be reached.
    #[error("cannot reach the stack through `{}`", .socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The daemon's keeper holds the stack and its services, but no engine comes up.
    #[error("the stack's daemon has no engine: {why}")]
    NoEngine {
        /// What the last one said.
        why: String,
        /// The daemon's log.
        log: PathBuf,
        /// The keeper: SIGTERM to it ends the services.
        keeper_pid: Option<u32>,
    },
    /// Somebody else could have put the socket there.
    #[error(transparent)]
    Unsafe(#[from] PlaceError),
    /// The server said no.
    #[error("{}", .0.message)]
    Api(ErrorBody),
    /// The connection broke: the stack has ended or was killed meanwhile.
    #[error("the connection to the stack was lost")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not one of this interface.
    #[error("the stack answered something unexpected: {0}")]
    Unexpected(String),
}

impl ClientError {
    pub(super) fn lost(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Lost(Box::new(source))
    }
}
