//! The unfinished line of one stream.

/// What has come of a line so far, bounded.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The first bytes, at most one more than the limit.
    bytes: Vec<u8>,
    /// Bytes beyond them.
    over: u64,
    /// The last byte of all.
    last: u8,
    /// Bytes in its midst that could not be stored.
    gap: u64,
    /// Its beginning was not read.
    headless: bool,
}

impl Partial {
    /// Nothing is pending.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.headless
    }

    pub(super) fn push(&mut self, piece: &[u8], max: usize) {
        if let Some(&last) = piece.last() {
            self.last = last;
        }
        let room = (max + 1).saturating_sub(self.bytes.len()).min(piece.len());
        self.bytes.extend_from_slice(&piece[..room]);
        self.over += (piece.len() - room) as u64;
    }

    /// Bytes are missing here.
    pub(super) fn tear(&mut self, bytes: u64) {
        if !self.is_empty() {
            self.gap += bytes;
        }
    }

    /// Forgets what there is; the line goes on, but its beginning is lost.
    pub(super) fn behead(&mut self, headless: bool) {
        *self = Self { headless, ..Self::default() };
    }

    /// The line is over: its text and the bytes that are missing of it. It stays readable until
    /// [`behead`](Self::behead).
    pub(super) fn finish(&mut self, max: usize) -> Option<u64> {
        let mut whole = self.bytes.len() as u64 + self.over;
        if self.over > 0 {
            whole -= u64::from(self.last == b'\r');
        } else if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
            whole -= 1;
        }
        self.bytes.truncate(cut_at(&self.bytes, max));
        let missing = whole - self.bytes.len() as u64 + self.gap;
        (missing > 0 || self.headless).then_some(missing)
    }

    /// The text.
    pub(super) fn text(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where to cut a line: at `max`, or up to three bytes earlier where that would split a character.
pub(super) fn cut_at(bytes: &[u8], max: usize) -> usize {
    if bytes.len() <= max {
        return bytes.len();
    }
    let is_middle = |i: usize| bytes[i] & 0xc0 == 0x80;
    (max.saturating_sub(3)..=max).rev().find(|&i| !is_middle(i)).unwrap_or(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut_at(b"abcd", 4), 4);
        assert_eq!(cut_at(b"abcd", 3), 3);
        assert_eq!(cut_at("aé".as_bytes(), 2), 1);
        assert_eq!(cut_at("a😀".as_bytes(), 4), 1);
        assert_eq!(cut_at(&[0x80; 9], 5), 5);
    }

    #[test]
    fn a_carriage_return_counts_the_same_however_it_came() {
        for pieces in [vec!["abc\r"], vec!["abc", "\r"], vec!["a", "bc\r"]] {
            let mut partial = Partial::default();
            for piece in pieces {
                partial.push(piece.as_bytes(), 3);
            }
            assert_eq!(partial.finish(3), None);
            assert_eq!(partial.text(), b"abc");
        }
    }
}
