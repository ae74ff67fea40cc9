//! A second, independent reading of what thresholds mean. Written from the specification, not from
//! the brain.

use std::time::Duration;

use crate::{
    model::{ProbeVersion, Verdict},
    spec::Tally,
};

/// The verdicts on one instance in one role.
#[derive(Clone, Debug)]
pub struct Tallied {
    /// The version that is asked.
    pub version: ProbeVersion,
    /// The thresholds.
    pub tally: Tally,
    /// The check has changed, and the new one is not asked yet.
    pub outdated: bool,
    /// The row of verdicts said so once: whoever fails and recovers within one look is replaced all the same.
    pub failed: bool,
    passes: u32,
    failures: u32,
    /// What the row of verdicts says: `None` until a threshold was reached.
    pub verdict: Option<bool>,
}

impl Tallied {
    /// Nothing heard yet.
    pub const fn new(version: ProbeVersion, tally: Tally) -> Self {
        Self { version, tally, outdated: false, failed: false, passes: 0, failures: 0, verdict: None }
    }

    /// One more verdict of an instance of this age. Returns the new verdict of the row if it changed.
    pub fn hear(&mut self, verdict: &Verdict, age: Duration) -> Option<bool> {
        match verdict {
            Verdict::Unknown(_) => return None,
            Verdict::Pass => {
                self.passes += 1;
                self.failures = 0;
            }
            Verdict::Fail(_) => {
                self.passes = 0;
                if age < self.tally.grace_period {
                    return None;
                }
                self.failures += 1;
            }
        }
        let said = if self.passes >= self.tally.success_threshold {
            Some(true)
        } else if self.failures >= self.tally.failure_threshold {
            Some(false)
        } else {
            None
        };
        self.failed |= said == Some(false);
        if said.is_some() && said != self.verdict {
            self.verdict = said;
            return said;
        }
        None
    }
}

/// The bounds of the delay before retry `n` (from 0): drawn evenly from `[lo, hi]`.
pub fn delay_bounds(backoff: &crate::spec::Backoff, n: u32) -> (Duration, Duration) {
    let (min, max) = (backoff.min.as_secs_f64(), backoff.max.as_secs_f64());
    let exponent = i32::try_from(n).unwrap_or(i32::MAX).saturating_add(1);
    let grown = if min > 0.0 { min * backoff.factor.powi(exponent) } else { 0.0 };
    let high = grown.min(max);
    let low = (high / backoff.factor).max(min);
    let slack = 0.000_002;
    (Duration::from_secs_f64((low - slack).max(0.0)), Duration::from_secs_f64(high + slack))
}
