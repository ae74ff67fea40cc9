//! Whatever services, errors and the stack say, and however large the screen is: nothing that a terminal would obey
//! reaches a cell, and nothing panics.

use orco_api::wire::{Outcome, Status};
use proptest::prelude::*;
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{super::news::Request, *};

/// Pieces that have been used against terminals, and such as are hard to measure.
const PIECES: [&str; 22] = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x1b\\",
    "\x1bP$q\x1b\\",
    "\u{9b}31m",
    "\u{9d}0;t\u{9c}",
    "\r\n",
    "\t",
    "\x00\x08\x7f",
    "\u{202e}rtl\u{202c}",
    "\u{2066}x\u{2069}",
    "\u{200f}\u{61c}",
    "\u{2028}\u{2029}",
    "漢字",
    "e\u{301}\u{302}\u{303}",
    "\u{301}",
    "\u{200b}\u{feff}",
    "👨\u{200d}👩\u{200d}👧",
    "\u{1f1e9}\u{1f1ea}",
    "ﷺ",
    "plain",
    "\u{e0041}",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => (0_usize..300).prop_map(|n| "x".repeat(n)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The status of the samples, with these words wherever there is a text.
fn poisoned(words: &[String]) -> Status {
    let mut status = samples::status();
    let mut words = words.iter().cycle();
    let mut next = || words.next().cloned().unwrap_or_default();
    status.stack = next();
    for (_, mut service) in std::mem::take(&mut status.services) {
        service.name = next();
        service.message = next();
        for instance in &mut service.instances {
            instance.endpoint = Some(next());
            instance.container = Some(next());
        }
        status.services.insert(service.name.clone(), service);
    }
    status
}

fn harmless(buf: &Buffer) {
    for cell in buf.content() {
        for c in cell.symbol().chars() {
            let acts = c.is_control()
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!acts, "{:?} is in a cell", cell.symbol());
        }
    }
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Input {
    Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acts_on_the_terminal_and_nothing_panics(
        words in prop::collection::vec(hostile(), 1..12),
        sizes in prop::collection::vec((1_u16..=500, 1_u16..=200), 1..4),
        keys in "[a-zA-Z0-9 /:+=<>?^-]{0,40}",
        home in prop::sample::select(&[Home::Here, Home::Attached][..]),
        click in (0_u16..500, 0_u16..200),
    ) {
        let mut app = App::new(home, false);
        let word = |at: usize| words[at % words.len()].clone();
        app.update(Input::News(News::Status(Box::new(poisoned(&words)))), samples::now());
        app.update(Input::News(News::Stale(word(1))), samples::now());
        let failed = Outcome { done: false, service: Some(word(2)), why: Some(word(3)) };
        app.update(Input::News(News::Done(Request::Start(vec![word(4)]), Ok(failed))), samples::now());
        for (at, (width, height)) in sizes.into_iter().enumerate() {
            app.update(Input::Resize(width, height), samples::now());
            harmless(&draw(&mut app));
            let share = keys.len() / (at + 1);
            press(&mut app, &keys[..share]);
            app.update(Input::Paste(word(at)), samples::now());
            app.update(mouse(MouseEventKind::Down(MouseButton::Left), click.0, click.1), samples::now());
            app.update(mouse(MouseEventKind::ScrollDown, click.0, click.1), samples::now());
            harmless(&draw(&mut app));
        }
    }
}

#[test]
fn every_small_screen() {
    for home in [Home::Here, Home::Attached] {
        for width in (1..60).chain([200, 400]) {
            for height in (1..20).chain([120]) {
                let mut app = app(home, width, height);
                harmless(&draw(&mut app));
                press(&mut app, "vv z");
                harmless(&draw(&mut app));
                press(&mut app, "q");
                harmless(&draw(&mut app));
                press(&mut app, "y");
                harmless(&draw(&mut app));
            }
        }
    }
}
