//! The whole terminal UI without a terminal: keys and news in, effects and screens out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod events;
mod hostile;
mod keys;
mod screens;
mod truth;

use orco_api::wire::Timestamp;
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};

use super::{
    app::{App, Home, Input},
    news::{Effect, News},
    samples,
    theme::{Depth, Ground, Theme},
    view,
};

const PLAIN: Theme = Theme { ground: Ground::Dark, depth: Depth::None };

/// With the stack of the samples, on a screen of this size.
fn app(home: Home, width: u16, height: u16) -> App {
    let mut app = App::new(home, false);
    app.update(Input::Resize(width, height), samples::now());
    app.update(Input::News(News::Status(Box::new(samples::status()))), samples::now());
    for (second, cpu) in [(0, 1.0), (2, 1.3), (4, 2.0)] {
        let mut used = samples::used(second, &[("api", cpu, 34 << 20), ("db", cpu / 10.0, 1 << 30)]);
        // All services are known; only these two live.
        used.services.extend(samples::status().services.into_iter().filter(|(name, _)| name != "api" && name != "db"));
        app.update(Input::News(News::Usage(Some(Box::new(used)))), samples::now());
    }
    app
}

/// Presses a key of each character; `<` stands for Escape, `>` for Enter, `v` and `^` for the arrows.
fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    keys.chars().flat_map(|key| app.update(Input::Key(event(key)), samples::now())).collect()
}

fn event(key: char) -> KeyEvent {
    let code = match key {
        '<' => KeyCode::Esc,
        '>' => KeyCode::Enter,
        'v' => KeyCode::Down,
        '^' => KeyCode::Up,
        other => KeyCode::Char(other),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn ctrl(app: &mut App, key: char) -> Vec<Effect> {
    let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
    app.update(Input::Key(event), samples::now())
}

fn draw(app: &mut App) -> Buffer {
    let mut buf = Buffer::empty(app.screen);
    view::draw(app, &mut buf, &PLAIN);
    buf
}

/// The screen as text, without spaces at the ends of lines.
fn text(app: &mut App) -> String {
    let buf = draw(app);
    let Rect { width, height, .. } = buf.area;
    let line = |y: u16| {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buf[(x, y)].symbol();
            line.push_str(symbol);
            // What a wide character covers is not shown.
            x += u16::try_from(super::canvas::width(symbol)).unwrap_or(1).max(1);
        }
        line.trim_end().to_owned()
    };
    (0..height).map(|y| line(y) + "\n").collect()
}

fn later(seconds: u64) -> Timestamp {
    Timestamp::from_unix_micros(samples::now().unix_micros() + seconds * 1_000_000)
}
