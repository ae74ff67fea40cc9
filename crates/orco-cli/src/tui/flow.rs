//! Lines of styled text: broken to a width, or seen through a window from some column on.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    canvas,
    text::{cells, clean},
    theme::{Role, Theme},
};

/// A text in one role.
pub type Span = (Role, String);

/// A line.
pub type Line = Vec<Span>;

/// Longer lines end in an ellipsis after so many bytes: what is laid out here is read, not searched.
const LONGEST: usize = 4096;

/// A cell and what it costs.
struct Piece {
    role: Role,
    text: String,
    wide: usize,
}

/// What stands in the cells, one after the other.
fn pieces(line: &[Span]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut left = LONGEST;
    for (role, text) in line {
        let whole = text.len() <= left;
        let text = &text[..text.floor_char_boundary(left)];
        left -= text.len();
        let text = clean(text);
        pieces.extend(cells(&text).map(|cell| Piece {
            role: *role,
            text: cell.symbol.to_owned(),
            wide: cell.width.into(),
        }));
        if !whole {
            pieces.push(Piece { role: *role, text: "…".to_owned(), wide: 1 });
            break;
        }
    }
    pieces
}

/// Appends to the last span where that is possible.
fn push(line: &mut Line, role: Role, text: &str) {
    match line.last_mut() {
        Some((last, whole)) if *last == role => whole.push_str(text),
        _ => line.push((role, text.to_owned())),
    }
}

/// Breaks a line into such of at most so many columns, after spaces where there are any. Further ones begin below the
/// text of the first, and no further right than a third of the width.
pub fn wrap(line: &[Span], columns: usize) -> Vec<Line> {
    let pieces = pieces(line);
    let indent = pieces.iter().take_while(|piece| piece.text == " ").count();
    let hang = (indent + 2).min(columns / 3);
    let mut lines = Vec::new();
    let mut from = 0;
    while from < pieces.len() {
        let margin = if lines.is_empty() { 0 } else { hang };
        let (mut used, mut to, mut space) = (margin, from, None);
        while let Some(piece) = pieces.get(to).filter(|piece| used + piece.wide <= columns) {
            used += piece.wide;
            to += 1;
            if piece.text == " " && to > from + indent {
                space = Some(to);
            }
        }
        if to < pieces.len() {
            // At least one, or there is no end.
            to = space.unwrap_or(to).max(from + 1);
        }
        let mut line = vec![(Role::Plain, " ".repeat(margin))];
        pieces[from..to].iter().for_each(|piece| push(&mut line, piece.role, &piece.text));
        lines.push(line);
        from = to;
    }
    if lines.is_empty() {
        lines.push(Line::new());
    }
    lines
}

/// Draws a line on a row of the area, without its first `left` columns. What has no room on the right is told by `…`.
pub fn draw(line: &[Span], left: usize, area: Rect, y: u16, buf: &mut Buffer, theme: &Theme) {
    let room = usize::from(area.width);
    if room == 0 {
        return;
    }
    let (mut column, mut used, mut more) = (0, 0, false);
    let mut shown: Vec<Piece> = Vec::new();
    for piece in pieces(line) {
        let (begin, end) = (column, column + piece.wide);
        column = end;
        if end <= left {
            continue;
        }
        // Half a wide character stays empty.
        let piece =
            if begin < left { Piece { text: " ".repeat(end - left), wide: end - left, ..piece } } else { piece };
        if used + piece.wide > room {
            more = true;
            break;
        }
        used += piece.wide;
        shown.push(piece);
    }
    if more {
        while used >= room {
            let Some(last) = shown.pop() else { break };
            used -= last.wide;
        }
        let role = shown.last().map_or(Role::Plain, |piece| piece.role);
        shown.push(Piece { role, text: "…".to_owned(), wide: 1 });
    }
    let mut joined = Line::new();
    shown.iter().for_each(|piece| push(&mut joined, piece.role, &piece.text));
    let mut x = area.x;
    for (role, text) in &joined {
        x = canvas::put(buf, area, x, y, text, theme.style(*role));
    }
}

/// Empties an area: something is shown above what was drawn there.
pub fn clear(buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let lines = wrap(&[(Role::Plain, text.to_owned())], columns);
        lines.iter().map(|line| line.iter().map(|(_, text)| text.as_str()).collect()).collect()
    }

    #[test]
    fn broken_after_spaces_or_where_there_are_none_anywhere() {
        for (text, columns, lines) in [
            ("one two three", 20, &["one two three"][..]),
            ("one two three", 8, &["one two ", "  three"]),
            ("  one two", 7, &["  one ", "  two"]),
            ("abcdefgh", 4, &["abcd", " efg", " h"]),
            ("漢字漢字", 5, &["漢字", " 漢字"]),
            ("a\u{1b}b", 9, &["a\\x1bb"]),
            ("", 9, &[""]),
        ] {
            assert_eq!(wrapped(text, columns), lines, "{text:?} in {columns}");
        }
        // There is an end at every width, even where nothing fits.
        for columns in 0..4 {
            assert!(wrapped("漢 字", columns).len() <= 3);
        }
        assert!(wrapped(&"x".repeat(1 << 20), 1000).len() < 10);
    }

    #[test]
    fn seen_through_a_window() {
        for (left, row) in [(0, "ab漢…"), (1, "b漢c…"), (2, "漢cde"), (3, " cde "), (9, "     ")] {
            let mut buf = Buffer::empty(Rect::new(0, 0, 5, 1));
            let area = buf.area;
            let line = [(Role::Plain, "ab".to_owned()), (Role::Bad, "漢c".to_owned()), (Role::Plain, "de".to_owned())];
            draw(
                &line,
                left,
                area,
                0,
                &mut buf,
                &Theme { depth: super::super::theme::Depth::None, ..Theme::default() },
            );
            let text: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
            // The cell under a wide character is empty.
            assert_eq!(text.replace("漢 ", "漢"), row, "from {left}");
        }
    }
}
