//! How a changed service is replaced.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::resolved::json;

/// How `apply` replaces a changed service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// A few at a time.
    #[default]
    Rolling,
    /// Some first, the rest after a trial.
    Canary,
    /// A full second set, then one switch.
    BlueGreen,
    /// All old ones first.
    Recreate,
}

/// A number or a percentage of the replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "json::NumberOr", try_from = "json::NumberOr")]
pub enum Amount {
    /// So many.
    Count(u32),
    /// So many in a hundred.
    Percent(u32),
}

/// A canary's size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Canary {
    /// Replicas of the new revision.
    pub replicas: u32,
    /// Their share of the traffic in percent.
    pub weight: Option<u32>,
}

/// Blue/green timings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BlueGreen {
    /// How long old requests may take.
    #[serde(with = "json::duration")]
    pub drain_timeout: Duration,
    /// How long the old set stays.
    #[serde(with = "json::duration")]
    pub rollback_window: Duration,
}

/// How a changed service is replaced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Update {
    /// The strategy.
    pub strategy: Strategy,
    /// How many may be missing meanwhile; a percentage rounds down.
    pub max_unavailable: Amount,
    /// How many more there may be; a percentage rounds up. `None`: `auto`.
    pub max_surge: Option<Amount>,
    /// Ready this long before it counts.
    #[serde(with = "json::duration")]
    pub min_ready: Duration,
    /// Without progress for this long: it has failed.
    #[serde(with = "json::duration")]
    pub progress_deadline: Duration,
    /// A canary is promoted by itself after this long.
    #[serde(with = "json::optional_duration", default)]
    pub promote_after: Option<Duration>,
    /// So many failures undo it.
    pub abort_after_failures: u32,
    /// How long it is watched after the last replica.
    #[serde(with = "json::optional_duration", default)]
    pub observation_window: Option<Duration>,
    /// Canary settings.
    pub canary: Option<Canary>,
    /// Blue/green settings.
    pub blue_green: Option<BlueGreen>,
}
