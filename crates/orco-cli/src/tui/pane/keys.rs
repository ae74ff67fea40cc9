//! What keys do in the pane.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Follow,
    Left,
    Right,
    Start,
    Search,
    Next,
    Previous,
    Level,
    Wrap,
    Times,
    Raw,
    Open,
    Choose,
    Copy,
    Save,
    Back,
}

/// What this key does, if anything.
pub fn action(event: &KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    if event.modifiers.contains(KeyModifiers::CONTROL) {
        return match event.code {
            KeyCode::Char('u' | 'U') => Some(Action::HalfUp),
            KeyCode::Char('d' | 'D') => Some(Action::HalfDown),
            _ => None,
        };
    }
    Some(match event.code {
        KeyCode::Up | KeyCode::Char('k') => Action::Up,
        KeyCode::Down | KeyCode::Char('j') => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown | KeyCode::Char(' ') => Action::PageDown,
        KeyCode::Home => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Follow,
        KeyCode::Left => Action::Left,
        KeyCode::Right => Action::Right,
        KeyCode::Char('0') => Action::Start,
        KeyCode::Char('/') => Action::Search,
        KeyCode::Char('n') => Action::Next,
        KeyCode::Char('N') => Action::Previous,
        KeyCode::Char('l') => Action::Level,
        KeyCode::Char('W') => Action::Wrap,
        KeyCode::Char('t') => Action::Times,
        KeyCode::Char('p') => Action::Raw,
        KeyCode::Enter => Action::Open,
        KeyCode::Char('v') => Action::Choose,
        KeyCode::Char('y') => Action::Copy,
        KeyCode::Char('>') => Action::Save,
        KeyCode::Esc => Action::Back,
        _ => return None,
    })
}

/// Whether this key does anything, for the table of keys.
#[cfg(test)]
pub fn knows(event: &KeyEvent) -> bool {
    action(event).is_some()
}
