//! One row of a text in its cells.

use ratatui::{buffer::Buffer, style::Style};

use super::{
    body::{Body, Look},
    ink::{Ink, own},
    rows::Row,
};
use crate::tui::{
    text::{ELLIPSIS, cells, place},
    theme::Theme,
};

/// What to paint.
pub struct Text<'a> {
    pub body: &'a Body<'a>,
    pub row: Row,
    /// Columns that are left out on the left.
    pub left: usize,
    /// What was searched for, in the whole text (bytes), sorted.
    pub matches: &'a [(usize, usize)],
    /// How that looks.
    pub hit: Ink,
    /// What the whole row has on top.
    pub over: Style,
}

impl Text<'_> {
    /// The style at a byte; `run` and `hit` are where the last call has found it.
    fn style(&self, at: usize, run: &mut usize, hit: &mut usize, theme: &Theme) -> Style {
        let runs = &self.body.runs;
        while runs.get(*run + 1).is_some_and(|(from, _)| *from <= at) {
            *run += 1;
        }
        while self.matches.get(*hit).is_some_and(|(_, to)| *to <= at) {
            *hit += 1;
        }
        let style = match runs.get(*run) {
            Some((_, Look::Ink(ink))) => ink.style(theme),
            Some((_, Look::Own(style))) => self.body.ink.style(theme).patch(own(*style, theme)),
            None => Style::new(),
        };
        let style = style.patch(self.over);
        let is_hit = self.matches.get(*hit).is_some_and(|(from, _)| *from <= at);
        if is_hit { style.patch(self.hit.style(theme)) } else { style }
    }
}

/// Paints a row into so many columns, which lie within the buffer. What has no room on the right is told by `…`.
pub fn paint(buf: &mut Buffer, (x, y): (u16, u16), columns: u16, text: &Text<'_>, theme: &Theme) {
    let (mut run, mut hit) = (0, 0);
    let mut column = 0;
    let end = text.left + usize::from(columns);
    // Where the last piece stands, and how wide it is.
    let mut last = (0, 0);
    for piece in cells(&text.body.text[text.row.from..text.row.to]) {
        let next = column + usize::from(piece.width);
        if next > end {
            let style = text.style(text.row.from + piece.at, &mut run, &mut hit, theme);
            finish(buf, (x, y), columns, last, style);
            return;
        }
        // Half a wide character on the left stays empty.
        if column >= text.left {
            let style = text.style(text.row.from + piece.at, &mut run, &mut hit, theme);
            let at = u16::try_from(column - text.left).unwrap_or(columns);
            place(buf, (x + at, y), piece.symbol, piece.width, style);
            last = (at, piece.width);
        }
        column = next;
    }
}

/// Puts the ellipsis into the last column; a wide character that stands there goes as a whole.
fn finish(buf: &mut Buffer, (x, y): (u16, u16), columns: u16, last: (u16, u16), style: Style) {
    let Some(edge) = columns.checked_sub(1) else { return };
    let (at, wide) = last;
    if at + wide == columns {
        for covered in at..columns {
            place(buf, (x + covered, y), " ", 1, style);
        }
    }
    place(buf, (x + edge, y), ELLIPSIS, 1, style);
}
