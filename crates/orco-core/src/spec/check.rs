//! Probes, and how their verdicts become readiness.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Command, expr::Expr, resolved::json};

/// One probe of a check, by kind. The `kind` finds the plug-in; the rest is its configuration.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum ProbeSpec {
    /// An HTTP request.
    Http {
        /// `http://host:port/path`, or `None` where `path` and `port` say it.
        #[serde(default)]
        url: Option<String>,
        /// The path, if there is no URL.
        #[serde(default)]
        path: Option<String>,
        /// The port the program listens on; `None`: the first one it publishes (or `${port}`).
        #[serde(default)]
        port: Option<u16>,
        /// Accepted statuses as inclusive ranges; default 200 to 399.
        #[serde(default = "json::fine")]
        expect_status: Vec<(u16, u16)>,
        /// The method.
        #[serde(default = "json::get")]
        method: String,
        /// Request headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// A text the body must contain.
        #[serde(default)]
        expect_body: Option<String>,
    },
    /// A TCP connect.
    Tcp {
        /// `host:port`.
        #[serde(default)]
        address: Option<String>,
        /// Or the port the program listens on.
        #[serde(default)]
        port: Option<u16>,
    },
    /// A command beside the process or inside the container; exit code 0 passes.
    Cmd {
        /// What to run.
        command: Command,
        /// Its own timeout, if it has one.
        #[serde(with = "json::optional_duration", default)]
        timeout: Option<Duration>,
    },
    /// A pattern in the instance's own output; passes for good once seen `count` times.
    Log {
        /// A regular expression (linear time).
        pattern: String,
        /// stdout, stderr; empty means both.
        #[serde(default)]
        sources: Vec<String>,
        /// Levels; empty means all.
        #[serde(default)]
        levels: Vec<String>,
        /// How many matching lines.
        #[serde(default = "json::one")]
        count: u32,
    },
    /// A probe of a plug-in that is not of this list.
    Custom {
        /// The probe's registered name.
        name: String,
        /// Its configuration.
        #[serde(default)]
        config: serde_json::Value,
    },
}

impl ProbeSpec {
    /// The name by which an expression and the registry know it.
    pub fn name(&self) -> &str {
        match self {
            Self::Http { .. } => "http",
            Self::Tcp { .. } => "tcp",
            Self::Cmd { .. } => "cmd",
            Self::Log { .. } => "log",
            Self::Custom { name, .. } => name,
        }
    }
}

/// The thresholds of a check: how verdicts become readiness. Kubernetes' semantics of a probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Tally {
    /// Failures do not count before this; a success does.
    #[serde(with = "json::duration")]
    pub grace_period: Duration,
    /// Time between rounds.
    #[serde(with = "json::duration")]
    pub interval: Duration,
    /// The time one probe may take.
    #[serde(with = "json::duration")]
    pub timeout: Duration,
    /// Passes in a row to become ready.
    pub success_threshold: u32,
    /// Failures in a row to become unready.
    pub failure_threshold: u32,
    /// Not ready by then: the start has failed.
    #[serde(with = "json::duration")]
    pub start_timeout: Duration,
}

/// What decides readiness (or liveness) of an instance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Health {
    /// The thresholds.
    #[serde(default)]
    pub tally: Tally,
    /// The check.
    pub check: Arc<Check>,
}

/// Probes and the expression that joins them.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(try_from = "json::CheckJson")]
#[non_exhaustive]
pub struct Check {
    /// At least one.
    pub probes: Vec<ProbeSpec>,
    /// Over indexes into `probes`; without one in the file: all of them.
    pub expression: Expr,
}
