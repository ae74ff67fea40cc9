//! While a foreground stack is being stopped: what is still there, and what it waits for.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    render::age,
    tui::{
        app::App,
        canvas, stopping,
        theme::{Role, Theme, of_state, shape},
    },
};

/// Draws it: `total` were there when it began.
pub fn draw(app: &App, total: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let left: Vec<_> = app.model.services().filter(|service| stopping::is_left(service)).collect();
    let gone = total.saturating_sub(left.len());
    let text = match (left.len(), app.killing) {
        (0, _) => "everything is stopped".to_owned(),
        (_, true) => format!("killing what is left: {gone} of {total} stopped"),
        (_, false) => format!("stopping in order: {gone} of {total} stopped; Ctrl-C kills what is left"),
    };
    canvas::put(buf, area, area.x + 1, area.y, &text, theme.style(Role::Strong));
    let mut y = area.y + 1;
    if total > 0 && area.height > 3 {
        let room = usize::from(area.width.saturating_sub(2));
        let full = (room * gone).checked_div(total).unwrap_or(room).min(room);
        let x = canvas::put(buf, area, area.x + 1, y, &"█".repeat(full), theme.style(Role::Good));
        canvas::put(buf, area, x, y, &"░".repeat(room - full), theme.style(Role::Faint));
        y += 1;
    }
    for service in left {
        if y >= area.bottom() {
            break;
        }
        let style = theme.style(of_state(service.state));
        let x = canvas::put(buf, area, area.x + 1, y, &format!("{} {}", shape(service.state), service.name), style);
        let waiting = service.waiting.as_ref();
        let kill = waiting.filter(|waiting| waiting.reason == "exit").and_then(|waiting| waiting.until);
        let what = match kill {
            // The status was right when it came; this counts on.
            Some(at) => format!("killed in {}", age(app.model.now.until(at))),
            None => waiting.map_or(&service.message, |waiting| &waiting.message).clone(),
        };
        let text = format!("  {}  {what}", service.state.as_str());
        canvas::put(buf, area, x, y, &text, theme.style(Role::Plain));
        y += 1;
    }
}
