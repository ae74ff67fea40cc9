//! When an engine that has ended is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);
/// Of an engine that served: somebody may be killing it, and it is missed.
const LONGEST_SERVED: Duration = Duration::from_secs(1);
/// An engine that has served for so long is not in a crash loop.
const SETTLED: Duration = Duration::from_secs(1);
/// So many in a row that never served are enough.
const TRIES: u32 = 10;

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    After(Duration),
    GiveUp,
}

/// How often it has been tried.
#[derive(Debug)]
pub(super) struct Retries {
    tries: u32,
    delay: Duration,
}

impl Retries {
    pub(super) const fn new() -> Self {
        Self { tries: 0, delay: FIRST }
    }

    /// An engine serves.
    pub(super) const fn served(&mut self) {
        self.tries = 0;
    }

    /// An engine has ended, or could not even be started.
    pub(super) fn ended(&mut self, served: bool, lived: Duration) -> Next {
        if served && lived > SETTLED {
            *self = Self::new();
            return Next::After(Duration::ZERO);
        }
        if !served {
            self.tries = self.tries.saturating_add(1);
        }
        if self.tries >= TRIES {
            return Next::GiveUp;
        }
        let delay = if served { self.delay.min(LONGEST_SERVED) } else { self.delay };
        self.delay = (delay * 2).min(LONGEST);
        Next::After(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(2);
    const SHORT: Duration = Duration::from_millis(900);

    #[test]
    fn who_served_long_is_started_at_once() {
        let mut retries = Retries::new();
        for _ in 0..100 {
            retries.served();
            assert_eq!(retries.ended(true, LONG), Next::After(Duration::ZERO));
        }
    }

    #[test]
    fn ten_in_a_row_that_never_served_are_enough() {
        let mut retries = Retries::new();
        let next: Vec<Next> = (0..12).map(|_| retries.ended(false, LONG)).collect();
        let millis = [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000];
        let waits = millis.map(|wait| Next::After(Duration::from_millis(wait)));
        assert_eq!(next, [&waits[..], &[Next::GiveUp; 3]].concat());
        retries.served();
        assert_eq!(retries.ended(true, LONG), Next::After(Duration::ZERO));
        assert_eq!(retries.ended(false, SHORT), Next::After(FIRST));
    }

    #[test]
    fn who_serves_and_dies_is_started_ever_more_slowly_but_always() {
        let mut retries = Retries::new();
        let mut last = Duration::ZERO;
        for _ in 0..50 {
            retries.served();
            let Next::After(wait) = retries.ended(true, SHORT) else { panic!("given up") };
            assert!(wait >= last && wait <= LONGEST_SERVED);
            last = wait;
        }
        assert_eq!(last, LONGEST_SERVED);
    }
}
