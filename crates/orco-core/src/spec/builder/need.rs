//! A dependency, written in Rust.

use std::time::Duration;

use crate::spec::{OnFailure, Require};

/// What a service needs. A name alone (`"db"`) asks for `ready`.
#[derive(Clone, Debug)]
pub struct Need {
    pub(super) target: String,
    pub(super) require: Require,
    pub(super) timeout: Duration,
    pub(super) on_failure: OnFailure,
}

impl Need {
    /// This service, ready.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            require: Require::Ready,
            timeout: Duration::from_secs(300),
            on_failure: OnFailure::Ignore,
        }
    }

    /// This oneshot, completed.
    pub fn completed(target: impl Into<String>) -> Self {
        Self::new(target).require(Require::Completed)
    }

    /// What is asked of it.
    #[must_use]
    pub const fn require(mut self, require: Require) -> Self {
        self.require = require;
        self
    }

    /// After this long the wait is reported as blocked; 5 minutes by default.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What happens when it stops being ready later; nothing by default.
    #[must_use]
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }
}

impl From<&str> for Need {
    fn from(target: &str) -> Self {
        Self::new(target)
    }
}

impl From<String> for Need {
    fn from(target: String) -> Self {
        Self::new(target)
    }
}
