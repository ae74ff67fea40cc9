//! What a flood costs.

use super::*;

#[test]
fn memory_is_bounded_by_lines() {
    let mut pane = pane(80, 24);
    let mut most = 0;
    for batch in 0..300 {
        pane.update(PaneInput::Records((batch * 1_000..(batch + 1) * 1_000).map(info).collect()));
        draw(&mut pane, 80, 24);
        most = most.max(pane.bytes());
        assert!(pane.held() <= 50_000 && pane.shown.len() <= 50_000);
    }
    assert_eq!(pane.held(), 50_000);
    // Each line takes its text and a fixed part.
    assert!(most <= 50_000 * (super::super::held::OVERHEAD + "line 299999".len()), "{most}");
    assert!(screen(&mut pane, 80, 24)[23].ends_with("line 299999"));
}

#[test]
fn memory_is_bounded_by_bytes() {
    let mut pane = pane(80, 24);
    let long = "x".repeat(100_000);
    for seq in 0..1_000 {
        pane.update(PaneInput::Records(vec![record("api", seq, "info", &long)]));
        assert!(pane.bytes() <= 32 << 20);
    }
    assert!(pane.held() > 300);
    // One line of any length is held in part.
    let huge = "é".repeat(5 << 20);
    pane.update(PaneInput::Records(vec![record("api", 1_000, "info", &huge)]));
    assert!(pane.bytes() <= 32 << 20 && pane.held() > 1);
    keys(&mut pane, "G");
    let last = screen(&mut pane, 80, 24).remove(23);
    assert!(last.ends_with("20,224 bytes not shown]"), "{last}");
}

#[test]
fn fields_are_bounded_too() {
    let mut pane = pane(80, 24);
    for seq in 0..200 {
        let fields = json!({"a": "y".repeat(400_000), "b": [1, 2, 3]});
        pane.update(PaneInput::Records(vec![with_fields(record("api", seq, "info", "m"), fields)]));
        assert!(pane.bytes() <= 32 << 20);
    }
    draw(&mut pane, 80, 24);
    let fields = json!({"a": "y".repeat(4_000_000)});
    pane.update(PaneInput::Records(vec![with_fields(record("api", 1, "info", "m"), fields)]));
    assert!(screen(&mut pane, 80, 24)[23].contains("bytes not shown"));
}

#[test]
fn a_batch_larger_than_what_is_held() {
    let mut pane = Pane::new(PaneConfig { lines: 10, ..PaneConfig::new("x") });
    pane.update(PaneInput::Records((0..1_000).map(info).collect()));
    keys(&mut pane, "k");
    pane.update(PaneInput::Records((1_000..3_000).map(info).collect()));
    assert_eq!((pane.held(), pane.shown.len()), (10, 10));
    draw(&mut pane, 40, 10);
    let mut none = Pane::new(PaneConfig { lines: 0, bytes: 0, ..PaneConfig::new("x") });
    none.update(PaneInput::Records((0..10).map(info).collect()));
    assert_eq!(none.held(), 1, "one line is always there");
}

#[test]
fn storing_looks_into_no_line() {
    // With a search and a filter, a paused view and an open record: the work is done later, in steps.
    let mut pane = of_lines(80, 24, 1_000);
    keys(&mut pane, "l/line\n\n");
    let looked = |pane: &Pane| pane.search.as_ref().unwrap().count(None, &pane.shown);
    tick(&mut pane);
    let before = looked(&pane);
    pane.update(PaneInput::Records((1_000..50_000).map(info).collect()));
    assert_eq!(looked(&pane).trim_end_matches('+'), before, "nothing was searched while storing");
    tick(&mut pane);
    let after: usize = looked(&pane).trim_end_matches('+').parse().unwrap();
    assert!(after <= before.parse::<usize>().unwrap() + 4_000, "one step is bounded: {before} {after}");
}

#[test]
fn names_do_not_grow_without_end() {
    let mut pane = pane(80, 24);
    pane.update(PaneInput::Records((0..1_000).map(|n| record(&format!("s{n}"), n, "info", "x")).collect()));
    pane.update(PaneInput::Select(Selection::All));
    assert_eq!(pane.ring.names(), 0);
}
