//! Why a runtime's call failed, and what that promises.

use std::sync::Arc;

/// Why a runtime's call failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct RuntimeError {
    message: Arc<str>,
    outcome: Outcome,
    shell_code: Option<u8>,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What a failed call promises about the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Refused,
    /// Nothing happened, and the service is not to blame.
    Unavailable,
    /// It may have happened, and the service is not to blame.
    Unanswered,
    /// Nothing happened: a port on the host has another user.
    PortTaken(u16),
    Unknown,
}

impl RuntimeError {
    /// Nothing happened: the world is as before the call. `message` is a lower-case fragment.
    pub fn refused(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), outcome: Outcome::Refused, shell_code: None, source: None }
    }

    /// Nothing happened, and the service is not to blame: the runtime itself cannot work at present (its engine does
    /// not answer, its disk is full, a network is down). The caller waits and tries again for as long as it wants the
    /// instance; that costs the service no retry. `message` is shown as the reason meanwhile.
    pub fn unavailable(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), outcome: Outcome::Unavailable, shell_code: None, source: None }
    }

    /// Like [`unavailable`](Self::unavailable), but it may have happened: the runtime's engine was asked and nobody
    /// knows what it did. To ask for the same again makes sure.
    pub fn unanswered(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), outcome: Outcome::Unanswered, shell_code: None, source: None }
    }

    /// Nothing happened: somebody else has this port of the host. Where the caller has chosen the port it chooses
    /// another, else it is like [`unavailable`](Self::unavailable).
    pub fn port_taken(port: u16, message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), outcome: Outcome::PortTaken(port), shell_code: None, source: None }
    }

    /// It may or may not have happened.
    pub fn unknown(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), outcome: Outcome::Unknown, shell_code: None, source: None }
    }

    /// A command that could not be run at all: what a shell says of that, 127 where there is no such program, 126 where
    /// it cannot be executed.
    #[must_use]
    pub const fn with_shell_code(mut self, code: u8) -> Self {
        self.shell_code = Some(code);
        self
    }

    /// As [`with_shell_code`](Self::with_shell_code) has told.
    pub const fn shell_code(&self) -> Option<u8> {
        self.shell_code
    }

    /// With the error below it.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// True: it certainly did not happen. False: unknown.
    pub const fn is_certain(&self) -> bool {
        !matches!(self.outcome, Outcome::Unanswered | Outcome::Unknown)
    }

    /// True: worth trying again later, and no fault of the service's.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self.outcome, Outcome::Unavailable | Outcome::Unanswered | Outcome::PortTaken(_))
    }

    /// The port that somebody else has, if that is the reason.
    pub const fn taken_port(&self) -> Option<u16> {
        match self.outcome {
            Outcome::PortTaken(port) => Some(port),
            Outcome::Refused | Outcome::Unavailable | Outcome::Unanswered | Outcome::Unknown => None,
        }
    }

    /// The message and all its sources on one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }
}
