//! Chance that can be had again: `ORCO_SEED` repeats a run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::fleet::figure;

/// A stream of numbers that its seed determines.
pub struct Dice(u64);

impl Dice {
    /// Says its seed.
    pub fn new(what: &str) -> Self {
        let asked = std::env::var("ORCO_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = asked.unwrap_or_else(now);
        figure(&format!("{what}: ORCO_SEED={seed}"));
        Self(seed)
    }

    /// Below `bound` (splitmix64; the bias does not matter here).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Up to `most`; half of them early, where most happens.
    pub fn moment(&mut self, most: Duration, early: Duration) -> Duration {
        let most = if self.below(2) == 0 { most } else { early };
        Duration::from_micros(self.below(most.as_micros() as u64))
    }
}
