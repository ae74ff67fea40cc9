#![allow(clippy::unwrap_used, clippy::expect_used)]

mod flood;
mod hostile;
mod keys;
mod output;
mod screens;
mod searching;
mod unfinished;

use orco_api::wire::{LogRecord, Timestamp};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};
use serde_json::json;

use super::*;
use crate::tui::theme::Theme;

/// 15:04:05.123 on some day.
const TS: u64 = 1_795_000_000_000_000 + 14_245_123_000;

fn record(service: &str, seq: u64, level: &str, msg: &str) -> LogRecord {
    let ts = Timestamp::from_unix_micros(TS + seq * 1_000_000);
    serde_json::from_value(json!({"ts": ts, "service": service, "replica": 0, "level": level, "msg": msg,
                                  "source": "stdout", "seq": seq, "run": 1}))
    .unwrap()
}

fn info(seq: u64) -> LogRecord {
    record("api", seq, "info", &format!("line {seq}"))
}

fn with_fields(mut record: LogRecord, fields: serde_json::Value) -> LogRecord {
    record.fields = Some(fields.as_object().unwrap().clone());
    record
}

fn dropped(seq: u64, lines: u64) -> LogRecord {
    let mut record = record("api", seq, "info", "");
    (record.dropped, record.source) = (Some(lines), orco_api::wire::Source::System);
    record
}

/// A pane that has been asked for all, and was drawn once.
fn pane(width: u16, height: u16) -> Pane {
    let mut pane = Pane::new(PaneConfig::new("shop"));
    pane.update(PaneInput::Select(Selection::All));
    pane.update(PaneInput::Tick(Timestamp::from_unix_micros(TS + 60_000_000)));
    draw(&mut pane, width, height);
    pane
}

fn of_lines(width: u16, height: u16, lines: u64) -> Pane {
    let mut pane = pane(width, height);
    pane.update(PaneInput::Records((0..lines).map(info).collect()));
    draw(&mut pane, width, height);
    pane
}

fn draw(pane: &mut Pane, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| pane.draw(frame.area(), frame.buffer_mut(), &Theme::default(), true)).unwrap();
    terminal.backend().buffer().clone()
}

/// What is on the screen, row by row.
fn screen(pane: &mut Pane, width: u16, height: u16) -> Vec<String> {
    let buffer = draw(pane, width, height);
    crate::tui::text::tests::check_buffer(&buffer);
    (0..height).map(|y| crate::tui::text::tests::row(&buffer, y).trim_end().to_owned()).collect()
}

fn text(pane: &mut Pane, width: u16, height: u16) -> String {
    screen(pane, width, height).join("\n")
}

fn press(pane: &mut Pane, code: KeyCode) -> Vec<PaneEffect> {
    pane.update(PaneInput::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn keys(pane: &mut Pane, keys: &str) -> Vec<PaneEffect> {
    keys.chars().flat_map(|c| press(pane, if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) })).collect()
}

fn tick(pane: &mut Pane) -> Vec<PaneEffect> {
    pane.update(PaneInput::Tick(Timestamp::from_unix_micros(TS + 60_000_000)))
}

fn area(width: u16, height: u16) -> Rect {
    Rect::new(0, 0, width, height)
}

/// So many effects.
fn exactly<const N: usize>(effects: Vec<PaneEffect>) -> [PaneEffect; N] {
    effects.try_into().unwrap()
}
