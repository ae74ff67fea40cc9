//! The dependency graph for people, Graphviz and Mermaid.

use std::{collections::BTreeMap, fmt::Write};

use orco_api::wire::{Graph, GraphEdge, GraphNode, State};

use super::{Ink, Paint, printable};

/// A service with what it needs.
#[derive(Debug)]
pub struct GraphRow<'a> {
    /// The service.
    pub node: &'a GraphNode,
    /// Whether it is the first of its layer.
    pub first: bool,
    /// What it needs.
    pub needs: Vec<&'a GraphEdge>,
}

impl GraphRow<'_> {
    /// What it needs in words; empty if that is nothing.
    pub fn needed(&self) -> String {
        let needs: Vec<_> = self.needs.iter().map(|e| format!("{} ({})", e.to, e.require)).collect();
        if needs.is_empty() { String::new() } else { format!("<- {}", needs.join(", ")) }
    }
}

/// The services by layer: what is above a row is started before it.
pub fn graph_rows(graph: &Graph) -> Vec<GraphRow<'_>> {
    let mut needs: BTreeMap<&str, Vec<&GraphEdge>> = BTreeMap::new();
    for edge in &graph.edges {
        needs.entry(&edge.from).or_default().push(edge);
    }
    let mut nodes: Vec<_> = graph.nodes.iter().collect();
    nodes.sort_by_key(|n| n.layer);
    let mut above = None;
    let row = |node: &'_ GraphNode| above.replace(node.layer) != Some(node.layer);
    let firsts: Vec<bool> = nodes.iter().copied().map(row).collect();
    let rows = nodes.into_iter().zip(firsts);
    rows.map(|(node, first)| GraphRow { node, first, needs: needs.remove(node.name.as_str()).unwrap_or_default() })
        .collect()
}

/// One line per service, by layer.
pub fn text(graph: &Graph, paint: Paint) -> String {
    let width = graph.nodes.iter().map(|n| n.name.len()).max().unwrap_or(0);
    let mut text = format!("{}\n", paint.ink(Ink::Strong, &graph.stack));
    for row in graph_rows(graph) {
        let node = row.node;
        let layer = if row.first { node.layer.to_string() } else { String::new() };
        let mut line = format!("{layer:>3}  {:width$}", node.name);
        if let Some(state) = node.state {
            let _ = write!(line, "  {}{}", paint.ink(state.into(), format_args!("{:9}", state.as_str())), ready(node));
        }
        let _ = writeln!(text, "{}", format!("{line}  {}", row.needed()).trim_end());
        if !node.message.is_empty() {
            let _ = writeln!(text, "     {:width$}  {}", "", paint.ink(Ink::Faint, printable(&node.message)));
        }
    }
    text
}

const fn ready(node: &GraphNode) -> &'static str {
    match node.ready {
        Some(true) => "  ready    ",
        Some(false) => "  not ready",
        None => "",
    }
}

/// Graphviz: an arrow leads from a service to what it depends on.
pub fn dot(graph: &Graph) -> String {
    let mut text = format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box, style=rounded];\n", graph.stack);
    for node in &graph.nodes {
        let label = match node.state {
            Some(state) => format!("{}\\n{}", node.name, state.as_str()),
            None => node.name.clone(),
        };
        let colour = node.state.map(|s| format!(", color={}", colour(s))).unwrap_or_default();
        let _ = writeln!(text, "  \"{}\" [label=\"{label}\"{colour}];", node.name);
    }
    for edge in &graph.edges {
        let _ = writeln!(text, "  \"{}\" -> \"{}\" [label=\"{}\"];", edge.from, edge.to, edge.require);
    }
    text.push_str("}\n");
    text
}

/// A Mermaid flowchart, with the same arrows.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    // Names may be words of Mermaid (`end`), so nodes are numbered.
    let id = |name: &str| graph.nodes.iter().position(|n| n.name == name).unwrap_or(usize::MAX);
    for node in &graph.nodes {
        let state = node.state.map(|s| format!("<br/>{}", s.as_str())).unwrap_or_default();
        let _ = writeln!(text, "  n{}[\"{}{state}\"]", id(&node.name), node.name);
    }
    for edge in &graph.edges {
        let _ = writeln!(text, "  n{} -->|{}| n{}", id(&edge.from), edge.require, id(&edge.to));
    }
    text
}

const fn colour(state: State) -> &'static str {
    match state {
        State::Running | State::Completed => "green",
        State::Pending | State::Starting | State::Stopping => "orange",
        State::Failed => "red",
        _ => "gray",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn three_ways() {
        let graph = samples::graph();
        insta::assert_snapshot!("graph_text_down", text(&graph, Paint(false)));
        let live = graph.with_status(&samples::status().0);
        insta::assert_snapshot!("graph_text", text(&live, Paint(false)));
        insta::assert_snapshot!("graph_dot", dot(&live));
        insta::assert_snapshot!("graph_mermaid", mermaid(&live));
    }
}
