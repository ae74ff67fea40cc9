//! Query strings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, Source};

/// The query of `status`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StatusQuery {
    /// Stream a document now and after each change (at most every 50 ms).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
}

/// The query of `events`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Go on with new events.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
    /// Only what is younger than this (`5m`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only the last so many of the past; 10,000 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<usize>,
}

/// The query of `logs`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogsQuery {
    /// Names, separated by commas; empty means all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub services: String,
    /// Go on with new lines.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
    /// Only what is younger than this (`5m`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only what is older than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only the last so many lines of the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<usize>,
    /// This level and worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Only lines in which this regular expression matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grep: Option<String>,
    /// Only lines in which it does not match.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invert: bool,
    /// Only this replica.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
    /// Only this incarnation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// Only lines from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}
