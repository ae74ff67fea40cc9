//! Following, pausing, moving.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;

/// The numbers of the lines that are seen.
fn seen(pane: &mut Pane, height: u16) -> Vec<u64> {
    let rows = screen(pane, 40, height);
    rows.iter().filter_map(|row| row.rsplit_once("line ").and_then(|(_, n)| n.parse().ok())).collect()
}

fn status(pane: &mut Pane) -> String {
    screen(pane, 40, 7).remove(0).trim_end_matches([' ', '─']).to_owned()
}

fn mouse(kind: MouseEventKind, row: u16) -> PaneInput {
    PaneInput::Mouse(MouseEvent { kind, column: 10, row, modifiers: KeyModifiers::NONE })
}

#[test]
fn follows_until_it_is_moved_and_goes_on_at_the_end() {
    let mut pane = of_lines(40, 7, 100);
    assert_eq!(seen(&mut pane, 7), [94, 95, 96, 97, 98, 99]);
    press(&mut pane, KeyCode::PageUp);
    assert_eq!(seen(&mut pane, 7), [89, 90, 91, 92, 93, 94]);
    pane.update(PaneInput::Records((100..1_334).map(info).collect()));
    assert_eq!(seen(&mut pane, 7), [89, 90, 91, 92, 93, 94], "what is read stays where it is");
    assert!(status(&mut pane).ends_with("paused, 1,234 new"), "{}", status(&mut pane));
    press(&mut pane, KeyCode::End);
    assert_eq!(seen(&mut pane, 7), [1328, 1329, 1330, 1331, 1332, 1333]);
    assert!(status(&mut pane).ends_with("following"));
}

#[test]
fn each_way_to_move() {
    use KeyCode::{Char, Down, End, Home, PageDown, PageUp, Up};
    let steps: &[(KeyCode, KeyModifiers, u64)] = &[
        (Up, KeyModifiers::NONE, 94),
        (PageUp, KeyModifiers::NONE, 89),
        (PageDown, KeyModifiers::NONE, 94),
        (Home, KeyModifiers::NONE, 0),
        (PageUp, KeyModifiers::NONE, 0),
        (Char('d'), KeyModifiers::CONTROL, 3),
        (Char('u'), KeyModifiers::CONTROL, 0),
        (Char(' '), KeyModifiers::NONE, 5),
        (Down, KeyModifiers::NONE, 5),
        (End, KeyModifiers::NONE, 94),
        (Char('u'), KeyModifiers::CONTROL, 91),
        (Char('G'), KeyModifiers::SHIFT, 94),
    ];
    let mut pane = of_lines(40, 7, 100);
    for (i, (code, modifiers, first)) in steps.iter().enumerate() {
        pane.update(PaneInput::Key(KeyEvent::new(*code, *modifiers)));
        if *code == PageDown {
            // A page down that arrives at the end follows again.
            assert!(pane.hold.is_none());
            press(&mut pane, Up);
        }
        assert_eq!(seen(&mut pane, 7).first(), Some(first), "step {i}: {code:?}");
    }
}

#[test]
fn the_cursor_moves_within_what_is_seen_first() {
    let mut pane = of_lines(40, 7, 100);
    for _ in 0..3 {
        press(&mut pane, KeyCode::Up);
    }
    let rows = screen(&mut pane, 40, 7);
    assert!(rows[3].starts_with('▸') && rows[3].ends_with("line 96"), "{rows:?}");
    for _ in 0..4 {
        keys(&mut pane, "k");
    }
    assert_eq!(seen(&mut pane, 7)[0], 92);
    for _ in 0..7 {
        keys(&mut pane, "j");
    }
    assert!(pane.hold.is_some(), "the cursor stands at the last line");
    keys(&mut pane, "j");
    assert!(pane.hold.is_none(), "and one more follows");
}

#[test]
fn the_wheel_and_clicks() {
    let mut pane = of_lines(40, 7, 100);
    pane.update(mouse(MouseEventKind::ScrollUp, 3));
    assert_eq!(seen(&mut pane, 7)[0], 91);
    pane.update(mouse(MouseEventKind::Down(MouseButton::Left), 2));
    assert!(screen(&mut pane, 40, 7)[2].starts_with('▸'));
    pane.update(mouse(MouseEventKind::Drag(MouseButton::Left), 4));
    let rows = screen(&mut pane, 40, 7);
    assert!(rows[0].contains("3 chosen") && rows[2].starts_with('┃') && rows[4].starts_with('▸'), "{rows:?}");
    let [PaneEffect::Copy(text), _] = exactly(keys(&mut pane, "y")) else { panic!("nothing copied") };
    assert_eq!(text, "api/0 | line 92\napi/0 | line 93\napi/0 | line 94\n");
    pane.update(mouse(MouseEventKind::ScrollDown, 3));
    assert!(pane.hold.is_none());
    // Before anything was drawn, or after all went.
    let mut empty = Pane::new(PaneConfig::new("x"));
    for kind in
        [MouseEventKind::ScrollUp, MouseEventKind::Down(MouseButton::Left), MouseEventKind::Drag(MouseButton::Left)]
    {
        assert_eq!(empty.update(mouse(kind, 3)), []);
    }
}

