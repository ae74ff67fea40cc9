//! Writing text into cells: the only way from a text to the screen. What a terminal would obey is shown, not passed
//! on; what does not fit ends in an ellipsis; nothing is written outside of its area.

use std::borrow::Cow;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::render::printable;

/// Columns of a text on the screen.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text as it is shown, at most so many columns wide.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    let text = printable(text);
    if text.len() <= columns && text.is_ascii() && !text.contains('\t') {
        return text;
    }
    let mut out = String::new();
    let mut used = 0;
    // Where the text would have to end for an ellipsis to fit.
    let mut cut = 0;
    for piece in text.graphemes(true) {
        let piece = if piece == "\t" { " " } else { piece };
        let wide = piece.width();
        if used + wide > columns {
            out.truncate(cut);
            if columns > 0 {
                out.push('…');
            }
            return Cow::Owned(out);
        }
        used += wide;
        out.push_str(piece);
        if used < columns {
            cut = out.len();
        }
    }
    Cow::Owned(out)
}

/// Writes a text at a place within the area, cut at its end. Returns the column behind it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return x;
    }
    let room = usize::from(area.right() - x);
    buf.set_stringn(x, y, fit(text, room), room, style).0
}

/// The same, so that the text ends at the column before `right`.
pub fn put_right(buf: &mut Buffer, area: Rect, right: u16, y: u16, text: &str, style: Style) -> u16 {
    let text = fit(text, usize::from(area.width));
    let wide = u16::try_from(width(&text)).unwrap_or(u16::MAX);
    let x = right.saturating_sub(wide).max(area.left());
    put(buf, area, x, y, &text, style);
    x
}

/// Puts a style on a row of the area.
pub fn paint_row(buf: &mut Buffer, area: Rect, y: u16, style: Style) {
    let row = Rect { y, height: 1, ..area }.intersection(area).intersection(buf.area);
    buf.set_style(row, style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        for (text, columns, shown) in [
            ("plain", 5, "plain"),
            ("plain", 4, "pla…"),
            ("plain", 1, "…"),
            ("plain", 0, ""),
            ("漢字漢", 6, "漢字漢"),
            ("漢字漢", 5, "漢字…"),
            ("漢字漢", 4, "漢…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("\u{1b}[2J", 20, "\\x1b[2J"),
            ("\u{202e}x", 20, "\\u{202e}x"),
            ("a\tb", 3, "a b"),
        ] {
            assert_eq!(fit(text, columns), shown, "{text:?} in {columns}");
        }
    }

    #[test]
    fn nothing_is_written_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 2));
        let area = Rect::new(1, 0, 3, 1);
        for (x, y) in [(0, 0), (4, 0), (1, 1), (200, 200)] {
            put(&mut buf, area, x, y, "xxx", Style::new());
        }
        assert_eq!(buf, Buffer::empty(buf.area));
        put(&mut buf, area, 2, 0, "abc", Style::new());
        assert_eq!(buf, Buffer::with_lines(["  a…  ", "      "]));
        put_right(&mut buf, Rect::new(0, 0, 60, 90), 6, 1, "zz", Style::new());
        assert_eq!(buf, Buffer::with_lines(["  a…  ", "    zz"]));
    }
}
