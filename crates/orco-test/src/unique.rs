//! Names that no other test has.

use std::{
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// A word of lower-case letters and digits that no other call on this machine gives, whatever process makes it.
pub(crate) fn word() -> String {
    static BORN: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // A pid is used again, but not at the same moment.
    let born = BORN.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_micros()).unwrap_or(0)
    });
    format!("{:x}x{:x}x{:x}", process::id(), born, NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn never_the_same() {
        let words: BTreeSet<_> = (0..1000).map(|_| super::word()).collect();
        assert_eq!(words.len(), 1000);
        assert!(words.iter().all(|w| w.bytes().all(|b| b.is_ascii_alphanumeric()) && w.len() < 40));
    }
}
