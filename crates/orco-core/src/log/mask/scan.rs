//! Finds secrets in bytes: one pass with a window of eight bytes.

use std::ops::Range;

use super::{
    MASKED, SHORTEST,
    print::{BITS, Print, Salt},
};

/// What is hidden in the output of one service.
#[derive(Debug)]
pub struct Mask {
    salt: Salt,
    /// By the hash of the first bytes.
    by_first: Vec<Print>,
    /// By the hash of the last bytes.
    by_last: Vec<Print>,
    heads: Filter,
    tails: Filter,
}

/// Whether bytes are all there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whole {
    /// They are.
    Yes,
    /// Something may be missing at the end.
    CutAtEnd,
    /// Something may be missing anywhere: what looks like the beginning or the end of a secret is taken for one.
    Torn,
}

/// Says for most hashes that they are not in the set.
#[derive(Debug)]
struct Filter {
    bits: Vec<u64>,
    shift: u32,
}

impl Filter {
    fn new(hashes: impl ExactSizeIterator<Item = u32>) -> Self {
        // Sixteen times as many bits as members, so that a look says no to nearly all else, and at least a cache line.
        let width = (hashes.len().max(32) * 16).next_power_of_two().ilog2().min(BITS);
        let mut filter = Self { bits: vec![0; (1 << width) / 64], shift: BITS - width };
        for hash in hashes {
            let at = hash >> filter.shift;
            filter.bits[at as usize / 64] |= 1 << (at % 64);
        }
        filter
    }

    #[inline]
    fn may_have(&self, hash: u32) -> bool {
        let at = hash >> self.shift;
        self.bits[at as usize / 64] >> (at % 64) & 1 == 1
    }
}

impl Mask {
    /// Of these, at least one.
    pub(super) fn new(salt: Salt, prints: impl IntoIterator<Item = Print>) -> Self {
        let mut by_first: Vec<Print> = prints.into_iter().collect();
        by_first.sort_unstable();
        by_first.dedup();
        let mut by_last = by_first.clone();
        by_last.sort_unstable_by_key(|print| print.last);
        let heads = Filter::new(by_first.iter().map(|print| print.first));
        let tails = Filter::new(by_last.iter().map(|print| print.last));
        Self { salt, by_first, by_last, heads, tails }
    }

    /// Appends the bytes to `out` with secrets hidden. False: there are none, and nothing was appended.
    pub(super) fn hide(&self, bytes: &[u8], whole: Whole, out: &mut Vec<u8>) -> bool {
        let found = self.find(bytes, whole);
        let mut from = 0;
        for range in &found {
            out.extend_from_slice(&bytes[from..range.start]);
            out.extend_from_slice(MASKED.as_bytes());
            from = range.end;
        }
        if !found.is_empty() {
            out.extend_from_slice(&bytes[from..]);
        }
        !found.is_empty()
    }

    /// Where they are, in order, none over another. Allocates only where there is something.
    pub(super) fn find(&self, bytes: &[u8], whole: Whole) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if bytes.len() < SHORTEST {
            return found;
        }
        let mut window = 0;
        for &byte in &bytes[..SHORTEST - 1] {
            window = window << 8 | u64::from(byte);
        }
        for (at, &byte) in bytes[SHORTEST - 1..].iter().enumerate() {
            window = window << 8 | u64::from(byte);
            let hash = self.salt.window(window);
            if self.heads.may_have(hash) {
                self.begins(bytes, at, hash, whole, &mut found);
            }
            if whole == Whole::Torn && self.tails.may_have(hash) {
                self.ends(at, hash, &mut found);
            }
        }
        if found.len() > 1 {
            found.sort_unstable_by_key(|range| range.start);
            found.dedup_by(|next, last| {
                let over = next.start < last.end;
                if over {
                    last.end = last.end.max(next.end);
                }
                over
            });
        }
        found
    }

    /// Something at `at` begins as a secret does.
    #[cold]
    fn begins(&self, bytes: &[u8], at: usize, hash: u32, whole: Whole, found: &mut Vec<Range<usize>>) {
        let from = self.by_first.partition_point(|print| print.first < hash);
        for print in self.by_first[from..].iter().take_while(|print| print.first == hash) {
            let end = at + print.len;
            let is = match bytes.get(at..end) {
                // What is covered need not be looked at again: a service that repeats a secret's beginning costs no more.
                Some(_) if found.last().is_some_and(|range| range.start <= at && range.end >= end) => false,
                Some(_) if whole == Whole::Torn => true,
                Some(form) => self.salt.digest(form) == print.digest,
                None => whole != Whole::Yes,
            };
            if is {
                found.push(at..end.min(bytes.len()));
            }
        }
    }

    /// Something at `at` ends as a secret does.
    #[cold]
    fn ends(&self, at: usize, hash: u32, found: &mut Vec<Range<usize>>) {
        let from = self.by_last.partition_point(|print| print.last < hash);
        let end = at + SHORTEST;
        let same = self.by_last[from..].iter().take_while(|print| print.last == hash);
        found.extend(same.map(|print| end.saturating_sub(print.len)..end));
    }
}
