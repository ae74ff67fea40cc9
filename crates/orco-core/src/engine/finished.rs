//! When nothing is left to run.

use crate::model::{ServiceName, State, Waiting};

use super::status::Status;

/// What is left when nothing runs any more.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Finished {
    /// Everything that was wanted has completed.
    Completed,
    /// These services have not: they failed, or wait for one that failed.
    Failed(Vec<ServiceName>),
    /// The stack was asked down, and is.
    Down,
}

/// `None`: something still runs or will.
pub(super) fn finished(status: &Status) -> Option<Finished> {
    let services = &status.snapshot.services;
    if status.going_down {
        return status.snapshot.all_down().then_some(Finished::Down);
    }
    // What somebody has stopped, somebody may start again, and then others may go on.
    if services.iter().any(|s| matches!(s.waiting, Some(Waiting::Down { reason: None }))) {
        return None;
    }
    let over = |s: State| matches!(s, State::Completed | State::Failed | State::Stopped);
    let mut wanted = services.iter().filter(|s| s.wanted).peekable();
    wanted.peek()?;
    let mut failed = Vec::new();
    for s in wanted {
        // A pending seat moves only when something it waits for does, and by now nothing else moves.
        let stuck = s.state == State::Pending && s.waiting.as_ref().is_some_and(Waiting::is_gate);
        if !(over(s.state) || stuck) || s.instances.iter().any(|i| !over(i.state) && i.state != State::Pending) {
            return None;
        }
        if s.state != State::Completed {
            failed.push(s.name.clone());
        }
    }
    let unwanted_live = services.iter().filter(|s| !s.wanted).flat_map(|s| &s.instances).any(|i| !over(i.state));
    if unwanted_live {
        return None;
    }
    Some(if failed.is_empty() { Finished::Completed } else { Finished::Failed(failed) })
}
