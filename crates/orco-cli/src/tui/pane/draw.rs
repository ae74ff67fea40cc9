//! The pane on the screen.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    body::{Body, grouped, word},
    contract::Selection,
    held::Held,
    ink::Ink,
    lines::{Columns, bar, label, letter},
    paint::{Text, paint},
    prompt::{Asking, Prompt},
    ring::Id,
    rows::{Row, rows},
    sheet::Spot,
    state::Pane,
};
use crate::tui::{
    text::{place, put, width},
    theme::{Role, Theme},
};

/// The record that is drawn: its rows share what was worked out for it.
struct Drawn<'a> {
    id: Id,
    held: &'a Held,
    body: Body<'a>,
    rows: Vec<Row>,
    matches: Vec<(usize, usize)>,
}

impl Pane {
    /// Draws the pane into this area, which it fills: one line about it, then the lines. The area is remembered: keys and
    /// the mouse act on what was drawn.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let area = area.intersection(buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                place(buf, (x, y), " ", 1, Style::new());
            }
        }
        if area.is_empty() {
            return;
        }
        let (status, lines, asked) = self.split(area);
        self.area = lines;
        if let Some(at) = status {
            self.draw_status(at, buf, theme, focused);
        }
        self.drawn.clear();
        if !lines.is_empty() {
            self.drawn = self.draw_lines(lines, buf, theme, focused);
        }
        if let (Some(at), Some(prompt)) = (asked, &self.prompt) {
            draw_prompt(at, buf, theme, prompt, self.shown.len());
        }
    }

    /// The rows for the line about the pane, the lines, and what is typed.
    fn split(&self, area: Rect) -> (Option<Rect>, Rect, Option<Rect>) {
        let row = |y| Some(Rect { y, height: 1, ..area });
        let status = area.height >= 2 + u16::from(self.prompt.is_some());
        let asked = self.prompt.is_some();
        let (top, bottom) = (u16::from(status), u16::from(asked));
        let lines = Rect { y: area.y + top, height: area.height - top - bottom, ..area };
        (row(area.y).filter(|_| status), lines, row(area.bottom() - 1).filter(|_| asked))
    }

    /// The line above: whose lines these are, what differs from the usual, and whether it follows.
    fn draw_status(&self, at: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let line = theme.style(if focused { Role::Focus } else { Role::Border });
        for x in at.left()..at.right() {
            place(buf, (x, at.y), "─", 1, line);
        }
        let (state, ink) = match self.hold {
            None => (" following ".to_owned(), Ink::Faint),
            Some(hold) if hold.new > 0 => (format!(" paused, {} new ", grouped(hold.new)), Ink::Warn),
            Some(_) => (" paused ".to_owned(), Ink::Warn),
        };
        let inner = at.width.saturating_sub(2);
        let wide = u16::try_from(width(&state)).unwrap_or(u16::MAX).min(inner);
        put(buf, (at.right() - 1 - wide.min(at.width - 1), at.y), wide, &state, ink.style(theme));
        let room = (inner - wide).saturating_sub(1);
        let whose = match &self.selection {
            Selection::All => " Logs of all ".to_owned(),
            Selection::Service(name) => format!(" Logs of {name} "),
            Selection::Replica(name, replica) => format!(" Logs of {name}/{replica} "),
        };
        let used = put(buf, (at.x + 1, at.y), room, &whose, Ink::Title.style(theme));
        let about = self.about();
        if !about.is_empty() {
            put(buf, (at.x + 1 + used, at.y), room - used, &about, Ink::Field.style(theme));
        }
    }

    /// What differs from the usual.
    fn about(&self) -> String {
        let mut out = String::new();
        if self.least > orco_api::wire::Level::Trace {
            out.push_str(&format!(" ≥ {} ", word(self.least)));
        }
        if self.raw {
            out.push_str(" raw ");
        }
        if !self.wrap {
            out.push_str(" unwrapped ");
            if self.left > 0 {
                out.push_str(&format!("from {} ", self.left + 1));
            }
        }
        if let Some((from, to)) = self.chosen() {
            let lines = self.shown.rank(to.saturating_add(1)) - self.shown.rank(from);
            out.push_str(&format!(" {} chosen ", grouped(lines as u64)));
        }
        if let Some(search) = &self.search {
            let count = search.count(self.hold.map(|hold| hold.cursor), &self.shown);
            out.push_str(&format!(" /{} {count} ", search.pattern));
        }
        out
    }

    fn draw_lines(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) -> Vec<Id> {
        let Some(top) = self.top() else {
            // Where the texts of lines begin.
            let indent = 3.min(area.width);
            let style = Ink::Faint.style(theme);
            put(buf, (area.x + indent, area.y), area.width - indent, &self.nothing(), style);
            return Vec::new();
        };
        let columns = self.columns();
        let window = self.sheet(|sheet| sheet.window(top));
        let mut drawn: Option<Drawn<'_>> = None;
        for (spot, y) in window.iter().zip(area.top()..area.bottom()) {
            if drawn.as_ref().is_none_or(|drawn| drawn.id != spot.id) {
                drawn = self.prepare(spot.id, &columns);
            }
            let Some(drawn) = &drawn else { continue };
            self.draw_row(Rect { y, height: 1, ..area }, buf, theme, drawn, *spot, &columns, focused);
        }
        window.iter().map(|spot| spot.id).collect()
    }

    fn prepare(&self, id: Id, columns: &Columns) -> Option<Drawn<'_>> {
        let (held, body) = self.body(id)?;
        let rows = rows(&body.text, usize::from(columns.body), self.wrap);
        let matches = self.search.as_ref().map(|search| search.ranges(&body.text)).unwrap_or_default();
        Some(Drawn { id, held, body, rows, matches })
    }

    #[expect(clippy::too_many_arguments, reason = "what is drawn, where, and how; each is its own thing")]
    fn draw_row(
        &self,
        at: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        drawn: &Drawn<'_>,
        spot: Spot,
        columns: &Columns,
        focused: bool,
    ) {
        let cursor = self.hold.is_some_and(|hold| hold.cursor == spot.id);
        let chosen = self.chosen().is_some_and(|(from, to)| (from..=to).contains(&spot.id));
        let over = if chosen {
            Ink::Chosen.style(theme)
        } else if cursor && focused {
            Ink::Cursor.style(theme)
        } else {
            Style::new()
        };
        for x in at.left()..at.right() {
            place(buf, (x, at.y), " ", 1, over);
        }
        if columns.gutter > 0 {
            let sign = if cursor && spot.row == 0 {
                "▸"
            } else if chosen {
                "┃"
            } else {
                " "
            };
            put(buf, (at.x, at.y), 1, sign, Ink::Title.style(theme).patch(over));
        }
        if spot.row == 0 {
            self.draw_front(at, buf, theme, drawn, columns, over);
        }
        let Some(row) = drawn.rows.get(spot.row) else { return };
        let hit = if cursor { Ink::Current } else { Ink::Match };
        let text = Text { body: &drawn.body, row: *row, left: self.left, matches: &drawn.matches, hit, over };
        let start = columns.start(at.width);
        paint(buf, (at.x + start, at.y), columns.body.min(at.width - start), &text, theme);
    }

    /// What stands in front of the first row of a record.
    fn draw_front(&self, at: Rect, buf: &mut Buffer, theme: &Theme, drawn: &Drawn<'_>, columns: &Columns, over: Style) {
        let held = drawn.held;
        let mut x = at.x;
        if columns.gutter > 0 {
            put(buf, (x + 1, at.y), 1, letter(held.level), drawn.body.ink.style(theme).patch(over));
            x += columns.gutter + 1;
        }
        if columns.time > 0 {
            let time = self.times.text(held.ts, self.now);
            put(buf, (x, at.y), columns.time, &time, Ink::Faint.style(theme).patch(over));
            x += columns.time + 1;
        }
        if columns.label > 0 {
            let ink = Ink::label(self.ring.name(held));
            let label = label(held, &self.selection, &self.ring);
            put(buf, (x, at.y), columns.label, &label, ink.style(theme).patch(over));
            put(buf, (x + columns.label + 1, at.y), 1, bar(held.source), Ink::Faint.style(theme).patch(over));
        }
    }

    /// Why no line is seen.
    fn nothing(&self) -> String {
        match self.ring.len() {
            // Whether there are none, or they are under way, nobody says.
            0 => "waiting for lines".to_owned(),
            held => format!("none of {} lines is {} or worse; l shows others", grouped(held as u64), word(self.least)),
        }
    }
}

