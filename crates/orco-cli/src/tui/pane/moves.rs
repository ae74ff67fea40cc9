//! Moving what is seen.

use super::{
    contract::PaneEffect,
    ring::Id,
    rows,
    search::{Found, Way},
    sheet::Spot,
    state::{Hold, Pane, notice},
};

impl Pane {
    /// Shows the newest, and goes on doing so.
    pub(super) fn follow(&mut self) {
        self.hold = None;
    }

    /// Stays where it is. Nothing if there is nothing to stay at.
    fn pause(&mut self) -> Option<Hold> {
        if self.hold.is_none() {
            self.hold = self.top().zip(self.shown.last()).map(|(top, cursor)| Hold { top, cursor, mark: None, new: 0 });
        }
        self.hold
    }

    /// After records have gone: what is seen moves on to the nearest that is still there.
    pub(super) fn settle(&mut self) {
        let Some(mut hold) = self.hold else { return };
        let nearest = |id: Id| self.shown.at_or_after(id).or_else(|| self.shown.last());
        let (Some(top), Some(cursor)) = (nearest(hold.top.id), nearest(hold.cursor)) else {
            self.hold = None;
            return;
        };
        if top != hold.top.id {
            hold.top = Spot { id: top, row: 0 };
        }
        hold.cursor = cursor;
        hold.mark = hold.mark.and_then(nearest);
        hold.new = hold.new.min(self.shown.len() as u64);
        self.hold = Some(hold);
    }

    /// Moves the window; at the end it follows again.
    pub(super) fn scroll(&mut self, rows: isize) {
        if rows > 0 && self.hold.is_none() {
            return;
        }
        let Some(mut hold) = self.pause() else { return };
        let Some(top) = self.top() else { return };
        let (next, tail) = self.sheet(|sheet| {
            let next = if rows < 0 { sheet.up(top, rows.unsigned_abs()) } else { sheet.down(top, rows.unsigned_abs()) };
            (next, sheet.tail().unwrap_or(next))
        });
        if rows > 0 && next >= tail && hold.mark.is_none() {
            self.follow();
            return;
        }
        hold.top = next.min(tail);
        let seen = self.sheet(|sheet| sheet.window(hold.top));
        if let (Some(first), Some(last)) = (seen.first(), seen.last()) {
            hold.cursor = hold.cursor.clamp(first.id, last.id);
        }
        self.hold = Some(hold);
    }

    /// Moves the cursor by one record, or the window by one row where the record is taller than that.
    pub(super) fn step(&mut self, way: Way) {
        if self.hold.is_none() && way == Way::Next {
            return;
        }
        let Some(mut hold) = self.pause() else { return };
        let Some(top) = self.top() else { return };
        hold.top = top;
        let rows = self.rows(hold.cursor);
        let bottom = self.sheet(|sheet| sheet.window(top)).last().copied().unwrap_or(top);
        let next = match way {
            Way::Next if bottom.id == hold.cursor && bottom.row + 1 < rows => {
                hold.top = self.sheet(|sheet| sheet.down(top, 1));
                None
            }
            Way::Previous if top.id == hold.cursor && top.row > 0 => {
                hold.top = self.sheet(|sheet| sheet.up(top, 1));
                None
            }
            Way::Next => match self.shown.after(hold.cursor) {
                None if hold.mark.is_none() => {
                    self.follow();
                    return;
                }
                next => next,
            },
            Way::Previous => self.shown.before(hold.cursor),
        };
        self.hold = Some(hold);
        if let Some(id) = next {
            let row = if way == Way::Next { 0 } else { self.rows(id).saturating_sub(1) };
            self.reveal(id, row, false);
        }
    }

    pub(super) fn go_to_first(&mut self) {
        let Some(hold) = self.pause() else { return };
        let Some(id) = self.shown.first() else { return };
        self.hold = Some(Hold { top: Spot { id, row: 0 }, cursor: id, ..hold });
    }

    /// Puts the cursor on a record and moves the window as little as possible so that this row of it is seen, or, from
    /// far away, so that something is seen before it.
    fn reveal(&mut self, id: Id, row: usize, from_afar: bool) {
        let Some(mut hold) = self.pause() else { return };
        hold.cursor = id;
        let Some(top) = self.top() else { return };
        let spot = Spot { id, row };
        let height = usize::from(self.area.height.max(1));
        hold.top = self.sheet(|sheet| {
            let window = sheet.window(top);
            if window.contains(&spot) {
                top
            } else if from_afar {
                sheet.up(spot, height / 3)
            } else if spot < top {
                spot
            } else {
                sheet.up(spot, height - 1)
            }
        });
        self.hold = Some(hold);
    }

