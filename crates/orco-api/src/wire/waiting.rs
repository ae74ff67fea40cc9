//! Why something has not happened yet, for programs.

use orco_core::model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Timestamp, status::Wall};

/// Why a service or an instance is not where it should be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// The kind of wait: `gate`, `dependency_changing`, `admission`, `backoff`, `starting`, `unrecorded`,
    /// `unavailable`, `preparing`, `probe`, `unready`, `settling`, `budget`, `dependents`, `exit`, `unstoppable`,
    /// `halted`, `held`, `down`.
    pub reason: String,
    /// The services it waits for, if it waits for services.
    pub on: Vec<String>,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
    /// The same for people.
    pub message: String,
}

impl Waiting {
    pub(crate) fn new(waiting: &model::Waiting, now: model::Moment, wall: Wall<'_>) -> Self {
        use model::Waiting as W;
        let one = |name: &model::ServiceName| vec![name.to_string()];
        let (reason, on, until) = match waiting {
            W::Gate { dep, others, .. } => {
                ("gate", [dep].into_iter().chain(others).map(ToString::to_string).collect(), None)
            }
            W::DepChanging { dep } => ("dependency_changing", one(dep), None),
            W::Admission => ("admission", Vec::new(), None),
            W::Backoff { until, .. } => ("backoff", Vec::new(), Some(*until)),
            W::Starting => ("starting", Vec::new(), None),
            W::Unrecorded { .. } => ("unrecorded", Vec::new(), None),
            W::Unavailable { .. } => ("unavailable", Vec::new(), None),
            W::Unstoppable { .. } => ("unstoppable", Vec::new(), None),
            W::Preparing { .. } => ("preparing", Vec::new(), None),
            W::Probe { until, .. } => ("probe", Vec::new(), Some(*until)),
            W::Unready { .. } => ("unready", Vec::new(), None),
            W::Settling { until } => ("settling", Vec::new(), Some(*until)),
            W::Budget => ("budget", Vec::new(), None),
            W::Dependents { on } => ("dependents", on.iter().map(ToString::to_string).collect(), None),
            W::Exit { kill_at } => ("exit", Vec::new(), Some(*kill_at)),
            W::Halted { .. } => ("halted", Vec::new(), None),
            W::Held { by } => ("held", one(by), None),
            W::Down { .. } => ("down", Vec::new(), None),
            _ => ("other", Vec::new(), None),
        };
        Self { reason: reason.to_owned(), on, until: until.map(wall), message: waiting.message(now) }
    }
}