fn draw_prompt(at: Rect, buf: &mut Buffer, theme: &Theme, prompt: &Prompt, lines: usize) {
    let what = match &prompt.asking {
        Asking::Search(_) => "/".to_owned(),
        Asking::Save => format!("save {} lines to: ", grouped(lines as u64)),
        Asking::Replace(path) => format!("{path} exists; replace it? (y/n) "),
    };
    let style = Ink::Title.style(theme);
    let mut x = at.x + put(buf, (at.x, at.y), at.width, &what, style);
    // The part around the cursor, where there is no room for all.
    let room = usize::from(at.right() - x).saturating_sub(1);
    let mut from = 0;
    while width(&prompt.text[from..prompt.at]) > room && from < prompt.at {
        from += prompt.text[from..].chars().next().map_or(1, char::len_utf8);
    }
    let (before, after) = (&prompt.text[from..prompt.at], &prompt.text[prompt.at..]);
    x += put(buf, (x, at.y), at.right() - x, before, Style::new());
    let under = x;
    x += put(buf, (x, at.y), at.right() - x, after, Style::new());
    if let Some(error) = &prompt.error {
        put(buf, (x + 2, at.y), at.right().saturating_sub(x + 2), error, Ink::Bad.style(theme));
    }
    if let Some(cell) = buf.cell_mut((under.min(at.right() - 1), at.y)) {
        cell.modifier.toggle(ratatui::style::Modifier::REVERSED);
    }
}
