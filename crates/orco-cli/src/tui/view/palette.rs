//! The command palette: what is typed at the bottom, and above it how that can go on.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    app::App,
    canvas, flow,
    palette::{self, Palette},
    theme::{Role, Theme},
};

/// Ways to go on that are seen at once.
const SEEN: usize = 10;

/// Draws the ways to go on at the end of this area, or why what was typed cannot be done.
pub fn draw(app: &App, open: &Palette, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let offers = palette::offers(open.typed(), &app.model, app.read_only);
    let wanted = if open.error().is_some() { 1 } else { offers.list.len().min(SEEN) };
    let height = area.height.min(u16::try_from(wanted + 1).unwrap_or(area.height));
    let area = Rect { y: area.bottom() - height, height, ..area };
    if wanted == 0 || area.is_empty() {
        return;
    }
    flow::clear(buf, area);
    let rule = "─".repeat(area.width.into());
    canvas::put(buf, area, area.x, area.y, &rule, theme.style(Role::Focus));
    let rows = Rect { y: area.y + 1, height: height - 1, ..area };
    if let Some(why) = open.error() {
        canvas::put(buf, rows, rows.x, rows.y, &format!(" {why}"), theme.style(Role::Bad));
        return;
    }
    let tried = open.tried();
    // The one that is tried is seen.
    let skip = tried.map_or(0, |at| (at + 1).saturating_sub(rows.height.into()));
    let wide = offers.list.iter().map(|offer| canvas::width(&offer.text)).max().unwrap_or(0).clamp(8, 24);
    for ((at, offer), y) in offers.list.iter().enumerate().skip(skip).zip(rows.top()..rows.bottom()) {
        let text = canvas::fit(&offer.text, wide);
        let pad = " ".repeat(wide.saturating_sub(canvas::width(&text)) + 2);
        let key = canvas::width(&offer.key);
        let room = Rect { width: area.width.saturating_sub(u16::try_from(key).unwrap_or(0) + 2), ..rows };
        let line = [(Role::Strong, format!(" {text}")), (Role::Faint, format!("{pad}{}", offer.about))];
        flow::draw(&line, 0, room, y, buf, theme);
        canvas::put_right(buf, rows, rows.right().saturating_sub(1), y, &offer.key, theme.style(Role::Accent));
        if tried == Some(at) {
            canvas::paint_row(buf, rows, y, theme.style(Role::Selected));
        }
    }
}

/// Draws what is typed.
pub fn line(open: &Palette, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let x = canvas::put(buf, area, area.x, area.y, ":", theme.style(Role::Accent));
    let room = usize::from(area.right().saturating_sub(x)).saturating_sub(1);
    let x = canvas::put(buf, area, x, area.y, canvas::tail(open.text(), room), theme.style(Role::Plain));
    canvas::put(buf, area, x, area.y, "▏", theme.style(Role::Accent));
}
