//! The graph of a stack.

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef,
};

use crate::{
    model::ServiceName,
    spec::{Kind, Require, Stack},
};

/// A service of the graph.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Node {
    /// The service.
    pub name: ServiceName,
    /// What kind of life it leads.
    pub kind: Kind,
    /// How many.
    pub replicas: u32,
    /// How far it is from the services that need nothing: 0 for those.
    pub layer: usize,
}

/// A dependency.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// Who needs.
    pub from: ServiceName,
    /// Who is needed.
    pub to: ServiceName,
    /// What is asked of it.
    pub require: Require,
}

/// The services of a stack and what they need from each other.
///
/// ```
/// use orco_core::{graph::Dag, spec::{ServiceBuilder, Stack}};
///
/// let stack = Stack::builder("shop")
///     .service(ServiceBuilder::process("db", ["./db"]))
///     .service(ServiceBuilder::process("api", ["./api"]).depends_on("db"))
///     .build()?;
/// let dag = Dag::new(&stack);
/// assert_eq!(dag.layers().map(|layer| layer.len()).collect::<Vec<_>>(), [1, 1]);
/// assert_eq!(dag.dependents("db").map(|name| name.as_str()).collect::<Vec<_>>(), ["api"]);
/// # Ok::<(), orco_core::spec::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dag {
    graph: DiGraph<Node, Require>,
    /// Nodes so that each comes after what it needs; in file order where that leaves a choice.
    order: Vec<NodeIndex>,
    /// Where each layer begins in `order`, which is sorted by layer.
    starts: Vec<usize>,
}

impl Dag {
    /// The graph of a stack.
    pub fn new(stack: &Stack) -> Self {
        let mut graph = DiGraph::new();
        let mut index = std::collections::BTreeMap::new();
        for service in stack.services() {
            let (name, kind, replicas) = (service.name.clone(), service.kind, service.replicas);
            index.insert(service.name.as_str(), graph.add_node(Node { name, kind, replicas, layer: 0 }));
        }
        for service in stack.services() {
            for dependency in &service.depends_on {
                if let (Some(&from), Some(&to)) =
                    (index.get(service.name.as_str()), index.get(dependency.target.as_str()))
                {
                    graph.add_edge(from, to, dependency.require);
                }
            }
        }
        let (order, starts) = arrange(&mut graph);
        Self { graph, order, starts }
    }

    /// The services, each after what it needs, those of one layer in file order.
    pub fn order(&self) -> impl Iterator<Item = &Node> {
        self.order.iter().map(|node| &self.graph[*node])
    }

    /// The services by their distance from those that need nothing. What is in one layer does not need each other.
    pub fn layers(&self) -> impl Iterator<Item = Vec<&Node>> {
        self.starts.iter().enumerate().map(|(at, &start)| {
            let end = self.starts.get(at + 1).copied().unwrap_or(self.order.len());
            self.order[start..end].iter().map(|node| &self.graph[*node]).collect()
        })
    }

    /// The services in file order.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.graph.node_weights()
    }

    /// The dependencies, by the services that have them, in file order.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.graph.edge_references().map(|edge| Edge {
            from: self.graph[edge.source()].name.clone(),
            to: self.graph[edge.target()].name.clone(),
            require: *edge.weight(),
        })
    }

    /// What a service needs, in the order of its file.
    pub fn dependencies(&self, name: &str) -> impl Iterator<Item = &ServiceName> {
        self.neighbours(name, Direction::Outgoing)
    }

    /// Who needs a service, in the order of the file.
    pub fn dependents(&self, name: &str) -> impl Iterator<Item = &ServiceName> {
        self.neighbours(name, Direction::Incoming)
    }

    fn neighbours(&self, name: &str, direction: Direction) -> impl Iterator<Item = &ServiceName> {
        let node = self.graph.node_indices().find(|node| self.graph[*node].name == *name);
        let mut found: Vec<_> =
            node.into_iter().flat_map(|node| self.graph.neighbors_directed(node, direction)).collect();
        found.reverse();
        found.into_iter().map(|node| &self.graph[node].name)
    }

    pub(super) fn order_indexes(&self) -> &[NodeIndex] {
        &self.order
    }

    pub(super) const fn graph(&self) -> &DiGraph<Node, Require> {
        &self.graph
    }
}

/// Sets every node's layer; gives the nodes by layer and where each layer begins. Nodes on a cycle, which a valid
/// stack does not have, come last.
fn arrange(graph: &mut DiGraph<Node, Require>) -> (Vec<NodeIndex>, Vec<usize>) {
    let mut missing: Vec<usize> =
        graph.node_indices().map(|node| graph.neighbors_directed(node, Direction::Outgoing).count()).collect();
    let mut layer: Vec<NodeIndex> = graph.node_indices().filter(|node| missing[node.index()] == 0).collect();
    let (mut order, mut starts) = (Vec::with_capacity(graph.node_count()), Vec::new());
    while !layer.is_empty() {
        let mut next = Vec::new();
        for &node in &layer {
            graph[node].layer = starts.len();
            for dependent in graph.neighbors_directed(node, Direction::Incoming) {
                missing[dependent.index()] -= 1;
                if missing[dependent.index()] == 0 {
                    next.push(dependent);
                }
            }
        }
        starts.push(order.len());
        order.append(&mut layer);
        next.sort_unstable();
        layer = next;
    }
    (order, starts)
}