#[test]
fn the_level_filter_takes_effect_at_once() {
    let mut pane = pane(60, 8);
    let records = [
        record("api", 0, "trace", "t"),
        record("api", 1, "debug", "d"),
        record("api", 2, "info", "i"),
        dropped(3, 1_204),
        record("api", 4, "warn", "w"),
        record("api", 5, "error", "e"),
    ];
    pane.update(PaneInput::Records(records.into()));
    for want in [5, 4, 3, 2, 6] {
        keys(&mut pane, "l");
        assert_eq!(screen(&mut pane, 60, 8).iter().skip(1).filter(|row| !row.is_empty()).count(), want);
        assert!(text(&mut pane, 60, 8).contains("… 1,204 lines dropped"));
    }
    keys(&mut pane, "lll");
    pane.update(PaneInput::Records(vec![record("api", 6, "info", "i2"), record("api", 7, "fatal", "f")]));
    let text = text(&mut pane, 60, 8);
    assert!(text.contains("≥ warn") && !text.contains("i2") && text.contains(" f"), "{text}");
}

#[test]
fn nothing_passes_and_says_so() {
    let mut pane = of_lines(60, 5, 12);
    keys(&mut pane, "llll");
    assert!(text(&mut pane, 60, 5).contains("none of 12 lines is error or worse"));
    for code in [KeyCode::Up, KeyCode::PageUp, KeyCode::Home, KeyCode::Enter, KeyCode::Char('v'), KeyCode::Char('y')] {
        press(&mut pane, code);
        draw(&mut pane, 60, 5);
    }
    assert!(pane.hold.is_none());
}

#[test]
fn what_falls_out_while_paused_moves_the_view_to_the_oldest() {
    let mut pane = Pane::new(PaneConfig { lines: 50, ..PaneConfig::new("x") });
    pane.update(PaneInput::Select(Selection::All));
    draw(&mut pane, 40, 7);
    pane.update(PaneInput::Records((0..50).map(info).collect()));
    press(&mut pane, KeyCode::Home);
    keys(&mut pane, "v");
    pane.update(PaneInput::Records((50..60).map(info).collect()));
    assert_eq!(seen(&mut pane, 7), [10, 11, 12, 13, 14, 15]);
    press(&mut pane, KeyCode::Down);
    pane.update(PaneInput::Records((60..1_000).map(info).collect()));
    assert_eq!(seen(&mut pane, 7)[0], 950);
    assert!(status(&mut pane).ends_with("paused, 50 new"), "only what can still be seen counts: {}", status(&mut pane));
}

#[test]
fn selecting_asks_anew_and_forgets() {
    let mut pane = of_lines(40, 7, 10);
    let effects = pane.update(PaneInput::Select(Selection::Replica("api".into(), 2)));
    let [PaneEffect::Subscribe(query)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((query.services.as_str(), query.replica, query.follow, query.tail), ("api", Some(2), true, Some(2_000)));
    assert!(text(&mut pane, 40, 7).contains("waiting for lines"));
    assert_eq!(pane.held(), 0);
}

#[test]
fn a_record_taller_than_the_pane_is_read_row_by_row() {
    let mut pane = pane(20, 4);
    let long: String = (0..30).map(|n| format!("{n:02}...............")).collect();
    pane.update(PaneInput::Records(vec![info(0), record("api", 1, "info", &long), info(2)]));
    keys(&mut pane, "kk");
    let first = screen(&mut pane, 20, 4);
    press(&mut pane, KeyCode::Up);
    let second = screen(&mut pane, 20, 4);
    assert_eq!(first[1..3], second[2..4], "one row further");
    press(&mut pane, KeyCode::Home);
    assert!(text(&mut pane, 20, 4).contains("line 0"));
    for _ in 0..60 {
        press(&mut pane, KeyCode::Down);
    }
    assert!(pane.hold.is_none());
}

#[test]
fn an_open_record_shows_all_there_is() {
    let mut pane = pane(60, 14);
    let record = with_fields(
        record("api", 7, "error", "boom"),
        json!({"user": {"id": 3}, "stack": "Error: x\n  at f\n  at g", "n": 1}),
    );
    pane.update(PaneInput::Records(vec![info(6), record, info(8)]));
    assert!(text(&mut pane, 100, 14).contains(r#"boom user={"id":3} stack="Error: x\n  at f\n  at g" n=1"#));
    keys(&mut pane, "k\n");
    insta::assert_snapshot!(text(&mut pane, 60, 14));
    press(&mut pane, KeyCode::Esc);
    assert!(pane.open.is_none());
    keys(&mut pane, "p");
    assert!(text(&mut pane, 90, 14).contains(r#"{"level":"error","msg":"boom","user":{"id":3},"#));
}
