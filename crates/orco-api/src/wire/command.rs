//! What is asked, and the answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bytes;

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

/// The most that a command can be given to read, in bytes.
pub const STDIN_LIMIT: usize = 4 << 20;

/// The body of `exec`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The program and its arguments; no shell runs.
    pub argv: Vec<String>,
    /// One replica, or each of all in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
    /// What the command reads as its standard input, in Base64, at most 4 MiB of bytes. It is taken as a whole: the
    /// command starts when all of it is there. Without it there is nothing to read.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub stdin: Bytes,
}

impl Exec {
    /// This command, in all replicas, with nothing to read.
    pub const fn new(argv: Vec<String>) -> Self {
        Self { argv, replica: None, stdin: Bytes::EMPTY }
    }
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
    /// Whether it was carried out to its end. False, without a reason, where the caller did not want to wait, or where
    /// another engine takes over meanwhile and is to be asked.
    pub done: bool,
    /// The service that kept it from being done.
    pub service: Option<String>,
    /// Why it was not done.
    pub why: Option<String>,
}

impl Outcome {
    /// It is done.
    pub const DONE: Self = Self { done: true, service: None, why: None };
    /// It is taken; nobody waited for the end, or this engine does not see it any more.
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
    /// The same byte by byte, in Base64, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// So many bytes came before that and were not kept.
    #[serde(default)]
    pub omitted: u64,
}
