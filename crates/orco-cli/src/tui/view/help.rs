//! The help, above everything but the bars.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    app::App,
    canvas,
    flow::{self, Line},
    help::{self, HelpLine},
    theme::{Role, Theme},
};

/// Keys take at most so many columns, and no more than a third.
const KEYS: usize = 14;
/// In front of them.
const MARGIN: usize = 3;
/// Behind them.
const GAP: usize = 2;

/// Draws it from this line on.
pub fn draw(app: &App, from: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    flow::clear(buf, area);
    for (line, y) in lines(app, area.width).iter().skip(from).zip(area.top()..area.bottom()) {
        flow::draw(line, 0, area, y, buf, theme);
    }
}

/// The lines for this width.
pub fn lines(app: &App, width: u16) -> Vec<Line> {
    let width = usize::from(width);
    let wide = KEYS.min(width / 3);
    let room = width.saturating_sub(MARGIN + wide + GAP).max(1);
    let mut lines = Vec::new();
    for line in help::lines(app.context(), app.read_only) {
        match line {
            HelpLine::Gap => lines.push(Line::new()),
            HelpLine::Title(title) => lines.push(vec![(Role::Strong, format!(" {title}"))]),
            HelpLine::Keys(keys, help) => {
                let mut keys = canvas::fit(&keys, wide).into_owned();
                for rest in flow::wrap(&[(Role::Plain, help.to_owned())], room) {
                    let pad = " ".repeat(wide.saturating_sub(canvas::width(&keys)) + GAP);
                    let front = format!("{:MARGIN$}{}{pad}", "", std::mem::take(&mut keys));
                    lines.push(std::iter::once((Role::Accent, front)).chain(rest).collect());
                }
            }
        }
    }
    lines
}
