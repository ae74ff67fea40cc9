//! What a stack has that does not say otherwise. The numbers are part of the language.

use std::time::Duration;

use super::{
    Amount, Backoff, BlueGreen, Canary, Condition, Dependency, Kind, OnFailure, Require, Restart, RetryLimit, Stop,
    Strategy, Tally, Update,
};
use crate::model::ServiceName;

/// How long a hook may take.
pub(crate) const HOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a closed gate waits before it is reported.
pub(crate) const DEPENDENCY_TIMEOUT: Duration = Duration::from_secs(300);
/// SIGTERM.
const TERM: i32 = 15;

impl Default for Tally {
    fn default() -> Self {
        Self {
            grace_period: Duration::from_secs(5),
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            success_threshold: 1,
            failure_threshold: 3,
            start_timeout: Duration::from_secs(300),
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { min: Duration::from_secs(1), max: Duration::from_secs(30), factor: 2.0 }
    }
}

impl Default for Restart {
    /// That of a service or daemon.
    fn default() -> Self {
        Self::of(Kind::Service)
    }
}

impl Restart {
    /// The policy of a service of this kind that says nothing: `always`, for a oneshot `on-failure`.
    pub fn of(kind: Kind) -> Self {
        Self {
            condition: match kind {
                Kind::Service | Kind::Daemon => Condition::Always,
                Kind::Oneshot => Condition::OnFailure,
            },
            max_retries: RetryLimit::Limited(5),
            backoff: Backoff::default(),
            reset_after: Duration::from_secs(60),
            success_exit_codes: vec![0],
            no_restart_exit_codes: Vec::new(),
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self { signal: TERM, timeout: Duration::from_secs(10) }
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self { replicas: 1, weight: None }
    }
}

impl Default for BlueGreen {
    fn default() -> Self {
        Self { drain_timeout: Duration::from_secs(30), rollback_window: Duration::from_secs(60) }
    }
}

impl Default for Update {
    fn default() -> Self {
        Self {
            strategy: Strategy::Rolling,
            max_unavailable: Amount::Count(0),
            max_surge: None,
            min_ready: Duration::ZERO,
            progress_deadline: Duration::from_secs(600),
            promote_after: None,
            abort_after_failures: 1,
            observation_window: None,
            canary: None,
            blue_green: None,
        }
    }
}

impl Dependency {
    /// `ready` asked of the target, reported as blocked after 5 minutes, nothing done when it stops being ready later.
    pub const fn on(target: ServiceName) -> Self {
        Self { target, require: Require::Ready, timeout: DEPENDENCY_TIMEOUT, on_failure: OnFailure::Ignore }
    }
}
