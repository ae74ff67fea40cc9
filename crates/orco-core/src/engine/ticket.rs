//! Commands and the promise of their end.

use crate::{
    brain::Command,
    model::{ServiceName, ServiceView, State},
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
    Stopped(Vec<ServiceName>),
    Down,
}

impl Aim {
    pub(super) fn of(command: &Command) -> Self {
        match command {
            Command::Apply(_) => Self::Ready(Vec::new()),
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
    /// The engine ended first.
    #[error("the engine has ended")]
    Ended,
}

impl Ticket {
    /// Waits until the command has had its effect: started services are ready (oneshots completed),
    /// stopped ones are gone. Cancel-safe.
    ///
    /// # Errors
    /// [`NotDone`] names the service that stands in the way.
    pub async fn done(mut self) -> Result<(), NotDone> {
        let (from, aim) = (self.from, self.aim);
        self.watch.until(|s| if s.version < from { None } else { aim.met(s) }).await.unwrap_or(match aim {
            Aim::Down | Aim::Stopped(_) => Ok(()),
            Aim::Ready(_) => Err(NotDone::Ended),
        })
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
                let mut done = true;
                for s in all.iter().filter(|s| if names.is_empty() { s.wanted } else { names.contains(&s.name) }) {
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
        }
    }
}

/// Nothing of it is left.
fn gone(s: &ServiceView) -> bool {
    s.instances.iter().all(|i| matches!(i.state, State::Stopped | State::Completed | State::Failed))
}