    /// Goes to the next or the one before, or says why not.
    pub(super) fn find(&mut self, way: Way) -> Vec<PaneEffect> {
        self.search_on();
        let from = self.hold.map(|hold| hold.cursor);
        let Some(search) = &mut self.search else {
            return notice("nothing is searched for: / begins");
        };
        search.wanted = None;
        // While it follows, the next one is the newest there is: it is at the end.
        let way_now = if from.is_none() { Way::Previous } else { way };
        match search.find(way_now, from, &self.shown, self.ring.end()) {
            Found::At { id, wrapped } => {
                self.jump(id);
                match (wrapped && from.is_some(), way) {
                    (true, Way::Next) => notice("search goes on at the begin"),
                    (true, Way::Previous) => notice("search goes on at the end"),
                    (false, _) => Vec::new(),
                }
            }
            Found::NotYet => {
                search.wanted = Some(way);
                Vec::new()
            }
            Found::Nothing => notice("no line matches"),
        }
    }

    /// Goes where was to be gone, if the search has got so far.
    pub(super) fn go_on(&mut self) -> Vec<PaneEffect> {
        let Some(search) = &self.search else { return Vec::new() };
        let Some(way) = search.wanted else { return Vec::new() };
        let from = self.hold.map(|hold| hold.cursor);
        let way_now = if from.is_none() { Way::Previous } else { way };
        match search.find(way_now, from, &self.shown, self.ring.end()) {
            Found::NotYet => Vec::new(),
            Found::At { .. } | Found::Nothing => self.find(way),
        }
    }

    /// To the first match in a record.
    fn jump(&mut self, id: Id) {
        let Some((_, body)) = self.body(id) else { return };
        let found = self.search.as_ref().and_then(|search| search.ranges(&body.text).first().copied());
        let (from, to) = found.unwrap_or((0, 0));
        let width = usize::from(self.columns().body.max(1));
        let all = rows::rows(&body.text, width, self.wrap);
        let row = all.iter().rposition(|row| row.from <= from).unwrap_or(0);
        let begin = all.get(row).map_or(0, |row| row.from);
        let wide = |to: usize| body.text.get(begin..to).map_or(0, crate::tui::text::width);
        let (start, end) = (wide(from), wide(to));
        if !self.wrap && (start < self.left || end > self.left + width) {
            self.left = if end <= width { 0 } else { start.saturating_sub(width / 3) };
        }
        self.reveal(id, row, true);
    }

    /// Shows all there is to know about the record at the cursor, or no longer.
    pub(super) fn turn_open(&mut self) {
        let Some(hold) = self.pause() else { return };
        self.open = if self.open == Some(hold.cursor) { None } else { Some(hold.cursor) };
        // Its beginning first, then as much of it as there is room for.
        let last = self.rows(hold.cursor).saturating_sub(1);
        self.reveal(hold.cursor, last.min(usize::from(self.area.height.max(1)) - 1), false);
        self.reveal(hold.cursor, 0, false);
    }

    /// Begins to choose lines at the cursor, or ends it.
    pub(super) fn choose(&mut self) {
        let Some(mut hold) = self.pause() else { return };
        hold.mark = if hold.mark.is_some() { None } else { Some(hold.cursor) };
        self.hold = Some(hold);
    }

    /// The mouse points at a row: the cursor goes there, and with a button held the lines up to there are chosen.
    pub(super) fn point(&mut self, y: u16, drag: bool) {
        let at = usize::from(y.clamp(self.area.top(), self.area.bottom().saturating_sub(1)) - self.area.top());
        let Some(id) = self.drawn.get(at).or(self.drawn.last()).copied() else { return };
        let Some(id) = self.shown.at_or_after(id) else { return };
        let Some(mut hold) = self.pause() else { return };
        if drag {
            let edge = y < self.area.top() || y >= self.area.bottom();
            hold.mark = hold.mark.or(Some(hold.cursor));
            hold.cursor = id;
            self.hold = Some(hold);
            if edge {
                self.step(if y < self.area.top() { Way::Previous } else { Way::Next });
            }
        } else {
            self.hold = Some(Hold { cursor: id, mark: None, ..hold });
        }
    }

    /// The first and the last of the lines that are chosen.
    pub(super) fn chosen(&self) -> Option<(Id, Id)> {
        let hold = self.hold?;
        let mark = hold.mark?;
        Some((hold.cursor.min(mark), hold.cursor.max(mark)))
    }
}
