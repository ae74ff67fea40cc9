//! How long the next try waits.

use std::time::Duration;

use crate::spec::Backoff;

/// The bounds of the delay before retry `attempt` (from 0): `hi = min(max, min * factor^(attempt + 1))`,
/// `lo = max(min, hi / factor)`.
pub fn bounds(backoff: &Backoff, attempt: u32) -> (Duration, Duration) {
    let (min, max) = (backoff.min.as_secs_f64(), backoff.max.as_secs_f64().max(backoff.min.as_secs_f64()));
    let factor = backoff.factor.max(1.0);
    // A power that overflows is infinite, and the smaller of it and `max` is `max`.
    let grown = min * factor.powf(f64::from(attempt) + 1.0);
    let hi = if grown.is_finite() { grown.min(max) } else { max };
    let lo = (hi / factor).clamp(min, hi);
    (exact(lo, backoff), exact(hi, backoff))
}

/// Floating point must not lead a hair's breadth out of [min, max].
fn exact(seconds: f64, backoff: &Backoff) -> Duration {
    let max = backoff.max.max(backoff.min);
    Duration::try_from_secs_f64(seconds).unwrap_or(max).clamp(backoff.min, max)
}

/// The delay before retry `attempt` (from 0), drawn evenly from its bounds by `chance`, a hash.
pub fn delay(backoff: &Backoff, attempt: u32, chance: u64) -> Duration {
    if backoff.min.is_zero() {
        return Duration::ZERO;
    }
    let (lo, hi) = bounds(backoff, attempt);
    let span = u64::try_from((hi - lo).as_micros()).unwrap_or(u64::MAX);
    let drawn = (u128::from(chance) * (u128::from(span) + 1)) >> 64;
    lo + Duration::from_micros(u64::try_from(drawn).unwrap_or(span))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(min_ms: u64, max_ms: u64, factor: f64, attempt: u32, expect_ms: (u64, u64)) {
        let backoff = Backoff { min: Duration::from_millis(min_ms), max: Duration::from_millis(max_ms), factor };
        let (lo, hi) = bounds(&backoff, attempt);
        assert_eq!((lo.as_millis() as u64, hi.as_millis() as u64), expect_ms, "attempt {attempt}");
    }

    #[test]
    fn grows_up_to_the_maximum() {
        check(1000, 30_000, 2.0, 0, (1000, 2000));
        check(1000, 30_000, 2.0, 1, (2000, 4000));
        check(1000, 30_000, 2.0, 4, (15_000, 30_000));
        check(1000, 30_000, 2.0, 4_000_000_000, (15_000, 30_000));
        check(500, 500, 2.0, 0, (500, 500));
        check(500, 20_000, 1.0, 9, (500, 500));
        check(0, 20_000, 2.0, 3, (0, 0));
    }

    #[test]
    fn two_that_died_together_spread() {
        let backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(30), factor: 2.0 };
        let draw = |who: u64, n: u32| {
            let (lo, hi) = bounds(&backoff, n);
            let d = delay(&backoff, n, crate::brain::chance(7, &[who, u64::from(n)]));
            (d - lo).as_secs_f64() / (hi - lo).as_secs_f64() - 0.5
        };
        let pairs: Vec<_> = (0..4000).map(|n| (draw(1, n), draw(2, n))).collect();
        let covariance = pairs.iter().map(|(a, b)| a * b).sum::<f64>() / 4000.0;
        // The variance of an even draw from [0, 1] is 1/12.
        assert!((covariance * 12.0).abs() < 0.1, "correlation {}", covariance * 12.0);
        let mean = pairs.iter().map(|(a, _)| a).sum::<f64>() / 4000.0;
        assert!(mean.abs() < 0.03, "mean {mean}");
    }

    proptest! {
        #[test]
        fn never_out_of_bounds(
            min in 1u64..10_000_000, more in 0u64..10_000_000_000, factor in 1.0f64..100.0, attempt: u32, chance: u64,
        ) {
            let backoff = Backoff {
                min: Duration::from_micros(min), max: Duration::from_micros(min + more), factor,
            };
            let d = delay(&backoff, attempt, chance);
            prop_assert!(d >= backoff.min && d <= backoff.max, "{d:?}");
            let (lo, hi) = bounds(&backoff, attempt);
            prop_assert!(lo <= hi && d >= lo && d <= hi);
            prop_assert!(bounds(&backoff, attempt.saturating_add(1)).1 >= hi, "never shrinks");
        }
    }
}
