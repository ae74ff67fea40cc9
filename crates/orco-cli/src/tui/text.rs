//! THE way of any text that Orco did not write itself (output, events, errors, names) to a cell of the screen.
//!
//! [`clean`] makes it harmless, [`cells`] says what stands in which column, [`put`] and [`fit`] cut it to a width,
//! [`coloured`] keeps the colours of a service. All of them cost what they show, not what they are given.

mod cells;
mod sgr;

use std::borrow::Cow;

use orco_core::log::sanitize;
use ratatui::{buffer::Buffer, style::Style};

pub use cells::{cells, width};
pub use sgr::coloured;

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// Bytes looked at for each column that may be shown: characters without a width need some room.
const BYTES_PER_COLUMN: usize = 32;

/// What stands for what was left out.
pub const ELLIPSIS: &str = "…";

/// The text with everything that acts on a terminal shown instead of done, and tabs as spaces. Borrowed where there is
/// nothing to do.
pub fn clean(text: &str) -> Cow<'_, str> {
    match sanitize(text) {
        Cow::Borrowed(text) if !text.as_bytes().contains(&b'\t') => Cow::Borrowed(text),
        text => {
            let mut out = Untabbed::default();
            out.push(&text);
            Cow::Owned(out.text)
        }
    }
}

/// Text whose tabs become spaces as it grows.
#[derive(Debug, Default)]
struct Untabbed {
    text: String,
    /// Up to here the columns are counted.
    counted: usize,
    columns: usize,
}

impl Untabbed {
    /// Appends text in which only tabs are left to do.
    fn push(&mut self, text: &str) {
        for (i, part) in text.split('\t').enumerate() {
            if i > 0 {
                self.columns += width(&self.text[self.counted..]);
                let gap = TAB - self.columns % TAB;
                self.text.extend(std::iter::repeat_n(' ', gap));
                self.columns += gap;
                self.counted = self.text.len();
            }
            self.text.push_str(part);
        }
    }
}

/// The beginning of a text that is enough for so many columns, and whether it is all.
fn head(text: &str, columns: usize) -> (&str, bool) {
    let most = columns.saturating_mul(BYTES_PER_COLUMN).saturating_add(BYTES_PER_COLUMN);
    if text.len() <= most { (text, true) } else { (&text[..text.floor_char_boundary(most)], false) }
}

/// The clean text in at most so many columns; where something is left out, the last of them is `…`.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    let (text, whole) = head(text, columns);
    let text = clean(text);
    let (end, cut) = cut(&text, columns, whole);
    if !cut {
        return text;
    }
    let mut text = text.into_owned();
    text.truncate(end);
    if columns > 0 {
        text.push_str(ELLIPSIS);
    }
    Cow::Owned(text)
}

/// Where to end a clean text so that it has room, and whether an ellipsis must follow.
fn cut(text: &str, columns: usize, whole: bool) -> (usize, bool) {
    let (mut column, mut end) = (0, 0);
    for piece in cells(text) {
        let next = column + usize::from(piece.width);
        if next > columns {
            return (end, true);
        }
        if next < columns {
            end = piece.at + piece.len;
        }
        column = next;
    }
    (if whole { text.len() } else { end }, !whole)
}

/// Draws the text from (x, y) on, in at most so many columns and never outside of the buffer. Returns the columns used.
pub fn put(buf: &mut Buffer, (x, y): (u16, u16), columns: u16, text: &str, style: Style) -> u16 {
    let area = buf.area;
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return 0;
    }
    let columns = columns.min(area.right() - x);
    let text = fit(text, usize::from(columns));
    let mut used = 0;
    for piece in cells(&text) {
        if used + piece.width > columns {
            break;
        }
        used += place(buf, (x + used, y), piece.symbol, piece.width, style);
    }
    used
}

/// Fills the cells of one piece, which must lie within the buffer; the cells a wide one covers are emptied.
pub fn place(buf: &mut Buffer, (x, y): (u16, u16), symbol: &str, width: u16, style: Style) -> u16 {
    for covered in 0..width {
        if let Some(cell) = buf.cell_mut((x + covered, y)) {
            cell.reset();
            cell.set_style(style);
            if covered == 0 {
                cell.set_symbol(symbol);
            }
        }
    }
    width
}

#[cfg(test)]
pub mod tests;
