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
            let cluster = self.text[at..].graphemes(true).next()?;
            self.at += cluster.len();
            let (symbol, width) = shown(cluster);
            if width > 0 {
                return Some(Piece { at, len: cluster.len(), symbol, width });
            }
        }
    }
}

/// What stands in the cell for a cluster.
fn shown(cluster: &str) -> (&str, u16) {
    // The cleaning has made such characters visible; this is for a caller that forgot to.
    if cluster.chars().any(|c| c.is_control() || turns(c)) {
        return (REPLACEMENT, 1);
    }
    let end = cluster.char_indices().nth(CHARS).map_or(cluster.len(), |(at, _)| at);
    let symbol = &cluster[..end];
    (symbol, symbol.cell_width())
}

/// Whether the character turns the direction of text, or ends a line.
const fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
