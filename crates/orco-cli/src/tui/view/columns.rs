//! Which columns of the table there is room for, and how wide each is.

use crate::tui::table::Column;

/// Between two columns.
const GAP: u16 = 2;
/// A shape and a space before the name.
pub const SHAPE: u16 = 2;
/// Names give way down to this width.
const NAME: u16 = 12;
/// A message that has less room than this says too little.
const MESSAGE: u16 = 16;

/// What is given up first on a narrow screen. The name stays always, and with it the shape of the state.
const ORDER: [Column; 8] = [
    Column::Age,
    Column::Cpu,
    Column::Mem,
    Column::Ready,
    Column::Restarts,
    Column::Message,
    Column::State,
    Column::Repl,
];

/// A column with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Which.
    pub column: Column,
    /// Its first column of the screen, from the left edge of the table.
    pub x: u16,
    /// How wide.
    pub width: u16,
}

/// Columns for a table of this width. The widths of the longest name, `READY` and `REPL` are told.
pub fn columns(width: u16, (name, ready, repl): (u16, u16, u16)) -> Vec<Placed> {
    let wants = |column: Column| match column {
        Column::Service => name.max(7) + SHAPE,
        Column::State => 9,
        Column::Ready => ready.max(5),
        Column::Cpu | Column::Mem => 5,
        Column::Repl => repl.max(4),
        Column::Restarts => 8,
        Column::Age => 4,
        Column::Message => MESSAGE,
    };
    let least = |column: Column| match column {
        Column::Service => (name.max(7) + SHAPE).min(NAME + SHAPE),
        other => wants(other),
    };
    let mut kept = Column::ALL.to_vec();
    let total = |kept: &[Column], of: &dyn Fn(Column) -> u16| {
        kept.iter().fold(0_u16, |sum, column| sum.saturating_add(of(*column)).saturating_add(GAP)).saturating_sub(GAP)
    };
    for column in ORDER {
        if total(&kept, &least) <= width {
            break;
        }
        kept.retain(|other| *other != column);
    }
    // The name takes what it needs of what is left, beside a message of half of it; then the message all.
    let mut spare = width.saturating_sub(total(&kept, &least));
    let mut x = 0;
    let mut placed = Vec::with_capacity(kept.len());
    for column in kept.iter().copied() {
        let mut wide = least(column);
        if column == Column::Service {
            let most = if kept.contains(&Column::Message) { spare / 2 } else { spare };
            let more = wants(column).saturating_sub(wide).min(most);
            wide += more;
            spare -= more;
        }
        if column == Column::Message {
            wide += spare;
        }
        let wide = wide.min(width.saturating_sub(x));
        placed.push(Placed { column, x, width: wide });
        x = x.saturating_add(wide).saturating_add(GAP);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(width: u16) -> String {
        columns(width, (10, 3, 3)).iter().map(|placed| placed.column.title()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn narrow_tables_give_up_what_matters_least() {
        for (width, expected) in [
            (200, "SERVICE STATE READY REPL RESTARTS CPU MEM AGE MESSAGE"),
            (80, "SERVICE STATE READY REPL RESTARTS CPU MEM MESSAGE"),
            (70, "SERVICE STATE READY REPL RESTARTS MESSAGE"),
            (40, "SERVICE STATE REPL"),
            (20, "SERVICE REPL"),
            (17, "SERVICE"),
            (10, "SERVICE"),
            (1, "SERVICE"),
        ] {
            assert_eq!(titles(width), expected, "{width}");
        }
    }

    #[test]
    fn a_long_name_leaves_room_for_the_message() {
        for (width, name, message) in [(100, 21, 23), (200, 60, 84), (80, 14, 16)] {
            let placed = columns(width, (58, 3, 3));
            let wide = |column| placed.iter().find(|placed| placed.column == column).map(|placed| placed.width);
            assert_eq!((wide(Column::Service), wide(Column::Message)), (Some(name), Some(message)), "{width}");
        }
    }

    #[test]
    fn columns_never_overlap_or_stick_out() {
        for width in 0..500 {
            for widest in [(0, 0, 0), (7, 3, 3), (63, 9, 11), (u16::MAX - 9, 40, 40)] {
                let mut end = 0;
                for placed in columns(width, widest) {
                    assert!(placed.x >= end || placed.width == 0, "{width} {widest:?}: {placed:?}");
                    end = placed.x + placed.width;
                    assert!(end <= width, "{width} {widest:?}: {placed:?}");
                }
            }
        }
    }
}
