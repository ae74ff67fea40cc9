//! What base64 makes of a value, wherever in the encoded bytes it lies.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters that depend on nothing but the value, for each of the three places it can have in a group of three
/// bytes, in both alphabets.
pub(super) fn forms(value: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    [STANDARD, FOR_URLS].into_iter().flat_map(move |alphabet| (0..3).map(move |before| stable(value, before, alphabet)))
}

/// With so many bytes before it.
fn stable(value: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bit = |at: usize| {
        let at = at - before * 8;
        usize::from(value[at / 8] >> (7 - at % 8) & 1)
    };
    let (first, end) = ((before * 8).div_ceil(6), (before + value.len()) * 8 / 6);
    (first..end).map(|digit| alphabet[(digit * 6..digit * 6 + 6).fold(0, |bits, at| bits << 1 | bit(at))]).collect()
}
