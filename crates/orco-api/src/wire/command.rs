//! What is asked, and the answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const fn yes() -> bool {
    true
}

/// The body of `start`, `stop` and `restart`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Answer when it is done (default), or as soon as the command is taken.
    #[serde(default = "yes")]
    pub wait: bool,
}

/// The body of `down`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Down {
    /// Answer when everything is down (default), or as soon as the command is taken.
    #[serde(default = "yes")]
    pub wait: bool,
    /// Kill what is left after this long (`30s`); without it each service has its own `stop.timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// The body of `scale`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// How many replicas.
    pub replicas: u32,
    /// Answer when it is done (default), or as soon as the command is taken.
    #[serde(default = "yes")]
    pub wait: bool,
}

/// The body of `signal`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// `SIGHUP`, `HUP` or `1`.
    pub signal: String,
    /// One replica, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
}

/// The body of `exec`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The program and its arguments; no shell runs.
    pub argv: Vec<String>,
    /// One replica, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
}

/// The body of `upgrade`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {}

/// The answer to `upgrade`: the program was looked at and fits; the engine hands over as soon as this is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Upgrading {
    /// The engine that hands over.
    pub pid: u32,
    /// Its version.
    pub from: String,
    /// The version of the program on disk.
    pub to: String,
    /// The program on disk.
    pub program: String,
}

/// How a command went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Whether it was carried out to its end. False also where the caller did not want to wait.
    pub done: bool,
    /// The service that kept it from being done.
    pub service: Option<String>,
    /// Why it was not done.
    pub why: Option<String>,
}

impl Outcome {
    /// It is done.
    pub const DONE: Self = Self { done: true, service: None, why: None };
    /// It is taken; nobody waited for the end.
    pub const TAKEN: Self = Self { done: false, service: None, why: None };
}

/// How `exec` went in one replica.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExecReply {
    /// The replica.
    pub replica: u32,
    /// How the command ended; null if its time ran out.
    pub exit: Option<super::Exit>,
    /// Standard output and error together, the last 64 KiB, lossily decoded.
    pub output: String,
}
