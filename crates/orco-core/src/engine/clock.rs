//! The only reader of clocks in the engine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::model::Moment;

/// Time since the engine's start. Monotonic; obeys tokio's paused time in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
    pub(super) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
    pub(super) fn now(self) -> Moment {
        Moment::ZERO + Instant::now().duration_since(self.origin)
    }

    /// The instant of a moment, rounded up to the timer's millisecond, so that a timer never fires early
    /// and spins.
    pub(super) fn instant(self, moment: Moment) -> Instant {
        let far = Duration::from_secs(86_400 * 365);
        self.origin + Duration::from_micros(moment.as_micros()).min(far)
    }
}

/// Microseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
pub(super) fn wall_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
}
