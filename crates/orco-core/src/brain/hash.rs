//! Chance without a source of it: ids and jitter are hashes of the seed and counters.

use crate::model::InstanceId;

/// The finaliser of splitmix64: a bijection whose output bits all depend on all input bits.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A hash of the seed and some numbers.
pub(crate) fn hash(seed: u128, parts: &[u64]) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let mut h = mix(seed as u64 ^ 0x9e37_79b9_7f4a_7c15) ^ mix((seed >> 64) as u64 ^ 0xd1b5_4a32_d192_ed03);
    for part in parts {
        h = mix(h.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ mix(*part));
    }
    h
}

/// The id of the instance with this number.
pub(crate) fn instance(seed: u128, number: u64) -> InstanceId {
    InstanceId((u128::from(hash(seed, &[1, number])) << 64) | u128::from(hash(seed, &[2, number])))
}

/// A hash of bytes, to tell values apart that are not chosen by an adversary.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    let mut h = mix(bytes.len() as u64 ^ 0x9e37_79b9_7f4a_7c15);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        h = mix(h.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ u64::from_le_bytes(word));
    }
    h
}
