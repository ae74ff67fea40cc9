//! F9 and F10: whatever a service prints, the screen stays whole.

use proptest::prelude::*;
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::tui::text::tests::{HOSTILE, anything, check_buffer};

fn evil(seq: u64, msg: &str) -> LogRecord {
    let levels = ["trace", "debug", "info", "warn", "error", "fatal"];
    let level = levels[usize::try_from(seq).unwrap() % levels.len()];
    let mut record = record(
        ["api", "db\u{202e}\x1b[2J", "漢字サービス", "a-very-long-name-of-a-service"]
            [usize::try_from(seq % 4).unwrap()],
        seq,
        level,
        msg,
    );
    if seq.is_multiple_of(3) {
        record = with_fields(record, json!({msg: msg, "n": {"a": [msg]}, "m": format!("{msg}\n{msg}")}));
    }
    record.replica = i64::try_from(seq % 13).unwrap() - 1;
    record.cut = seq.is_multiple_of(7).then_some(seq);
    record.partial = seq % 5 == 4;
    record.dropped = (seq % 11 == 10).then_some(seq);
    record
}

fn all_evil() -> Vec<LogRecord> {
    let mut records: Vec<_> =
        (0..).zip(HOSTILE.iter().chain(HOSTILE).chain(HOSTILE)).map(|(i, m)| evil(i, m)).collect();
    records.push(evil(100, &HOSTILE.concat().repeat(50)));
    records.push(evil(101, &"\x1b[31m漢\t".repeat(5_000)));
    records.push(evil(102, &format!("a{}", "\u{301}".repeat(70_000))));
    records
}

#[test]
fn any_size_and_any_mode() {
    let mut pane = pane(80, 24);
    pane.update(PaneInput::Records(all_evil()));
    let modes = ["", "t", "t", "W", "p", "k\n", "/.\n", "vkk", "W", "p", "l", "/x", ">"];
    let sizes = [(1, 1), (2, 1), (1, 2), (3, 3), (5, 2), (16, 4), (23, 9), (40, 10), (80, 24), (120, 40), (500, 3)];
    for mode in modes {
        keys(&mut pane, mode);
        for (width, height) in sizes {
            check_buffer(&draw(&mut pane, width, height));
            if !pane.is_typing() {
                press(&mut pane, KeyCode::PageUp);
                press(&mut pane, KeyCode::Right);
            }
        }
        check_buffer(&draw(&mut pane, 80, 24));
    }
    check_buffer(&draw(&mut pane, 500, 200));
}

#[test]
fn nothing_is_drawn_outside_of_the_area() {
    let mut pane = pane(80, 24);
    pane.update(PaneInput::Records(all_evil()));
    keys(&mut pane, "k");
    let mut buffer = Buffer::empty(area(60, 20));
    for y in 0..20 {
        buffer.set_string(0, y, "#".repeat(60), ratatui::style::Style::new());
    }
    let inner = Rect::new(7, 3, 31, 9);
    pane.draw(inner, &mut buffer, &Theme::default(), true);
    for y in 0..20 {
        for x in 0..60 {
            if !inner.contains((x, y).into()) {
                assert_eq!(buffer[(x, y)].symbol(), "#", "{x},{y}");
            }
        }
    }
    // An area that does not fit is cut, one that is empty draws nothing.
    pane.draw(Rect::new(50, 15, 100, 100), &mut buffer, &Theme::default(), true);
    pane.draw(Rect::new(0, 0, 0, 0), &mut buffer, &Theme::default(), true);
    press(&mut pane, KeyCode::PageUp);
}

#[test]
fn a_line_of_ten_mebibytes() {
    let mut pane = pane(80, 24);
    for unit in ["x", "漢", "\x1b[31m", "\t", "\u{301}", "{\"a\":"] {
        pane.update(PaneInput::Records(vec![record("api", 0, "info", &unit.repeat((10 << 20) / unit.len())), info(1)]));
        check_buffer(&draw(&mut pane, 80, 24));
        press(&mut pane, KeyCode::Home);
        check_buffer(&draw(&mut pane, 80, 24));
        keys(&mut pane, "WG");
    }
    assert!(pane.bytes() < 6 * (super::super::held::LONGEST + 1_000));
}

#[test]
fn nothing_hostile_is_copied_or_saved() {
    let mut pane = pane(80, 24);
    pane.update(PaneInput::Records(all_evil()));
    press(&mut pane, KeyCode::Home);
    keys(&mut pane, "v");
    press(&mut pane, KeyCode::PageDown);
    let effects: Vec<_> = keys(&mut pane, "y>\n").into_iter().collect();
    let texts: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            PaneEffect::Copy(text) | PaneEffect::Save { text, .. } => Some(text),
            PaneEffect::Subscribe(_) | PaneEffect::Notice(_) => None,
        })
        .collect();
    assert_eq!(texts.len(), 2);
    for text in texts {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
}

fn any_input() -> impl Strategy<Value = PaneInput> {
    let code = prop_oneof![
        prop::sample::select("kjG0/nNlWtpvy> yqa(\\".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Backspace,
            KeyCode::Delete,
        ]),
    ];
    let kind = prop::sample::select(vec![
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollRight,
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
    ]);
    prop_oneof![
        8 => code.prop_map(|code| PaneInput::Key(KeyEvent::new(code, KeyModifiers::NONE))),
        1 => prop::sample::select(vec!['u', 'd', 'w', 'h']).prop_map(|c| PaneInput::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))),
        2 => (kind, 0u16..30, 0u16..90).prop_map(|(kind, row, column)| PaneInput::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })),
        4 => prop::collection::vec((0u64..200, anything()), 0..12).prop_map(|r| PaneInput::Records(r.iter().map(|(i, m)| evil(*i, m)).collect())),
        1 => anything().prop_map(PaneInput::Paste),
        1 => Just(PaneInput::Tick(Timestamp::from_unix_micros(TS))),
        1 => prop::sample::select(vec![Selection::All, Selection::Service("api".into()), Selection::Replica("x\u{202e}".into(), 3)]).prop_map(PaneInput::Select),
        1 => Just(PaneInput::Saved(SaveResult::Exists("a\x1b[2Jb".into()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever comes in whatever order at whatever size.
    #[test]
    fn any_inputs_at_any_size(inputs in prop::collection::vec((any_input(), 1u16..100, 1u16..30), 1..40)) {
        let mut pane = Pane::new(PaneConfig { lines: 25, bytes: 8_000, ..PaneConfig::new("x") });
        for (input, width, height) in inputs {
            pane.update(input);
            check_buffer(&draw(&mut pane, width, height));
            prop_assert!(pane.held() <= 25);
        }
    }
}
