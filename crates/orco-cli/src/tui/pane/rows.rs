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
    if wrap { rows(text, width, wrap).len() } else { text.split('\n').count() }
}

fn fold(text: &str, line: Row, width: usize, out: &mut Vec<Row>) {
    let text = &text[line.from..line.to];
    let mut fold = Fold { from: line.from, column: 0, space: None, width };
    if text.is_ascii() {
        // The usual case, and much cheaper. A clean text has nothing in it that takes no column.
        let pieces = text.bytes().enumerate().map(|(at, byte)| (line.from + at, 1, 1, byte == b' '));
        pieces.for_each(|piece| fold.push(piece, out));
    } else {
        let pieces = cells(text).map(|c| (line.from + c.at, c.len, usize::from(c.width), c.symbol == " "));
        pieces.for_each(|piece| fold.push(piece, out));
    }
    out.push(Row { from: fold.from, to: line.to });
}

/// Words up to this width stay whole in narrow rows, too.
const WORD: usize = 14;

/// The row that grows.
struct Fold {
    from: usize,
    column: usize,
    /// Behind the last space: where, and in which column.
    space: Option<(usize, usize)>,
    width: usize,
}

impl Fold {
    /// Adds a piece: where it is, its bytes, its columns, and whether it is a space. A row ends behind a space, unless
    /// that would leave too much of it empty: more than a third, or half of a narrow one.
    fn push(&mut self, (at, len, wide, is_space): (usize, usize, usize, bool), out: &mut Vec<Row>) {
        if self.column + wide > self.width && at > self.from {
            if is_space {
                // There is no need to see it: the row ends here anyway.
                out.push(Row { from: self.from, to: at });
                (self.from, self.column, self.space) = (at + len, 0, None);
                return;
            }
            let most = (self.width / 3).max(WORD.min(self.width / 2));
            let fits = |word: usize| word <= most && word + wide <= self.width;
            let word = self.space.filter(|(_, column)| fits(self.column - column));
            let (to, column) = word.unwrap_or((at, self.column));
            out.push(Row { from: self.from, to });
            (self.from, self.column, self.space) = (to, self.column - column, None);
        }
        self.column += wide;
        if is_space {
            self.space = Some((at + len, self.column));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::tui::text::width as wide;

    fn told(text: &str, width: usize) -> Vec<&str> {
        rows(text, width, true).iter().map(|row| &text[row.from..row.to]).collect()
    }

    #[test]
    fn words_stay_whole_where_that_leaves_little_empty() {
        for (text, width, rows) in [
            ("one two three", 9, &["one two ", "three"][..]),
            ("one two three", 7, &["one two", "three"]),
            ("abcdefghijkl", 5, &["abcde", "fghij", "kl"]),
            ("it needs reliability", 14, &["it needs ", "reliability"]),
            ("a abcdefghijkl", 6, &["a abcd", "efghij", "kl"]),
            ("漢字 漢字 漢字", 9, &["漢字 漢字", "漢字"]),
            ("a\nb", 5, &["a", "b"]),
            ("", 5, &[""]),
        ] {
            assert_eq!(told(text, width), rows, "{text:?} at {width}");
        }
    }

    proptest! {
        #[test]
        fn every_row_fits_and_only_spaces_between_them_are_lost(text in "[ab 漢é\n]{0,60}", width in 2_usize..20) {
            let rows = rows(&text, width, true);
            let mut end = 0;
            for row in &rows {
                prop_assert!(wide(&text[row.from..row.to]) <= width, "{row:?} of {text:?}");
                prop_assert!(matches!(&text[end..row.from], "" | " " | "\n"), "{row:?} of {text:?}");
                end = row.to;
            }
            prop_assert_eq!(end, text.len());
            prop_assert_eq!(count(&text, width, true), rows.len());
        }
    }
}
