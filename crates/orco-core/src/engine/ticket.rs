//! Commands and the promise of their end.

use std::collections::BTreeMap;

use crate::{
    brain::Command,
    model::{Revision, ServiceName, ServiceView, State},
};

use super::status::{Status, Watch};

/// A command that was taken. Dropping it undoes nothing.
#[derive(Debug)]
#[must_use = "a ticket only tells of the end when it is asked"]
pub struct Ticket {
    pub(super) watch: Watch,
    /// The first status version that knows of the command.
    pub(super) from: u64,
    pub(super) aim: Aim,
}

/// What the end of a command looks like.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    Ready(Vec<ServiceName>),
    /// These services in these revisions, and no others.
    Applied(BTreeMap<ServiceName, Revision>),
    Stopped(Vec<ServiceName>),
    Down,
}

impl Aim {
    pub(super) fn of(command: &Command) -> Self {
        match command {
            Command::Apply(stack) => {
                Self::Applied(stack.services().iter().map(|s| (s.name.clone(), s.revision)).collect())
            }
            Command::Start { services, .. } | Command::Restart { services } => Self::Ready(services.clone()),
            Command::Scale { service, .. } => Self::Ready(vec![service.clone()]),
            Command::Stop { services } => Self::Stopped(services.clone()),
            Command::Down | Command::Kill => Self::Down,
        }
    }
}

/// Why what was asked for did not come about.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// A service failed for good.
    #[error("{service} failed: {why}")]
    Failed {
        /// Which.
        service: ServiceName,
        /// Its message.
        why: String,
    },
    /// A service is not wanted any more, so it will not become ready.
    #[error("{service} was stopped meanwhile")]
    Stopped {
        /// Which.
        service: ServiceName,
    },
    /// Another apply has changed the goal before this one was reached.
    #[error("another apply came in between")]
    Superseded,
    /// The engine ended first.
    #[error("the engine has ended")]
    Ended,
}

impl Ticket {
    /// Waits until the command has had its effect: started services are ready (oneshots completed),
    /// stopped ones are gone. An engine that ends shows before what it has come to; one that leaves its instances to the
    /// next does not know. Cancel-safe.
    ///
    /// # Errors
    /// [`NotDone`] names the service that stands in the way.
    pub async fn done(mut self) -> Result<(), NotDone> {
        let (from, aim) = (self.from, self.aim);
        let end = self.watch.until(|s| if s.version < from { None } else { aim.met(s) }).await;
        end.unwrap_or(Err(NotDone::Ended))
    }
}

impl Aim {
    /// `None`: not yet.
    pub(super) fn met(&self, status: &Status) -> Option<Result<(), NotDone>> {
        let all = &status.snapshot.services;
        match self {
            Self::Down => status.snapshot.all_down().then_some(Ok(())),
            Self::Stopped(names) => all.iter().filter(|s| names.contains(&s.name)).all(gone).then_some(Ok(())),
            Self::Ready(names) => {
                let asked = |s: &&ServiceView| if names.is_empty() { s.wanted } else { names.contains(&s.name) };
                all_ready(all.iter().filter(asked))
            }
            Self::Applied(revisions) => {
                // The first status that is asked knows of this apply already: what differs came later.
                let listed = all.iter().filter(|s| revisions.contains_key(&s.name)).count();
                let ours = |s: &ServiceView| match revisions.get(&s.name) {
                    Some(revision) => s.revision == *revision,
                    None => !s.wanted,
                };
                if listed < revisions.len() || !all.iter().all(ours) {
                    return Some(Err(NotDone::Superseded));
                }
                // What somebody stopped stays stopped.
                match all_ready(all.iter().filter(|s| s.wanted)) {
                    Some(Ok(())) if !all.iter().filter(|s| !revisions.contains_key(&s.name)).all(gone) => None,
                    other => other,
                }
            }
        }
    }
}

/// `None`: not yet.
fn all_ready<'a>(services: impl Iterator<Item = &'a ServiceView>) -> Option<Result<(), NotDone>> {
    let mut done = true;
    for s in services {
        if !s.wanted {
            return Some(Err(NotDone::Stopped { service: s.name.clone() }));
        }
        if s.state == State::Failed {
            return Some(Err(NotDone::Failed { service: s.name.clone(), why: s.message.clone() }));
        }
        done &= !s.changing && (s.ready || s.state == State::Completed);
    }
    done.then_some(Ok(()))
}

/// Nothing of it is left.
fn gone(s: &ServiceView) -> bool {
    s.instances.iter().all(|i| matches!(i.state, State::Stopped | State::Completed | State::Failed))
}
