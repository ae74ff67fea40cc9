//! Waits in full: the compact ones of `decide` with names, times and evidence.

use std::{sync::Arc, time::Duration};

use super::{
    Brain,
    snapshot::said,
    state::{Because, Edge, Goal, Phase, Slot},
    step::Wait,
};
use crate::{
    model::{Moment, Role, ServiceIx, SlotKey, State, Waiting},
    spec::RetryLimit,
};

impl Brain {
    pub(super) fn waiting(&self, ix: ServiceIx, key: Option<SlotKey>, wait: Wait, now: Moment) -> Option<Waiting> {
        let unit = &self.units[ix.index()];
        let slot = key.and_then(|key| unit.slot(key));
        let reason = || slot.and_then(|s| s.reason.clone()).unwrap_or_else(|| "unknown".into());
        Some(match wait {
            Wait::Gate(generation, number) => {
                let edges = &unit.set(generation)?.edges;
                self.gate_waiting(ix, edges, edges.get(number as usize)?, now)
            }
            Wait::DepChanging(dep) => Waiting::DepChanging { dep: self.name(dep).clone() },
            Wait::Admission => Waiting::Admission,
            Wait::Backoff => {
                let Phase::Backoff { until } = slot?.phase else { return None };
                let limit = match unit.set(slot?.key.generation)?.spec.restart.max_retries {
                    RetryLimit::Limited(limit) => Some(limit),
                    RetryLimit::Unlimited => None,
                };
                Waiting::Backoff { until, attempt: slot?.attempts, limit, reason: reason() }
            }
            Wait::Starting => Waiting::Starting,
            Wait::Probe => {
                let slot = slot?;
                let until = unit.set(slot.key.generation)?.spec.health.as_ref()?.tally.start_timeout;
                Waiting::Probe { last: said(slot, Role::Readiness), until: slot.running()?.since + until }
            }
            Wait::Unready => {
                Waiting::Unready { last: said(slot?, Role::Readiness).unwrap_or_else(|| "not probed yet".into()) }
            }
            Wait::Settling(until) => Waiting::Settling { until },
            Wait::Budget => Waiting::Budget,
            Wait::Dependents => {
                Waiting::Dependents { on: self.view(ix).leaning_on_it().map(|d| self.name(d).clone()).collect() }
            }
            Wait::Exit => {
                let Phase::Stopping { kill_at, killed, .. } = slot?.phase else { return None };
                Waiting::Exit { kill_at: if killed { now } else { kill_at } }
            }
            Wait::Halted => Waiting::Halted { reason: reason() },
            Wait::Held(by) => Waiting::Held { by: self.name(by).clone() },
        })
    }

    /// The wait at the gate of one dependency, with those of the same set that are closed too.
    pub(super) fn gate_waiting(&self, ix: ServiceIx, edges: &[Edge], edge: &Edge, now: Moment) -> Waiting {
        let view = self.view(ix);
        let others = edges.iter().filter(|other| other.to != edge.to && !view.open(other));
        Waiting::Gate {
            dep: self.name(edge.to).clone(),
            require: edge.require,
            state: self.state(edge.to, now),
            timeout: edge.timeout,
            since: self.units[ix.index()].block.map_or(now, |block| block.since),
            evidence: self.evidence(edge.to, now),
            others: others.map(|other| self.name(other.to).clone()).collect(),
        }
    }

    /// What is known about why a dependency does not meet its requirement.
    fn evidence(&self, ix: ServiceIx, now: Moment) -> Option<Arc<str>> {
        let unit = &self.units[ix.index()];
        if let Some(reason) = &unit.broken {
            return Some(reason.clone());
        }
        match &unit.goal {
            _ if unit.gone || (!unit.listed && unit.face.leaving) => return Some("removed from the stack".into()),
            Goal::Down(Because::User) => return Some("stopped by you".into()),
            Goal::Down(Because::Never) => return Some("not asked to start".into()),
            Goal::Down(Because::Dependency(reason)) => return Some(reason.clone()),
            Goal::Up => {}
        }
        if let Some(block) = unit.block {
            return Some(format!("itself blocked by {}", self.name(block.dep)).into());
        }
        // The seat that is worst off speaks.
        let halted = unit.slots.iter().find(|s| matches!(s.phase, Phase::Halted { completed: false }));
        if let Some(slot) = halted {
            return Some(format!("failed: {}", slot.reason.as_deref().unwrap_or("unknown")).into());
        }
        unit.slots.iter().filter(|slot| !slot.ready() && !slot.completed()).find_map(|slot| seat_evidence(slot, now))
    }
}

fn seat_evidence(slot: &Slot, now: Moment) -> Option<Arc<str>> {
    match &slot.phase {
        Phase::Idle | Phase::Halted { .. } => None,
        Phase::Starting { .. } => Some("starting".into()),
        Phase::Running(live) => said(slot, Role::Readiness)
            .or_else(|| Some(format!("running for {}", crate::model::Human(whole(now.since(live.since)))).into())),
        Phase::Stopping { .. } => Some(State::Stopping.as_str().to_lowercase().into()),
        Phase::Backoff { .. } => slot.reason.as_ref().map(|reason| format!("restarting after {reason}").into()),
    }
}

/// Without fractions of a second.
const fn whole(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
