//! Cycles, found without recursion.

use std::collections::VecDeque;

use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

/// One shortest cycle of each knot of services that need each other, as indexes: each needs the next, the last the
/// first. The lowest index comes first; cycles come in that order. Edges from a node to itself are not looked at.
pub(crate) fn cycles(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), (), usize>::with_capacity(nodes, edges.len());
    for _ in 0..nodes {
        graph.add_node(());
    }
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
    }
    let mut knot_of = vec![usize::MAX; nodes];
    let mut found = Vec::new();
    let knots: Vec<_> = kosaraju_scc(&graph).into_iter().filter(|knot| knot.len() > 1).collect();
    for (number, knot) in knots.iter().enumerate() {
        for node in knot {
            knot_of[node.index()] = number;
        }
    }
    for (number, knot) in knots.iter().enumerate() {
        if let Some(start) = knot.iter().min().copied() {
            found.extend(around(&graph, start, &|node| knot_of[node.index()] == number));
        }
    }
    found.sort_unstable();
    found
}

/// The shortest way from `start` back to it, inside the knot.
fn around(
    graph: &DiGraph<(), (), usize>,
    start: NodeIndex<usize>,
    inside: &dyn Fn(NodeIndex<usize>) -> bool,
) -> Option<Vec<usize>> {
    let mut came_from = vec![None; graph.node_count()];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        // Neighbours come newest edge first.
        let mut next: Vec<_> = graph.neighbors(node).filter(|next| inside(*next)).collect();
        next.reverse();
        for next in next {
            if next == start {
                let mut way = vec![node.index()];
                let mut at = node;
                while let Some(before) = came_from[at.index()] {
                    at = before;
                    way.push(at.index());
                }
                way.reverse();
                return Some(way);
            }
            if came_from[next.index()].is_none() {
                came_from[next.index()] = Some(node);
                queue.push_back(next);
            }
        }
    }
    None
}
