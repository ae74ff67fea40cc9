//! Writing text into the cells of an area, and nowhere else. What is harmful or does not fit is [`text`](super::text)'s
//! business.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::text;
pub use super::text::{fit, width};

/// Writes a text at a place within the area, cut at its end. Returns the column behind it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return x;
    }
    x + text::put(buf, (x, y), area.right() - x, text, style)
}

/// The same, so that the text ends at the column before `right`.
pub fn put_right(buf: &mut Buffer, area: Rect, right: u16, y: u16, text: &str, style: Style) -> u16 {
    let text = fit(text, usize::from(area.width));
    let wide = u16::try_from(width(&text)).unwrap_or(u16::MAX);
    let x = right.saturating_sub(wide).max(area.left());
    put(buf, area, x, y, &text, style);
    x
}

/// The end of a text, as much of it as fits into so many columns: what was typed last is seen.
pub fn tail(mut text: &str, columns: usize) -> &str {
    while width(text) > columns {
        let mut rest = text.chars();
        rest.next();
        text = rest.as_str();
    }
    text
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
    fn what_was_typed_last_is_seen() {
        for (text, columns, end) in
            [("abc", 9, "abc"), ("abc", 2, "bc"), ("a漢字", 3, "字"), ("漢", 1, ""), ("", 0, "")]
        {
            assert_eq!(tail(text, columns), end, "{text} in {columns}");
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
