//! Events: what happened, in words.

use std::sync::Arc;

use super::{Brain, state::Slot};
use crate::{
    model::{EventData, EventKind, Happening, Moment, ServiceIx},
    spec::RetryLimit,
};

/// A happening in the making.
pub(crate) struct Told {
    pub(crate) kind: EventKind,
    pub(crate) replica: Option<u32>,
    pub(crate) message: Arc<str>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) attempt: Option<u32>,
    pub(crate) data: EventData,
}

impl Told {
    pub(crate) fn new(kind: EventKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, replica: None, message: message.into(), reason: None, attempt: None, data: EventData::None }
    }

    pub(crate) const fn of(mut self, replica: u32) -> Self {
        self.replica = Some(replica);
        self
    }

    pub(crate) fn because(mut self, reason: impl Into<Arc<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(crate) const fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    pub(crate) fn with(mut self, data: EventData) -> Self {
        self.data = data;
        self
    }
}

impl Brain {
    /// Tells something about a service.
    pub(super) fn tell(&mut self, ix: ServiceIx, now: Moment, told: Told) {
        self.units[ix.index()].last_event = now;
        self.touch(ix);
        let Told { kind, replica, message, reason, attempt, data } = told;
        self.happenings.push(Happening { kind, service: Some(ix), replica, message, reason, attempt, data });
    }

    /// Tells something about the stack.
    pub(super) fn tell_all(&mut self, kind: EventKind, message: &str) {
        let message = message.into();
        self.happenings.push(Happening {
            kind,
            service: None,
            replica: None,
            message,
            reason: None,
            attempt: None,
            data: EventData::None,
        });
    }
}

/// `, after 5 restarts`, where restarts were tried.
pub(crate) fn after(slot: &Slot, limit: RetryLimit) -> String {
    match (slot.attempts, limit) {
        (0, RetryLimit::Limited(0)) => ", no restarts allowed".to_owned(),
        (0, _) => String::new(),
        (1, _) => ", after 1 restart".to_owned(),
        (n, _) => format!(", after {n} restarts"),
    }
}
