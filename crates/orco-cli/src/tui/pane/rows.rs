//! Where the rows of a text begin and end.

use crate::tui::text::cells;

/// A part of a text that stands in one row (bytes).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    pub from: usize,
    pub to: usize,
}

/// The rows of a clean text at this width (at least 1): one per line, or as many as it takes to show all.
pub fn rows(text: &str, width: usize, wrap: bool) -> Vec<Row> {
    let mut out = Vec::new();
    let mut from = 0;
    for line in text.split('\n') {
        let to = from + line.len();
        if wrap {
            fold(text, Row { from, to }, width, &mut out)
        } else {
            out.push(Row { from, to })
        }
        from = to + 1;
    }
    out
}

/// How many rows there are.
pub fn count(text: &str, width: usize, wrap: bool) -> usize {
    if !text.is_ascii() && wrap {
        return rows(text, width, wrap).len();
    }
    let of = |line: &str| if wrap { line.len().div_ceil(width).max(1) } else { 1 };
    text.split('\n').map(of).sum()
}

fn fold(text: &str, line: Row, width: usize, out: &mut Vec<Row>) {
    let (mut from, mut column) = (line.from, 0);
    for piece in cells(&text[line.from..line.to]) {
        let wide = usize::from(piece.width);
        let at = line.from + piece.at;
        if column + wide > width && at > from {
            out.push(Row { from, to: at });
            from = at;
            column = 0;
        }
        column += wide;
    }
    out.push(Row { from, to: line.to });
}
