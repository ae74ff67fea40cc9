//! Query strings.

use orco_core::{log::Query, model::ServiceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidDuration, Level, Moment, Source, Timestamp, parse_duration};

/// The query of `status`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StatusQuery {
    /// Stream a document now and after each change (at most every 50 ms).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
    /// Leave `resources` open: container engines take up to a second to measure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
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
    /// Only those with a higher `seq` than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
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
    /// Only what is younger than this (`5m`), or not before a time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only what is older than this, or not after a time; one to come ends `follow`.
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
    /// Also lines that have no end yet, as records with `partial`, when their service is silent for 100 ms.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// Unix microseconds so long ago.
fn ago(text: Option<&str>) -> Result<Option<u64>, InvalidDuration> {
    let Some(text) = text else { return Ok(None) };
    let age = u64::try_from(parse_duration(text)?.as_micros()).unwrap_or(u64::MAX);
    Ok(Some(Timestamp::now().unix_micros().saturating_sub(age)))
}

/// Unix microseconds of a moment: so long ago (`5m`), or a time (`2026-01-02T03:04:05Z`).
fn moment(name: &str, text: Option<&String>) -> Result<Option<u64>, String> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<Moment>() {
        Ok(moment) => Ok(Some(moment.micros())),
        Err(why) => Err(format!("{name}: {why}")),
    }
}

impl EventsQuery {
    /// `since` as Unix microseconds.
    pub(crate) fn since_micros(&self) -> Result<Option<u64>, InvalidDuration> {
        ago(self.since.as_deref())
    }
}

impl LogsQuery {
    /// The same for the core; durations are counted back from now. `follow` is no part of it.
    ///
    /// # Errors
    /// A lower-case fragment that says which value is wrong.
    pub fn to_core(&self) -> Result<Query, String> {
        let mut query = Query::default();
        for name in self.services.split(',').filter(|n| !n.is_empty()) {
            query.services.push(ServiceName::new(name).map_err(|e| e.to_string())?);
        }
        query.since = moment("since", self.since.as_ref())?;
        query.until = moment("until", self.until.as_ref())?;
        query.partial = self.partial;
        query.tail = self.tail.map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        query.level = self.level.map(Into::into);
        query.grep = self.grep.as_deref().map(Query::pattern).transpose().map_err(|e| format!("bad pattern: {e}"))?;
        query.invert = self.invert;
        query.replica = self.replica;
        query.run = self.run;
        query.source = self.source.map(Into::into);
        Ok(query)
    }
}
