//! How it looks, at several sizes.

use super::*;

fn mixed() -> Vec<LogRecord> {
    let mut own = record("db", 4, "warn", "restarts in 2 s");
    (own.replica, own.source) = (-1, orco_api::wire::Source::System);
    let mut cut = record("web", 6, "info", "a line that was far too long… [1204 bytes cut]");
    cut.cut = Some(1_204);
    let mut third = record("api", 5, "debug", "cache miss");
    third.replica = 12;
    vec![
        record("db", 0, "info", "ready to accept connections"),
        record("web", 1, "info", "\x1b[32mGET\x1b[0m /漢字 \x1b[1m200\x1b[0m"),
        with_fields(record("api", 2, "error", "cannot reach db"), json!({"attempt": 3, "error": "connection refused"})),
        dropped(3, 1_204),
        own,
        third,
        cut,
        record("web", 7, "info", "tabs\tand \x1b]0;titles\x07 and \u{202e}turned\u{202c}"),
    ]
}

fn shown(width: u16, height: u16, mode: &str) -> String {
    let mut pane = pane(width, height);
    pane.update(PaneInput::Records(mixed()));
    draw(&mut pane, width, height);
    keys(&mut pane, mode);
    text(&mut pane, width, height)
}

#[test]
fn merged() {
    insta::assert_snapshot!(shown(100, 12, ""));
}

#[test]
fn narrow_and_wrapped() {
    insta::assert_snapshot!(shown(40, 16, ""));
}

#[test]
fn narrow_and_unwrapped_with_times() {
    insta::assert_snapshot!(shown(60, 10, "Wtt"));
}

#[test]
fn very_narrow() {
    insta::assert_snapshot!(shown(14, 8, "W"));
}

#[test]
fn ages_and_raw() {
    insta::assert_snapshot!(shown(100, 12, "tp"));
}

#[test]
fn searching_while_it_is_typed() {
    insta::assert_snapshot!(shown(100, 12, "/c"));
}

#[test]
fn one_service() {
    let mut pane = pane(60, 6);
    pane.update(PaneInput::Select(Selection::Service("api".into())));
    pane.update(PaneInput::Records(vec![info(0), info(1)]));
    assert_eq!(screen(&mut pane, 60, 6)[1], "   line 0", "one replica needs no label");
    let mut second = info(2);
    second.replica = 3;
    pane.update(PaneInput::Records(vec![second]));
    insta::assert_snapshot!(text(&mut pane, 60, 6));
}

#[test]
fn a_service_keeps_its_colour() {
    use super::super::ink::Ink;
    assert_eq!(Ink::label("api"), Ink::label("api"));
    let names = ["api", "db", "web", "worker", "cache", "queue"];
    let theme = Theme::default();
    let colours: std::collections::HashSet<_> = names.map(|n| Ink::label(n).style(&theme).fg).into();
    assert!(colours.len() >= 3, "{colours:?}");
}
