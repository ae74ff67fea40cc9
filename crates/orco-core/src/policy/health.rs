//! How verdicts become readiness (or sickness): thresholds and the grace period.

use crate::{
    model::{Moment, Verdict},
    spec::Tally,
};

/// Verdicts in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// Passes since the last failure.
    pub passes: u32,
    /// Counted failures since the last pass.
    pub failures: u32,
}

/// What a verdict changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turned {
    /// Enough passes in a row.
    Good,
    /// Enough failures in a row.
    Bad,
}

/// Counts one verdict about an instance that started at `started`. The answer repeats with every further
/// verdict beyond a threshold: whoever asks compares it with what held before.
///
/// An unknown verdict counts as neither; a failure does not count before the grace period is over, but it
/// ends a row of passes at any time.
pub fn count(run: &mut Run, verdict: &Verdict, tally: &Tally, started: Moment, now: Moment) -> Option<Turned> {
    match verdict {
        Verdict::Pass => {
            run.failures = 0;
            run.passes = run.passes.saturating_add(1);
            (run.passes >= tally.success_threshold).then_some(Turned::Good)
        }
        Verdict::Fail(_) => {
            run.passes = 0;
            if now < started + tally.grace_period {
                return None;
            }
            run.failures = run.failures.saturating_add(1);
            (run.failures >= tally.failure_threshold).then_some(Turned::Bad)
        }
        Verdict::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::brain::samples;

    /// A letter per verdict, 1 s apart from 1 s on: p(ass), f(ail), u(nknown). Expects g(ood), b(ad) or `-`.
    fn check(grace_s: u64, success: u32, failure: u32, verdicts: &str, expect: &str) {
        let mut tally = samples::health().tally;
        tally.grace_period = Duration::from_secs(grace_s);
        (tally.success_threshold, tally.failure_threshold) = (success, failure);
        let mut run = Run::default();
        let mut now = Moment::ZERO;
        let got: String = verdicts
            .chars()
            .map(|v| {
                now = now + Duration::from_secs(1);
                let verdict = match v {
                    'p' => Verdict::Pass,
                    'f' => Verdict::Fail("no".into()),
                    _ => Verdict::Unknown("?".into()),
                };
                match count(&mut run, &verdict, &tally, Moment::ZERO, now) {
                    Some(Turned::Good) => 'g',
                    Some(Turned::Bad) => 'b',
                    None => '-',
                }
            })
            .collect();
        assert_eq!(got, expect, "{verdicts}");
    }

    #[test]
    fn thresholds() {
        check(0, 1, 3, "ppfffp", "gg--bg");
        check(0, 2, 2, "pppffpfp", "-gg-b---");
        check(0, 2, 2, "pfppff", "---g-b");
    }

    #[test]
    fn unknown_counts_as_neither() {
        check(0, 2, 2, "pupufufu", "--g---b-");
    }

    #[test]
    fn grace_shields_from_failures_not_from_passes() {
        check(5, 1, 1, "fffffp", "----bg");
        check(5, 1, 1, "fpffff", "-g--bb");
        check(100, 1, 1, "fffpfff", "---g---");
    }
}
