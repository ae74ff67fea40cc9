//! Copying and saving.

use super::*;

#[test]
fn copies_what_is_seen() {
    let mut pane = of_lines(40, 4, 10);
    assert_eq!(
        keys(&mut pane, "y"),
        [
            PaneEffect::Copy("api/0 | line 7\napi/0 | line 8\napi/0 | line 9\n".into()),
            PaneEffect::Notice("3 lines given to the terminal's clipboard".into())
        ]
    );
    keys(&mut pane, "tt");
    pane.update(PaneInput::Select(Selection::Replica("api".into(), 0)));
    pane.update(PaneInput::Records(vec![record("api", 0, "info", "漢\x1b[1mbold\x1b[0m")]));
    draw(&mut pane, 40, 4);
    assert_eq!(keys(&mut pane, "y")[0], PaneEffect::Copy("15:04:05.123Z 漢bold\n".into()));
}

#[test]
fn a_copy_is_bounded_and_says_so() {
    let mut pane = pane(80, 10);
    pane.update(PaneInput::Records((0..10).map(|n| record("api", n, "info", &"é".repeat(10_000))).collect()));
    draw(&mut pane, 80, 10);
    press(&mut pane, KeyCode::Home);
    keys(&mut pane, "v");
    for _ in 0..300 {
        press(&mut pane, KeyCode::PageDown);
    }
    let [PaneEffect::Copy(text), PaneEffect::Notice(told)] = exactly(keys(&mut pane, "y")) else { panic!() };
    assert_eq!((text.lines().count(), told.starts_with("only 3 lines given")), (3, true), "{told}");
    assert!(clipboard(&text, false).len() <= 100_010);
    // One that is longer than all that.
    pane.update(PaneInput::Select(Selection::All));
    pane.update(PaneInput::Records(vec![record("api", 0, "info", &"\u{1b}".repeat(23_000))]));
    let effects = keys(&mut pane, "y");
    let [PaneEffect::Copy(text), _] = effects.as_slice() else { panic!() };
    assert!(text.len() <= 75_000 && text.len() > 70_000);
}

#[test]
fn saves_as_text_and_as_records() {
    let mut pane = pane(60, 6);
    let records = vec![
        record("api", 0, "debug", "quiet"),
        with_fields(record("api", 1, "warn", "low \x1b[31mdisk"), json!({"free": 3})),
        dropped(2, 9),
    ];
    pane.update(PaneInput::Records(records.clone()));
    let [PaneEffect::Save { path, text, replace }] = exactly(keys(&mut pane, ">\n")) else { panic!() };
    assert_eq!((path.as_str(), replace), ("orco-shop.log", false));
    insta::assert_snapshot!(text);
    keys(&mut pane, ">");
    pane.update(PaneInput::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
    let [PaneEffect::Save { path, text, .. }] = exactly(keys(&mut pane, "x.ndjson\n")) else { panic!() };
    assert_eq!(path, "x.ndjson");
    let read: Vec<LogRecord> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, records, "records come back as they were");
    keys(&mut pane, "lll");
    let [PaneEffect::Save { text, .. }] = exactly(keys(&mut pane, ">\n")) else { panic!() };
    assert!(!text.contains("quiet") && text.contains("low") && text.contains("9 lines dropped"));
}

#[test]
fn a_file_is_replaced_only_after_a_yes() {
    let mut pane = of_lines(60, 6, 3);
    keys(&mut pane, ">\n");
    let exists = || PaneInput::Saved(SaveResult::Exists("orco-shop.log".into()));
    assert_eq!(pane.update(exists()), []);
    assert!(text(&mut pane, 60, 6).contains("orco-shop.log exists; replace it? (y/n)"));
    assert_eq!(keys(&mut pane, "x\n"), [], "the Enter that ended the name, typed twice, is no answer");
    pane.update(PaneInput::Paste("y".into()));
    assert_eq!(keys(&mut pane, "n"), [PaneEffect::Notice("orco-shop.log is left as it was".into())]);
    pane.update(exists());
    assert_eq!(press(&mut pane, KeyCode::Esc), [PaneEffect::Notice("orco-shop.log is left as it was".into())]);
    pane.update(exists());
    let [PaneEffect::Save { replace, .. }] = exactly(keys(&mut pane, "y")) else { panic!() };
    assert!(replace);
    let told = pane.update(PaneInput::Saved(SaveResult::Done { path: "a".into(), bytes: 12_345 }));
    assert_eq!(told, [PaneEffect::Notice("saved a (12,345 bytes)".into())]);
    let why = "permission denied".to_owned();
    let told = pane.update(PaneInput::Saved(SaveResult::Failed { path: "a".into(), why }));
    assert_eq!(told, [PaneEffect::Notice("cannot save a: permission denied".into())]);
}

#[test]
fn a_prompt_can_be_edited() {
    let mut pane = of_lines(60, 6, 3);
    keys(&mut pane, "/abc漢");
    for code in [KeyCode::Left, KeyCode::Backspace, KeyCode::Home, KeyCode::Delete, KeyCode::End] {
        press(&mut pane, code);
    }
    pane.update(PaneInput::Paste("x\ny\x1b[2J".into()));
    assert_eq!(pane.prompt.as_ref().unwrap().text, "b漢xy[2J");
    pane.update(PaneInput::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
    press(&mut pane, KeyCode::Backspace);
    assert!(!pane.is_typing(), "one more leaves it");
    assert_eq!(pane.update(PaneInput::Paste("y".repeat(10_000))), []);
    keys(&mut pane, "/");
    pane.update(PaneInput::Paste("y".repeat(10_000)));
    assert!(pane.prompt.as_ref().unwrap().text.len() <= 1_000);
    draw(&mut pane, 60, 6);
}
