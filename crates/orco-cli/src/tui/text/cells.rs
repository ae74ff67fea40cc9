//! What stands in which column: a text cut into pieces that a terminal shows as one.

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

/// A base takes at most so many characters that go on it: nobody needs more, and each cell costs its text.
const CHARS: usize = 16;

/// Instead of a character that has no business here.
const REPLACEMENT: &str = "\u{fffd}";

/// What a terminal shows as one, in one or more cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece<'a> {
    /// Where it begins in the text (bytes).
    pub at: usize,
    /// How much of the text it stands for (bytes).
    pub len: usize,
    /// What to put into the first cell.
    pub symbol: &'a str,
    /// The cells it takes; at least one.
    pub width: u16,
}

/// The pieces of a clean text. What takes no room by itself is shown with its base or, without one, not at all.
pub fn cells(text: &str) -> Cells<'_> {
    Cells { text, at: 0 }
}

/// The columns of a clean text.
pub fn width(text: &str) -> usize {
    cells(text).map(|piece| usize::from(piece.width)).sum()
}

/// See [`cells`].
#[derive(Debug)]
pub struct Cells<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Cells<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            let at = self.at;
            let byte = *bytes.get(at)?;
            // Nothing can join two ASCII characters; so most of most lines goes without tables.
            if matches!(byte, b' '..=b'~') && bytes.get(at + 1).is_none_or(u8::is_ascii) {
                self.at += 1;
                return Some(Piece { at, len: 1, symbol: &self.text[at..=at], width: 1 });
            }
            let cluster = agreed(self.text[at..].graphemes(true).next()?);
            self.at += cluster.len();
            let (symbol, width) = shown(cluster);
            if width > 0 {
                return Some(Piece { at, len: cluster.len(), symbol, width });
            }
        }
    }
}

/// The beginning of a cluster that takes the same room on every terminal. Of emoji joined to one, and of the two halves
/// of a flag, some make a picture and others show each; a wrong guess would shift the rest of the row and leave its
/// traces there.
fn agreed(cluster: &str) -> &str {
    let mut chars = cluster.chars();
    match chars.next() {
        Some(c) if region(c).is_some() => &cluster[..c.len_utf8()],
        // Letters are joined without taking more room.
        Some(c) if !c.is_alphabetic() => match cluster.find(JOINER) {
            Some(at) => &cluster[..at + JOINER.len_utf8()],
            None => cluster,
        },
        Some(_) | None => cluster,
    }
}

/// The letter of half a flag.
fn region(c: char) -> Option<&'static str> {
    let at = usize::try_from(u32::from(c).checked_sub(0x1f1e6)?).ok()?;
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ".get(at..=at)
}

/// Makes one of two characters.
const JOINER: char = '\u{200d}';

/// Whether the character only chooses how the one before it looks; not every terminal knows how wide that is.
const fn chooses(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}' | JOINER | '\u{1f3fb}'..='\u{1f3ff}')
}

/// What stands in the cell for a cluster.
fn shown(cluster: &str) -> (&str, u16) {
    // The cleaning has made such characters visible; this is for a caller that forgot to.
    if cluster.chars().any(|c| c.is_control() || turns(c)) {
        return (REPLACEMENT, 1);
    }
    let mut chars = cluster.char_indices().enumerate();
    let Some(letter) = chars.next().map(|(_, (_, c))| region(c)) else { return (cluster, 0) };
    let end = chars.find(|(nth, (_, c))| *nth >= CHARS || chooses(*c)).map_or(cluster.len(), |(_, (at, _))| at);
    let symbol = letter.unwrap_or(&cluster[..end]);
    (symbol, symbol.cell_width())
}

/// Whether the character turns the direction of text, or ends a line.
const fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_terminals_disagree_on() {
        for (text, symbols) in [
            ("👨\u{200d}👩\u{200d}👦!", &[("👨", 2), ("👩", 2), ("👦", 2), ("!", 1)][..]),
            ("🇩🇪🇫", &[("D", 1), ("E", 1), ("F", 1)]),
            ("❤\u{fe0f}x", &[("❤", 1), ("x", 1)]),
            ("1\u{fe0f}\u{20e3}", &[("1", 1)]),
            ("👍🏽", &[("👍", 2)]),
            ("e\u{301}", &[("e\u{301}", 1)]),
        ] {
            let found: Vec<_> = cells(text).map(|piece| (piece.symbol, piece.width)).collect();
            assert_eq!(found, symbols, "{text:?}");
            assert_eq!(cells(text).map(|piece| piece.len).sum::<usize>(), text.len(), "{text:?}");
        }
    }
}
