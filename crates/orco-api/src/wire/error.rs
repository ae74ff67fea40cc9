//! Errors as they go over the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of error it is; stable, for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The request is not one of this interface, or a field of it is wrong.
    BadRequest,
    /// No such path.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// A POST without `Content-Type: application/json`.
    UnsupportedMediaType,
    /// The body is larger than 1 MiB (`exec`: 6 MiB, of which the standard input is 4 MiB before its encoding; `apply`: 256 MiB).
    TooLarge,
    /// The stack that was sent is not valid; the details list the diagnostics.
    InvalidStack,
    /// No service of that name.
    UnknownService,
    /// The service has no such replica, or none that runs.
    NoInstance,
    /// The command was understood and not taken. Of an `exec` that could not be run, `shellCode` in the details is what a
    /// shell says: 127, there is no such program, or 126, it cannot be executed.
    Refused,
    /// The change cannot be recorded (a full disk), so it was not taken, or is carried out only when it can be.
    Unrecorded,
    /// The stack is on its way down.
    ShuttingDown,
    /// A fault of Orco itself or of the system below.
    Internal,
}

/// The body of every answer that is not a success.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ErrorBody {
    /// For programs.
    pub code: Code,
    /// For people: a lower-case fragment.
    pub message: String,
    /// More, where there is more; otherwise null.
    pub details: Value,
}

impl ErrorBody {
    /// An error without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Value::Null }
    }

    /// With details.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}
