//! Lines that are shown before they have an end.

use orco_api::wire::Source;

use super::*;

fn partial(seq: u64, msg: &str) -> LogRecord {
    LogRecord { partial: true, ..record("api", seq, "info", msg) }
}

/// The lines as they are held.
fn lines(pane: &Pane) -> Vec<String> {
    let ids = pane.shown.range(0, u64::MAX);
    ids.filter_map(|id| pane.body(id)).map(|(_, body)| body.text.into_owned()).collect()
}

#[test]
fn the_whole_line_comes_in_the_place_of_its_beginning() {
    let mut pane = pane(40, 8);
    pane.update(PaneInput::Records(vec![info(0), partial(1, "pass"), record("db", 5, "info", "x")]));
    assert_eq!(lines(&pane), ["line 0", "pass…", "x"]);
    pane.update(PaneInput::Records(vec![partial(1, "password:")]));
    pane.update(PaneInput::Records(vec![record("api", 1, "error", "password: no"), info(2)]));
    assert_eq!(lines(&pane), ["line 0", "password: no", "x", "line 2"]);
    assert_eq!(pane.held(), 4);
    let bytes = pane.bytes();
    let mut plain = super::pane(40, 8);
    plain.update(PaneInput::Records(vec![info(0), record("api", 1, "error", "password: no"), info(2)]));
    plain.update(PaneInput::Records(vec![record("db", 5, "info", "x")]));
    assert_eq!(bytes, plain.bytes(), "nothing of the beginnings is counted any more");
}

#[test]
fn each_stream_has_one_of_its_own() {
    let mut pane = pane(40, 8);
    let mut err = record("api", 1, "info", "other");
    err.source = Source::Stderr;
    let mut second = partial(1, "second run");
    second.run = 2;
    pane.update(PaneInput::Records(vec![partial(1, "begin"), err, second]));
    // The other stream has ended a line before: the number is one higher now.
    pane.update(PaneInput::Records(vec![record("api", 2, "info", "begin, end")]));
    assert_eq!(lines(&pane), ["begin, end", "other", "second run…"]);
}

#[test]
fn after_a_gap_nobody_knows() {
    let mut pane = pane(40, 8);
    pane.update(PaneInput::Records(vec![partial(1, "begin"), dropped(1, 5), record("api", 6, "info", "another")]));
    assert_eq!(lines(&pane), ["begin…", "… 5 lines dropped", "another"]);
}

#[test]
fn filters_and_searches_follow() {
    let mut pane = pane(60, 8);
    keys(&mut pane, "lll/end\n");
    pane.update(PaneInput::Records(vec![record("api", 0, "warn", "w"), partial(1, "begin")]));
    tick(&mut pane);
    assert_eq!(lines(&pane), ["w"], "an unfinished line is not bad enough");
    let counted = |pane: &Pane| pane.search.as_ref().unwrap().count(None, &pane.shown);
    assert_eq!(counted(&pane), "0");
    pane.update(PaneInput::Records(vec![record("api", 1, "error", "begin, end")]));
    assert_eq!(lines(&pane), ["w", "begin, end"]);
    tick(&mut pane);
    assert_eq!(counted(&pane), "1");
}

#[test]
fn one_whose_beginning_has_gone_comes_at_the_end() {
    let mut pane = Pane::new(PaneConfig { lines: 2, ..PaneConfig::new("x") });
    pane.update(PaneInput::Records(vec![partial(1, "begin")]));
    pane.update(PaneInput::Records(vec![record("db", 0, "info", "a"), record("db", 1, "info", "b")]));
    pane.update(PaneInput::Records(vec![record("api", 1, "info", "whole")]));
    assert_eq!(lines(&pane), ["b", "whole"]);
}
