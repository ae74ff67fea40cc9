//! The simulator's own source of chance: small, fast, the same on every machine.

/// A stream of numbers (splitmix64). Streams made from different keys are independent, so a service
/// that is added draws nothing from the others.
#[derive(Clone, Debug)]
pub struct Chance(u64);

/// Scrambles one word.
const fn scramble(word: u64) -> u64 {
    let z = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// The stream of this key.
    pub fn new(key: &[u64]) -> Self {
        Self(key.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
            scramble(state.wrapping_add(*part).wrapping_add(0x9e37_79b9_7f4a_7c15))
        }))
    }

    /// A text as a part of a key.
    pub fn part(text: &str) -> u64 {
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The next word.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// Evenly from `0..end`; 0 if `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// Evenly from `low..=high`.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True so many times in a thousand.
    pub const fn hit(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille as u64
    }

    /// One of them; the slice must not be empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap_or(0)]
    }

    /// Evenly between two durations, in microseconds.
    pub fn duration(&mut self, low_ms: u64, high_ms: u64) -> std::time::Duration {
        std::time::Duration::from_micros(self.between(low_ms * 1000, high_ms * 1000))
    }
}
