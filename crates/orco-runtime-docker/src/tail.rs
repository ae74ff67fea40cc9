//! The last of what a command prints.

use std::collections::VecDeque;

use orco_core::{model::Exit, runtime::ExecResult};

/// So much is kept.
const KEPT: usize = 64 * 1024;

/// The last 64 KiB of an output.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    kept: VecDeque<u8>,
    /// So many bytes came before.
    omitted: u64,
}

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let (passed, bytes) = bytes.split_at(bytes.len().saturating_sub(KEPT));
        let over = (self.kept.len() + bytes.len()).saturating_sub(KEPT);
        self.kept.drain(..over);
        self.kept.extend(bytes);
        self.omitted += (passed.len() + over) as u64;
    }

    /// The end of a command with this output.
    pub(crate) fn result(self, exit: Option<Exit>) -> ExecResult {
        ExecResult::new(exit, self.kept.into()).with_omitted(self.omitted)
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
        let result = tail.result(None);
        assert_eq!((&result.output[..], result.omitted), (&all[all.len() - KEPT..], (all.len() - KEPT) as u64));
        let mut tail = Tail::default();
        tail.push(&all);
        let result = tail.result(None);
        assert_eq!((result.output.len(), result.omitted), (KEPT, (all.len() - KEPT) as u64));
        let mut tail = Tail::default();
        tail.push(b"ab");
        tail.push(b"cd");
        assert_eq!(tail.result(None).omitted, 0);
    }
}
