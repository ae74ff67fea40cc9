//! The shown records as one tall sheet of rows, of which a window is seen. A place on it is a record and a row of it, so
//! nothing here looks at more than the records between two places.

use super::{ring::Id, shown::Shown};

/// A row of a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    pub id: Id,
    pub row: usize,
}

/// The sheet at one moment.
pub struct Sheet<'a> {
    pub shown: &'a Shown,
    /// Rows of the window; at least 1.
    pub height: usize,
    /// How many rows a record has; at least 1.
    pub rows: &'a dyn Fn(Id) -> usize,
}

impl Sheet<'_> {
    /// The top of a window that ends at the end.
    pub fn tail(&self) -> Option<Spot> {
        let mut id = self.shown.last()?;
        let mut left = self.height;
        loop {
            let rows = (self.rows)(id);
            if rows >= left {
                return Some(Spot { id, row: rows - left });
            }
            left -= rows;
            match self.shown.before(id) {
                Some(before) => id = before,
                None => return Some(Spot { id, row: 0 }),
            }
        }
    }

    /// The same place, or the nearest after it where its record is gone.
    pub fn settle(&self, spot: Spot) -> Option<Spot> {
        match self.shown.at_or_after(spot.id) {
            Some(id) if id == spot.id => Some(Spot { id, row: spot.row.min((self.rows)(id).saturating_sub(1)) }),
            Some(id) => Some(Spot { id, row: 0 }),
            None => self.tail(),
        }
    }

    /// So many rows up, at most to the beginning. The record must be shown.
    pub fn up(&self, spot: Spot, rows: usize) -> Spot {
        let (mut spot, mut left) = (spot, rows);
        while spot.row < left {
            left -= spot.row + 1;
            match self.shown.before(spot.id) {
                Some(id) => spot = Spot { id, row: (self.rows)(id).saturating_sub(1) },
                None => return Spot { row: 0, ..spot },
            }
        }
        Spot { row: spot.row - left, ..spot }
    }

    /// So many rows down, at most to the last row of all. The record must be shown.
    pub fn down(&self, spot: Spot, rows: usize) -> Spot {
        let (mut spot, mut left) = (spot, rows);
        loop {
            let of = (self.rows)(spot.id);
            if spot.row + left < of {
                return Spot { row: spot.row + left, ..spot };
            }
            match self.shown.after(spot.id) {
                Some(id) => {
                    left -= of.saturating_sub(spot.row).min(left);
                    spot = Spot { id, row: 0 };
                }
                None => return Spot { row: of.saturating_sub(1), ..spot },
            }
        }
    }

    /// What is seen from this top on, row by row.
    pub fn window(&self, top: Spot) -> Vec<Spot> {
        let mut out = Vec::with_capacity(self.height);
        let mut next = Some(top);
        while let Some(spot) = next {
            let rows = (self.rows)(spot.id);
            out.extend((spot.row..rows).take(self.height - out.len()).map(|row| Spot { id: spot.id, row }));
            next = if out.len() < self.height { self.shown.after(spot.id).map(|id| Spot { id, row: 0 }) } else { None };
        }
        out
    }
}
