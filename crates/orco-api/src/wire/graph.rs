//! The dependency graph.

use orco_core::{
    graph::Dag,
    spec::{OnFailure, Stack},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, State};

/// A service in the graph.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// Service, oneshot or daemon.
    pub kind: Kind,
    /// 0 for a service that depends on nothing, otherwise one more than the highest of its dependencies.
    pub layer: usize,
    /// Its state; null where the stack does not run.
    pub state: Option<State>,
    /// Whether it is ready; null where the stack does not run.
    pub ready: Option<bool>,
    /// What it waits for or why it failed; empty if all is well.
    pub message: String,
}

/// A dependency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GraphEdge {
    /// Who depends.
    pub from: String,
    /// On whom.
    pub to: String,
    /// What is asked of it: `exists`, `started`, `ready` or `completed`.
    pub require: String,
    /// After this long a closed gate is reported, in milliseconds.
    pub timeout_ms: u64,
    /// What happens when it stops being ready later: `ignore`, `restart` or `stop`.
    pub on_failure: String,
}

/// The graph of a stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Graph {
    /// The stack's name.
    pub stack: String,
    /// The services in the order of the stack file.
    pub nodes: Vec<GraphNode>,
    /// The dependencies, in the same order.
    pub edges: Vec<GraphEdge>,
}

impl Graph {
    /// The graph of a stack that does not run.
    pub fn of(stack: &Stack) -> Self {
        let nodes = Dag::new(stack)
            .nodes()
            .map(|node| GraphNode {
                name: node.name.to_string(),
                kind: node.kind.into(),
                layer: node.layer,
                state: None,
                ready: None,
                message: String::new(),
            })
            .collect();
        let edges = stack
            .services()
            .iter()
            .flat_map(|service| {
                service.depends_on.iter().map(|dep| GraphEdge {
                    from: service.name.to_string(),
                    to: dep.target.to_string(),
                    require: dep.require.as_str().to_owned(),
                    timeout_ms: u64::try_from(dep.timeout.as_millis()).unwrap_or(u64::MAX),
                    on_failure: on_failure(dep.on_failure).to_owned(),
                })
            })
            .collect();
        Self { stack: stack.name().to_string(), nodes, edges }
    }

    /// With the live state of each service.
    #[must_use]
    pub fn with_status(mut self, status: &super::Status) -> Self {
        for node in &mut self.nodes {
            if let Some(service) = status.services.get(&node.name) {
                node.state = Some(service.state);
                node.ready = Some(service.ready);
                node.message.clone_from(&service.message);
            }
        }
        self
    }
}

const fn on_failure(on_failure: OnFailure) -> &'static str {
    match on_failure {
        OnFailure::Ignore => "ignore",
        OnFailure::Restart => "restart",
        OnFailure::Stop => "stop",
    }
}
