use super::*;

/// Lines 0..n, of which each 10th has the word.
fn with_words(n: u64) -> Pane {
    let mut pane = pane(50, 7);
    let records = (0..n).map(|i| match i % 10 {
        3 => record("api", i, "info", &format!("Needle {i}")),
        _ => info(i),
    });
    pane.update(PaneInput::Records(records.collect()));
    draw(&mut pane, 50, 7);
    pane
}

fn at_cursor(pane: &mut Pane) -> String {
    let rows = screen(pane, 50, 7);
    rows.iter().find(|row| row.starts_with('▸')).cloned().unwrap_or_default()
}

fn idle(pane: &mut Pane) -> Vec<PaneEffect> {
    let mut effects = Vec::new();
    for _ in 0..10_000 {
        if pane.wake().is_none() {
            return effects;
        }
        effects.extend(tick(pane));
    }
    panic!("the search never ends")
}

#[test]
fn newest_first_then_on_with_wrap() {
    let mut pane = with_words(100);
    assert_eq!(keys(&mut pane, "/needle\n"), []);
    for (key, want, told) in [
        ("", "Needle 93", None),
        ("N", "Needle 83", None),
        ("N", "Needle 73", None),
        ("n", "Needle 83", None),
        ("n", "Needle 93", None),
        ("n", "Needle 3", Some("search goes on at the begin")),
        ("N", "Needle 93", Some("search goes on at the end")),
    ] {
        let effects = keys(&mut pane, key);
        let want_told: Vec<_> = told.map(|t| PaneEffect::Notice(t.into())).into_iter().collect();
        assert_eq!(effects, want_told, "{key}");
        assert!(at_cursor(&mut pane).ends_with(want), "{key}: {}", at_cursor(&mut pane));
    }
    assert!(text(&mut pane, 50, 7).contains("/needle 10/10"));
}

#[test]
fn all_that_matches_is_highlighted() {
    let mut pane = with_words(8);
    keys(&mut pane, "/e");
    let buffer = draw(&mut pane, 50, 9);
    let theme = Theme::default();
    let hit = super::super::ink::Ink::Match.style(&theme);
    let rows: Vec<_> = (1..8).map(|y| crate::tui::text::tests::row(&buffer, y)).collect();
    for (y, row) in (1_u16..).zip(&rows) {
        let Some((_, message)) = row.split_once('│') else { continue };
        let start = row.chars().count() - message.chars().count();
        for (x, c) in message.chars().enumerate() {
            let cell = &buffer[(u16::try_from(start + x).unwrap(), y)];
            assert_eq!(cell.bg == hit.bg.unwrap(), c == 'e', "{c} in {row}");
        }
    }
}

#[test]
fn smart_case() {
    let mut pane = with_words(20);
    for (pattern, lines) in [("needle", 2), ("Needle", 2), ("nEedle", 0), (r"\Deedle", 2), (r"needle\S", 0), ("", 0)] {
        keys(&mut pane, "/");
        keys(&mut pane, pattern);
        idle(&mut pane);
        let count = pane.search.as_ref().map_or("0".into(), |s| s.count(None, &pane.shown));
        assert_eq!(count, lines.to_string(), "{pattern}");
        press(&mut pane, KeyCode::Esc);
    }
}

#[test]
fn a_bad_pattern_is_told_while_it_is_typed() {
    let mut pane = with_words(20);
    keys(&mut pane, "/(nee");
    let text_of = text(&mut pane, 50, 7);
    assert!(text_of.contains("/(nee") && text_of.contains("unclosed group"), "{text_of}");
    assert_eq!(keys(&mut pane, "\n"), [], "and cannot be taken");
    assert!(pane.is_typing());
    keys(&mut pane, ")\n");
    assert!(!pane.is_typing() && at_cursor(&mut pane).ends_with("Needle 13"));
    keys(&mut pane, "/(((((((((");
    press(&mut pane, KeyCode::Esc);
    assert!(pane.search.as_ref().is_some_and(|s| s.pattern == "(nee)"), "what was searched before is back");
    for pattern in ["a{1000}{1000}{1000}", "\\p{L}{9999}", "(?:", "[z-a]", "*"] {
        keys(&mut pane, "/");
        keys(&mut pane, pattern);
        assert!(pane.prompt.as_ref().is_some_and(|p| p.error.is_some()), "{pattern}");
        press(&mut pane, KeyCode::Esc);
    }
}

