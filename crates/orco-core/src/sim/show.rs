//! Facts and events in a line of a trace.

use crate::{
    brain::Brain,
    model::{Fact, Happening, Seat},
};

fn show_seat(brain: &Brain, at: &Seat) -> String {
    format!("{}/{}{:?}", brain.name(at.service), at.slot.replica, at.slot.generation)
}

/// A fact in a line.
pub(super) fn show_fact(brain: &Brain, fact: &Fact) -> String {
    match fact {
        Fact::Created { at, inst } => format!("{} created {inst:?}", show_seat(brain, at)),
        Fact::Started { at, inst } => format!("{} started {inst:?}", show_seat(brain, at)),
        Fact::StartFailed { at, inst, why, certain } => {
            format!("{} start failed {inst:?}: {why}{}", show_seat(brain, at), if *certain { "" } else { " (unclear)" })
        }
        Fact::Exited { at, inst, exit, port_lost } => {
            format!("{} exited {inst:?}: {exit}{}", show_seat(brain, at), if *port_lost { " (port lost)" } else { "" })
        }
        Fact::Probed { at, inst, role, version, verdict } => {
            format!("{} {role:?} {inst:?} v{}: {verdict}", show_seat(brain, at), version.0)
        }
    }
}

/// An event in a line.
pub(super) fn show_happening(brain: &Brain, happening: &Happening) -> String {
    let who = happening.service.map_or_else(String::new, |ix| brain.name(ix).to_string());
    let replica = happening.replica.map_or_else(String::new, |r| format!("/{r}"));
    let reason = happening.reason.as_ref().map_or_else(String::new, |r| format!(" [{r}]"));
    format!("{} {who}{replica} {}{reason}", happening.kind.as_str(), happening.message)
}
