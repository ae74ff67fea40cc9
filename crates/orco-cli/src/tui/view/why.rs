//! Why the selected service is not ready: the chain of causes. For the whole stack, what is not ready.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    render::{Ink, why_lines},
    tui::{
        app::App,
        flow::{self, Line},
        theme::{Role, Theme, of_state, shape},
    },
};

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    for (line, y) in lines(app, area.width).iter().skip(app.views.why).zip(area.top()..area.bottom()) {
        flow::draw(line, 0, area, y, buf, theme);
    }
}

/// The lines for this width.
pub fn lines(app: &App, width: u16) -> Vec<Line> {
    let lines = match (app.table.selected().service(), &app.model.why) {
        (None, _) => whole(app),
        (Some(name), Some((of, Ok(why)))) if of == name => {
            let of_ink = |line: Vec<(Ink, String)>| -> Line {
                line.into_iter().map(|(ink, text)| (Role::from(ink), text)).collect()
            };
            why_lines(why).into_iter().map(of_ink).collect()
        }
        (Some(name), Some((of, Err(why)))) if of == name => vec![vec![(Role::Bad, why.clone())]],
        (Some(_), _) => vec![vec![(Role::Faint, "asking why…".to_owned())]],
    };
    lines.iter().flat_map(|line| flow::wrap(line, width.into())).collect()
}

fn whole(app: &App) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for service in app.model.services().filter(|service| !service.ready) {
        let role = of_state(service.state);
        lines.push(vec![
            (role, format!("{} ", shape(service.state))),
            (Role::Strong, service.name.clone()),
            (Role::Plain, ": ".to_owned()),
            (role, service.state.as_str().to_owned()),
            (Role::Plain, if service.message.is_empty() { String::new() } else { format!(": {}", service.message) }),
        ]);
    }
    match (app.model.status.is_some(), lines.is_empty()) {
        (false, _) => lines.push(vec![(Role::Faint, "nothing is known yet".to_owned())]),
        (true, true) => lines.push(vec![(Role::Good, "everything is ready".to_owned())]),
        (true, false) => lines.push(vec![(Role::Faint, "select one of them to see its causes".to_owned())]),
    }
    lines
}
