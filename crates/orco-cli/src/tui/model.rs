//! What is known of the stack. No terminal, no keys, no clock.

use std::collections::VecDeque;

use orco_api::wire::{Event, Graph, Service, Status, Timestamp, Why};

use super::usage::Usage;

/// Events that are kept.
pub const EVENTS: usize = 10_000;

/// How the connection is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Connection {
    /// Nothing has come yet.
    #[default]
    Opening,
    /// What is shown is so.
    Live,
    /// The engine has not answered for long, although nobody says that it is gone: what is shown was so.
    Silent,
    /// Lost for this reason: what is shown was so.
    Stale(String),
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The last status.
    pub status: Option<Status>,
    /// Whether it is still so.
    pub connection: Connection,
    /// The time of the last input.
    pub now: Timestamp,
    /// What services use.
    pub usage: Usage,
    /// The last events, oldest first; never more than [`EVENTS`].
    pub events: VecDeque<Event>,
    /// The chain of causes of a service, or why there is none. It is asked for while a view shows it.
    pub why: Option<(String, Result<Why, String>)>,
    /// The graph, or why there is none. It is asked for while a view shows it.
    pub graph: Option<Result<Graph, String>>,
}

impl Model {
    /// A service by name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.status.as_ref()?.services.get(name)
    }

    /// All services in the order of the stack file.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.status.iter().flat_map(|status| status.services.values())
    }

    /// The stack's name, once it is known.
    pub fn stack(&self) -> &str {
        self.status.as_ref().map_or("", |status| &status.stack)
    }

    /// Takes events that came. What was there before is left out: numbers rise.
    pub fn take_events(&mut self, events: Vec<Event>) {
        for event in events {
            if self.events.back().is_some_and(|last| event.seq <= last.seq) {
                continue;
            }
            if self.events.len() == EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::samples;

    #[test]
    fn events_are_bounded_and_come_once() {
        let mut model = Model::default();
        model.take_events((0..12_000).map(samples::event).collect());
        model.take_events((11_990..12_001).map(samples::event).collect());
        assert_eq!(model.events.len(), EVENTS);
        let seqs: Vec<u64> = model.events.iter().map(|event| event.seq).collect();
        assert_eq!((seqs[0], seqs[EVENTS - 1]), (2_001, 12_000));
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }
}
