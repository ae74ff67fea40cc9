//! The help, above everything but the bars.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    app::App,
    canvas, flow,
    help::{self, HelpLine},
    theme::{Role, Theme},
};

/// Keys take at most so many columns.
const KEYS: usize = 14;

/// Draws it from this line on.
pub fn draw(app: &App, from: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    flow::clear(buf, area);
    let lines = help::lines(app.context(), app.read_only);
    for (line, y) in lines.iter().skip(from).zip(area.top()..area.bottom()) {
        match line {
            HelpLine::Gap => {}
            HelpLine::Title(title) => {
                canvas::put(buf, area, area.x, y, &format!(" {title}"), theme.style(Role::Strong));
            }
            HelpLine::Keys(keys, help) => {
                let keys = canvas::fit(keys, KEYS);
                let pad = " ".repeat(KEYS - canvas::width(&keys) + 2);
                let line = [(Role::Accent, format!("   {keys}")), (Role::Plain, format!("{pad}{help}"))];
                flow::draw(&line, 0, area, y, buf, theme);
            }
        }
    }
}
