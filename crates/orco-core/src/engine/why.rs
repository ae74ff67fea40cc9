//! Why a service is not ready: the chain of causes, down to the last evidence.

use std::{collections::BTreeSet, fmt};

use crate::{
    log::{Query, Record},
    model::{Ended, ServiceName, ServiceView, State, Verdict, Waiting},
};

use super::{logs::Logs, status::Status};

/// How many of the last log lines stand in an explanation.
const LINES: u64 = 20;

/// One link of the chain.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Why {
    /// The service.
    pub service: ServiceName,
    /// Its state.
    pub state: State,
    /// Whether it is ready after all.
    pub ready: bool,
    /// What it waits for, or why it failed; empty if all is well.
    pub message: String,
    /// How its last instance ended.
    pub exit: Option<Ended>,
    /// What a probe last said, and of which replica.
    pub last_probe: Option<(u32, Verdict)>,
    /// Its last log lines, where they may tell something: it failed, or is not ready.
    pub log: Vec<Record>,
    /// The dependencies that stand in its way, each with its own causes.
    pub because: Vec<Why>,
}

impl Why {
    /// Builds the chain from one status.
    pub(super) fn find(status: &Status, service: &str, logs: &Logs) -> Option<Self> {
        Self::explain(status, service, logs, &mut BTreeSet::new())
    }

    /// The graph has no cycle, so it ends. What stands in the way of many is `told` once: else a graph of many layers
    /// would have more chains than anybody can count.
    fn explain(status: &Status, service: &str, logs: &Logs, told: &mut BTreeSet<ServiceName>) -> Option<Self> {
        let view = status.snapshot.service(service)?;
        let again = !told.insert(view.name.clone());
        let waits = view.waiting.iter().chain(view.instances.iter().filter_map(|i| i.waiting.as_ref()));
        let mut because: Vec<Self> = Vec::new();
        for waiting in waits.filter(|_| !again) {
            let (first, others) = match waiting {
                Waiting::Gate { dep, others, .. } => (Some(dep), others.as_slice()),
                Waiting::DepChanging { dep } => (Some(dep), [].as_slice()),
                _ => (None, [].as_slice()),
            };
            for dep in first.into_iter().chain(others) {
                if because.iter().all(|w| w.service != *dep) {
                    because.extend(Self::explain(status, dep.as_str(), logs, told));
                }
            }
        }
        let telling = because.is_empty() && !again && !healthy(view);
        let log = if telling { tail(logs, status, view) } else { Vec::new() };
        Some(Self {
            service: view.name.clone(),
            state: view.state,
            ready: view.ready,
            message: view.message.clone(),
            exit: view.exit,
            last_probe: view.last_probe.clone(),
            log,
            because,
        })
    }

    /// The links from this one to the last cause.
    pub fn root(&self) -> &Self {
        self.because.first().map_or(self, Self::root)
    }
}

fn healthy(view: &ServiceView) -> bool {
    view.ready || matches!(view.state, State::Completed | State::Stopped)
}

/// Nothing of the stack's earlier lives, whose logs lie in the same folder: it tells about other troubles.
fn tail(logs: &Logs, status: &Status, view: &ServiceView) -> Vec<Record> {
    let since = Some(status.wall(view.first_seen));
    logs.read(&Query { services: vec![view.name.clone()], since, tail: Some(LINES), ..Query::default() })
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.service, self.state)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(cause) = self.because.first() {
            return write!(f, "; {cause}");
        }
        if let Some(ended) = &self.exit {
            write!(f, " (last {})", ended.exit)?;
        }
        if let Some(line) = self.log.last() {
            write!(f, ", last line: {}", line.msg)?;
        }
        Ok(())
    }
}
