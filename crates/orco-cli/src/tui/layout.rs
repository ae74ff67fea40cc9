//! Where everything is on the screen. Drawing, the mouse, and pages that scroll all ask here.

use ratatui::layout::Rect;

/// The parts of the screen; what there is no room for is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// The bar at the top.
    pub head: Rect,
    /// The table with its headings.
    pub table: Rect,
    /// About the selection: its use over time.
    pub strip: Rect,
    /// The line between the table and what is below.
    pub divider: Rect,
    /// The log pane, or another view.
    pub below: Rect,
    /// The bar at the bottom.
    pub foot: Rect,
}

/// What decides the parts besides the size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Lines that the table would like to have, with its headings.
    pub wanted: u16,
    /// Lines that the user gave it, if any.
    pub split: Option<u16>,
    /// One part has the whole screen.
    pub zoom: Option<Zoom>,
}

/// Which part has the whole screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zoom {
    /// The table.
    Table,
    /// What is below.
    Below,
}

/// The lines that the part below keeps, with its divider.
const BELOW: u16 = 4;
/// The lines that the table keeps, with its headings.
const TABLE: u16 = 3;

/// Cuts the screen.
pub fn parts(screen: Rect, shape: Shape) -> Parts {
    let line = |y: u16, height: u16| Rect { y, height, ..screen };
    let mut parts = Parts::default();
    let (mut top, mut bottom) = (screen.top(), screen.bottom());
    // On a very low screen, what there is to see comes before bars.
    if screen.height >= 4 {
        parts.head = line(top, 1);
        top += 1;
    }
    if screen.height >= 2 {
        bottom -= 1;
        parts.foot = line(bottom, 1);
    }
    let room = bottom - top;
    let table = match shape.zoom {
        Some(Zoom::Below) => 0,
        Some(Zoom::Table) => room,
        None if room < TABLE + BELOW => room,
        // It grows with the services up to half of the room; more if the user says so.
        None => shape.split.unwrap_or_else(|| shape.wanted.min(room / 2)).clamp(TABLE, room - BELOW),
    };
    parts.table = line(top, table);
    let mut rest = room - table;
    top += table;
    // Where there is no room for it, it is empty and still in its place: it is drawn together with what is below.
    parts.divider = line(top, 0);
    if rest >= 8 && table > 0 {
        parts.strip = line(top, 1);
        (top, rest) = (top + 1, rest - 1);
    }
    if rest >= 2 {
        parts.divider = line(top, 1);
        (top, rest) = (top + 1, rest - 1);
    }
    parts.below = line(top, rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_lie_one_below_the_other_and_fill_the_screen() {
        for (width, height) in (0..60).flat_map(|height| [(1, height), (40, height), (400, height)]) {
            for zoom in [None, Some(Zoom::Table), Some(Zoom::Below)] {
                for (wanted, split) in [(0, None), (7, None), (500, None), (7, Some(0)), (7, Some(500))] {
                    let screen = Rect::new(0, 0, width, height);
                    let p = parts(screen, Shape { wanted, split, zoom });
                    let mut y = 0;
                    let below = p.divider.union(p.below);
                    assert_eq!(below.height, p.divider.height + p.below.height, "{p:?} of {screen:?}");
                    for part in [p.head, p.table, p.strip, p.divider, p.below, p.foot] {
                        if part.height > 0 {
                            assert_eq!((part.x, part.y, part.width), (0, y, width), "{p:?} of {screen:?}");
                            y = part.bottom();
                        }
                    }
                    assert_eq!(y, height, "{p:?} of {screen:?}");
                }
            }
        }
    }

    #[test]
    fn both_parts_are_seen_on_a_small_screen() {
        let p = parts(Rect::new(0, 0, 40, 10), Shape { wanted: 20, split: None, zoom: None });
        assert_eq!((p.table.height, p.divider.height, p.below.height), (4, 1, 3));
    }
}
