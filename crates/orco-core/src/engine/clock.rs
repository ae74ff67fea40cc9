//! The only reader of clocks in the engine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::model::Moment;

/// Now, for who measures a silence and decides nothing by it.
#[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
pub(super) fn instant() -> Instant {
    Instant::now()
}

/// Time since the engine's start, or since the machine's. Monotonic; obeys tokio's paused time in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    origin: Instant,
    /// The moment of the origin.
    begin: Moment,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
    pub(super) fn start() -> Self {
        Self { origin: Instant::now(), begin: Moment::ZERO }
    }

    /// Counts from the machine's start, so that the moments of an engine mean something to the next one.
    /// `after`: the last moment that is remembered; a clock never goes back.
    #[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
    pub(super) fn since_boot(after: Moment) -> Self {
        // proc_uptime(5): seconds since boot, the time asleep included, with two digits behind the point.
        let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
        let seconds = text.split(' ').next().and_then(|s| s.parse::<f64>().ok()).filter(|s| s.is_finite() && *s > 0.0);
        let up = Moment::ZERO + seconds.map_or(Duration::ZERO, Duration::from_secs_f64);
        Self { origin: Instant::now(), begin: up.max(after) }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
    pub(super) fn now(self) -> Moment {
        self.begin + Instant::now().duration_since(self.origin)
    }

    /// The instant of a moment, rounded up to the timer's millisecond, so that a timer never fires early
    /// and spins.
    pub(super) fn instant(self, moment: Moment) -> Instant {
        let far = Duration::from_secs(86_400 * 365);
        self.origin + moment.since(self.begin).min(far)
    }
}

/// Microseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "this is the engine's clock")]
pub(super) fn wall_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
}
