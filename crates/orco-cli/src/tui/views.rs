//! What the views below the table remember, and what is shown above everything.

use super::{
    events::EventsView,
    graph::GraphView,
    palette::{Palette, Past},
};

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// The graph.
    pub graph: GraphView,
    /// The events.
    pub events: EventsView,
    /// The first line of the chain of causes that is seen.
    pub why: usize,
    /// The first line of the help that is seen, while it is open.
    pub help: Option<usize>,
    /// The palette, while it is open.
    pub palette: Option<Palette>,
    /// What was typed there before.
    pub past: Past,
}
