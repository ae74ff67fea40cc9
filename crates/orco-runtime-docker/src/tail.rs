//! The last of what a command prints.

use std::collections::VecDeque;

/// So much is kept.
const KEPT: usize = 64 * 1024;

/// The last 64 KiB of an output.
#[derive(Debug, Default)]
pub(crate) struct Tail(VecDeque<u8>);

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
        let over = (self.0.len() + bytes.len()).saturating_sub(KEPT);
        self.0.drain(..over);
        self.0.extend(bytes);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last() {
        let mut tail = Tail::default();
        let all: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        for piece in all.chunks(7000) {
            tail.push(piece);
        }
        assert_eq!(tail.into_bytes(), all[all.len() - KEPT..]);
        let mut tail = Tail::default();
        tail.push(&all);
        assert_eq!(tail.into_bytes().len(), KEPT);
    }
}