#[test]
fn nothing_matches() {
    let mut pane = with_words(20);
    keys(&mut pane, "/zebra");
    idle(&mut pane);
    assert_eq!(keys(&mut pane, "\n"), [PaneEffect::Notice("no line matches".into())]);
    assert!(text(&mut pane, 50, 7).contains("/zebra 0"));
    assert!(matches!(keys(&mut of_lines(50, 7, 3), "n").as_slice(), [PaneEffect::Notice(_)]));
}

#[test]
fn a_step_is_bounded_and_the_rest_follows() {
    let mut pane = pane(50, 7);
    let mut records: Vec<_> = (0..40_000).map(info).collect();
    records[5].msg = "needle".to_owned();
    pane.update(PaneInput::Records(records));
    draw(&mut pane, 50, 7);
    assert_eq!(pane.wake(), None, "nothing to do, no wake-up");
    keys(&mut pane, "/needle\n");
    assert!(pane.hold.is_none(), "not found yet");
    assert!(text(&mut pane, 50, 7).contains("/needle 0+"));
    let before = pane.wake();
    assert!(before.is_some());
    let mut ticks = 0;
    while pane.hold.is_none() {
        assert_eq!(tick(&mut pane), []);
        ticks += 1;
        assert!(ticks < 100);
    }
    assert!(ticks > 3, "one step looks at 4,000 at most");
    assert!(at_cursor(&mut pane).ends_with("needle"));
    // New lines are found too, and what has gone is not counted any more.
    pane.update(PaneInput::Records(vec![record("api", 40_000, "info", "needle two")]));
    idle(&mut pane);
    keys(&mut pane, "n");
    assert!(at_cursor(&mut pane).ends_with("needle two"));
    pane.update(PaneInput::Records((40_001..70_000).map(info).collect()));
    idle(&mut pane);
    assert!(text(&mut pane, 50, 7).contains("/needle 1/1"), "{}", text(&mut pane, 50, 7));
}

#[test]
fn what_is_filtered_is_not_found() {
    let mut pane = with_words(100);
    pane.update(PaneInput::Records(vec![record("api", 100, "error", "needle bad")]));
    keys(&mut pane, "/needle\n");
    keys(&mut pane, "llll");
    idle(&mut pane);
    assert!(text(&mut pane, 50, 7).contains("/needle 1/1"));
    keys(&mut pane, "l");
    idle(&mut pane);
    assert!(text(&mut pane, 50, 7).contains("/needle 11/11"));
}

#[test]
fn far_to_the_right_and_deep_in_a_long_line() {
    let mut pane = pane(40, 5);
    let long = format!("{}needle{}", "x".repeat(5_000), "y".repeat(100));
    pane.update(PaneInput::Records(vec![record("api", 0, "info", &long), info(1), info(2)]));
    keys(&mut pane, "/needle\n");
    assert!(text(&mut pane, 40, 5).contains("needle"));
    keys(&mut pane, "WGN");
    let unwrapped = text(&mut pane, 40, 5);
    assert!(unwrapped.contains("xneedley") && unwrapped.contains("unwrapped from"), "{unwrapped}");
    keys(&mut pane, "0");
    assert!(text(&mut pane, 40, 5).contains("xxx…"));
    press(&mut pane, KeyCode::Right);
    press(&mut pane, KeyCode::Left);
    assert_eq!(pane.left, 0);
}

#[test]
fn fields_are_searched_as_they_are_shown() {
    let mut pane = pane(60, 5);
    pane.update(PaneInput::Records(vec![
        with_fields(record("api", 0, "info", "got it"), json!({"user": "anna", "ms": 17})),
        info(1),
    ]));
    keys(&mut pane, "/it user=anna ms=1\n");
    idle(&mut pane);
    assert!(text(&mut pane, 60, 5).contains(" 1/1"));
}
