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
    /// So much of it was shown before its end.
    shown: usize,
}

/// Of a line that does not end no more is shown than this. It is shown again whenever it has grown, so
/// a progress bar that never ends would cost more with each step.
const SHOWN: usize = 8 << 10;

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

    /// Whether there is something that was not shown.
    pub(super) fn is_fresh(&self) -> bool {
        self.bytes.len().min(SHOWN) > self.shown
    }

    /// The beginning of the line, if more of it has come since it was last shown.
    pub(super) fn show(&mut self) -> Option<&[u8]> {
        if !self.is_fresh() {
            return None;
        }
        self.shown = self.bytes.len().min(SHOWN);
        let end = whole_characters(&self.bytes[..cut_at(&self.bytes, SHOWN)]);
        let text = &self.bytes[..end];
        // It may be the first half of an end of line.
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        (!text.is_empty()).then_some(text)
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

/// Without the beginning of a character at the end: the rest of it has yet to come.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3)..bytes.len();
    for at in tail.rev() {
        let need = match bytes[at] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if at + need > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_is_shown_once_and_in_whole_characters() {
        let mut partial = Partial::default();
        assert_eq!(partial.show(), None);
        partial.push(b"caf\xc3", 99);
        assert_eq!(partial.show(), Some(&b"caf"[..]));
        assert_eq!(partial.show(), None);
        partial.push(b"\xa9? ", 99);
        assert_eq!(partial.show(), Some("café? ".as_bytes()));
        partial.push(&[b'x'; 2 * SHOWN], 4 * SHOWN);
        assert_eq!(partial.show().map(<[u8]>::len), Some(SHOWN));
        partial.push(b"more", 4 * SHOWN);
        assert_eq!(partial.show(), None, "enough");
        partial.behead(false);
        partial.push(b"next", 99);
        assert_eq!(partial.show(), Some(&b"next"[..]));
    }

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
