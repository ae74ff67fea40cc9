//! Fingerprints: enough to recognise a value, and not to know it.

use std::{
    fmt::{self, Write as _},
    hash::{BuildHasher, Hasher, RandomState},
};

use sha2::{Digest, Sha256};

/// Bits of the hashes of a value's ends.
pub(super) const BITS: u32 = 20;

/// Makes fingerprints of this directory unlike those of any other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Salt {
    bytes: [u8; 16],
    /// Both come from the bytes.
    mix: u64,
    factor: u64,
}

impl Salt {
    /// A new one: the standard library seeds its hash maps from the system.
    pub(super) fn random() -> Self {
        let half = || RandomState::new().build_hasher().finish().to_le_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&half());
        bytes[8..].copy_from_slice(&half());
        Self::from_bytes(bytes)
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        let digest = Sha256::digest(bytes);
        let number = |at: usize| digest[at..at + 8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        Self { bytes, mix: number(0), factor: number(8) | 1 }
    }

    pub(super) const fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The hash of eight bytes, the first the highest.
    #[inline]
    pub(super) const fn window(&self, eight: u64) -> u32 {
        ((eight ^ self.mix).wrapping_mul(self.factor) >> (64 - BITS)) as u32
    }

    pub(super) fn digest(&self, value: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(self.bytes).chain_update(value).finalize().into()
    }
}

/// Says nothing of itself.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

/// One form of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Print {
    /// The hash of its first eight bytes.
    pub(super) first: u32,
    /// Of its last eight.
    pub(super) last: u32,
    pub(super) len: usize,
    pub(super) digest: [u8; 32],
}

impl Print {
    /// `None`: it is too short.
    pub(super) fn of(salt: &Salt, form: &[u8]) -> Option<Self> {
        let (first, last) = (form.first_chunk::<8>()?, form.last_chunk::<8>()?);
        let window = |eight: &[u8; 8]| salt.window(u64::from_be_bytes(*eight));
        Some(Self { first: window(first), last: window(last), len: form.len(), digest: salt.digest(form) })
    }

    /// As it is in the file.
    pub(super) fn to_text(self) -> String {
        format!("{}:{:05x}:{:05x}:{}", self.len, self.first, self.last, hex(&self.digest))
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let len = parts.next()?.parse().ok().filter(|len| *len >= super::SHORTEST)?;
        let mut window = || u32::from_str_radix(parts.next()?, 16).ok().filter(|hash| hash >> BITS == 0);
        let (first, last) = (window()?, window()?);
        Some(Self { first, last, len, digest: unhex(parts.next()?)? })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Into a text: it cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N * 2 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}
