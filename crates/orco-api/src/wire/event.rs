//! Events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Timestamp;

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When.
    pub ts: Timestamp,
    /// Rises by one with each event of the stack.
    pub seq: u64,
    /// What kind of event (`ServiceReady`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The service; null for the stack.
    pub service: Option<String>,
    /// The replica, where one is meant.
    pub replica: Option<u32>,
    /// For people.
    pub message: String,
    /// The cause, a fragment, where there is one.
    pub reason: Option<String>,
    /// Which try, where it is about tries.
    pub attempt: Option<u32>,
    /// Typed details: `{exit}`, `{delay_ms}`, `{dependency}` or `{pid}`; null where there are none.
    pub data: Value,
}
