//! The chain of causes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, LogRecord, State};

/// Why a service is not ready, and why what it waits for is not.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// The service.
    pub service: String,
    /// Its state.
    pub state: State,
    /// Whether it is ready (or completed), so that there is nothing to explain.
    pub ready: bool,
    /// What it waits for or why it failed.
    pub message: String,
    /// Its last exit.
    pub exit: Option<Exit>,
    /// What a probe last said about it.
    pub last_probe: Option<String>,
    /// Its last lines of output.
    pub log_tail: Vec<LogRecord>,
    /// The causes below, one per service it waits for.
    pub because: Vec<Self>,
}
