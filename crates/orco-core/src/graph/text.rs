//! The graph as text: for terminals, Graphviz and Mermaid.

use std::fmt::Write as _;

use petgraph::{graph::NodeIndex, visit::EdgeRef};

use super::{Dag, Node};
use crate::spec::{Kind, Require};

impl Dag {
    /// The layers, one service per line with what it needs.
    ///
    /// ```text
    /// 0  db
    /// 1  migrate (oneshot)  <- db
    /// 2  api ×2             <- db, migrate (completed)
    /// ```
    pub fn text(&self) -> String {
        let rows: Vec<_> = {
            let row = |&at: &NodeIndex| (self.graph()[at].layer, label(&self.graph()[at]), self.needs(at));
            self.order_indexes().iter().map(row).collect()
        };
        let width = rows.iter().map(|(_, label, _)| label.chars().count()).max().unwrap_or(0).min(40);
        let digits = self.layers().count().saturating_sub(1).to_string().len();
        let mut text = String::new();
        for (layer, label, needs) in rows {
            let line = match needs.is_empty() {
                true => format!("{layer:>digits$}  {label}"),
                false => format!("{layer:>digits$}  {label:<width$}  <- {needs}"),
            };
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Graphviz. Arrows point at what is needed.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph stack {\n  rankdir=LR;\n  node [shape=box];\n");
        for node in self.nodes() {
            let style = match node.kind {
                Kind::Service => "",
                Kind::Oneshot => ", style=rounded",
                Kind::Daemon => ", style=dashed",
            };
            let _ = writeln!(text, "  \"{}\" [label=\"{}\"{style}];", node.name, label(node));
        }
        for edge in self.edges() {
            let label = match edge.require {
                Require::Ready => String::new(),
                other => format!(" [label=\"{}\"]", other.as_str()),
            };
            let _ = writeln!(text, "  \"{}\" -> \"{}\"{label};", edge.from, edge.to);
        }
        text.push_str("}\n");
        text
    }

    /// Mermaid. Arrows point at what is needed.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("graph LR\n");
        for (index, node) in self.nodes().enumerate() {
            let label = label(node);
            let _ = match node.kind {
                Kind::Service => writeln!(text, "  s{index}[\"{label}\"]"),
                Kind::Oneshot => writeln!(text, "  s{index}([\"{label}\"])"),
                Kind::Daemon => writeln!(text, "  s{index}[[\"{label}\"]]"),
            };
        }
        for edge in self.graph().edge_references() {
            let (from, to) = (edge.source().index(), edge.target().index());
            let _ = match edge.weight() {
                Require::Ready => writeln!(text, "  s{from} --> s{to}"),
                other => writeln!(text, "  s{from} -->|{}| s{to}", other.as_str()),
            };
        }
        text
    }

    /// What each node needs, in words.
    fn needs(&self, node: NodeIndex) -> String {
        let mut needs: Vec<_> = self
            .graph()
            .edges(node)
            .map(|edge| {
                let name = &self.graph()[edge.target()].name;
                match edge.weight() {
                    Require::Ready => name.to_string(),
                    other => format!("{name} ({})", other.as_str()),
                }
            })
            .collect();
        needs.reverse();
        needs.join(", ")
    }
}

fn label(node: &Node) -> String {
    let mut label = node.name.to_string();
    if node.replicas != 1 {
        let _ = write!(label, " ×{}", node.replicas);
    }
    match node.kind {
        Kind::Service => {}
        kind @ (Kind::Oneshot | Kind::Daemon) => {
            let _ = write!(label, " ({})", kind.as_str());
        }
    }
    label
}
