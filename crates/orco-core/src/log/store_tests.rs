//! The store, retention and merged reading.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::{collection::vec, prelude::*};

use super::{
    format::Stem,
    tests::{Piece, Seen, drain, origin, pieces, read_all, strip_footers, write_all},
    *,
};

fn counts(seen: &[Seen]) -> (u64, u64) {
    let dropped = seen.iter().filter_map(|line| line.dropped).sum();
    (seen.iter().filter(|line| line.dropped.is_none()).count() as u64, dropped)
}

/// Numbers go up, and holes are exactly as large as the drop before them says.
fn assert_no_hole(seen: &[Seen]) {
    let mut next = 0;
    for line in seen {
        assert_eq!(line.seq, next, "{seen:?}");
        next = line.seq + line.dropped.unwrap_or(1);
    }
}

fn produced(pieces: &[Piece]) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path(), pieces, 1 << 20);
    read_all(dir.path(), Start::Beginning, 99).len() as u64
}

fn api(root: &Path) -> std::path::PathBuf {
    root.join("api")
}

proptest! {
    #[test]
    fn delivered_and_dropped_make_produced(
        pieces in pieces(), segment in 1..40_u64, footers in any::<bool>(), keep in 0..12_u64, live in any::<bool>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        write_all(&api(root.path()), &pieces, segment);
        if !footers {
            strip_footers(&api(root.path()));
        }
        let store = Store::new(root.path());
        let before = store.used().unwrap();
        let dropped = store.retain(keep * 8192, &|_| live).unwrap();
        let after = store.used().unwrap();
        prop_assert!(after <= keep * 8192 + 4096 + if live { 8192 } else { 0 } || after == before, "{after}");
        let seen = read_all(&api(root.path()), Start::Beginning, 99);
        assert_no_hole(&seen);
        let (got, missed) = counts(&seen);
        prop_assert_eq!(missed, dropped.lines);
        prop_assert_eq!(got + missed, produced(&pieces));
    }

    #[test]
    fn a_reader_that_is_passed_by_counts_what_it_missed(
        pieces in pieces(), segment in 1..40_u64, acts in vec(0..4_u8, 24),
    ) {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let dir = api(root.path());
        let stem = Stem { replica: 0, run: 1 };
        let mut writer = Writer::with_segment_bytes(&dir, stem, segment).unwrap();
        let mut cursor = Cursor::open(&dir, origin(), Start::Beginning).unwrap();
        let mut seen = Vec::new();
        for (i, (stderr, bytes)) in pieces.iter().enumerate() {
            writer.append(*stderr, bytes, i as u64 * 700).unwrap();
            match acts[i] {
                0 => {
                    let _ = drain(&mut cursor, &mut seen);
                }
                // One line only, so that it stands in the middle of a segment.
                1 => if cursor.advance().unwrap() == Step::Line {
                    seen.push(Seen::of(&cursor.line().unwrap()));
                },
                2 => {
                    let _ = store.retain(3 * 8192, &|_| true).unwrap();
                }
                _ => store.seal(&|_| true).unwrap(),
            }
        }
        writer.finish(0).unwrap();
        cursor.set_ended();
        prop_assert_eq!(drain(&mut cursor, &mut seen), Step::End);
        assert_no_hole(&seen);
        let (got, missed) = counts(&seen);
        prop_assert_eq!(got + missed, produced(&pieces));
    }

    #[test]
    fn sealing_says_what_the_writer_would_have_said(pieces in pieces(), segment in 1..40_u64) {
        let root = tempfile::tempdir().unwrap();
        let dir = api(root.path());
        write_all(&dir, &pieces, segment);
        let footers = |dir: &Path| -> Vec<_> {
            (0..).map_while(|n| segment::Summary::read(dir, Stem { replica: 0, run: 1 }, n).unwrap()).map(|s| s.footer).collect()
        };
        let want = footers(&dir);
        strip_footers(&dir);
        Store::new(root.path()).seal(&|_| false).unwrap();
        prop_assert_eq!(footers(&dir), want);
    }
}

fn write(store: &Store, service: &str, replica: u32, run: u32, lines: &[(u64, &str)]) {
    let dir = store.dir(&service.parse().unwrap());
    let mut writer = Writer::create(&dir, Stem { replica, run }).unwrap();
    for (micros, line) in lines {
        writer.append(line.contains(" err"), format!("{line}\n").as_bytes(), *micros).unwrap();
    }
}

fn texts(query: &Query, store: &Store) -> Vec<String> {
    let batches = query.read(store).unwrap().batches(2);
    batches.flat_map(|batch| batch.unwrap()).map(|r| r.msg).collect()
}

fn sample() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path().join("logs"));
    write(&store, "api", 0, 1, &[(1000, "a1"), (3000, "a3 err"), (7000, "a7")]);
    write(&store, "api", 0, 2, &[(8000, "{\"level\":\"error\",\"msg\":\"a8\"}"), (9000, "a9")]);
    write(&store, "api", 1, 1, &[(2000, "b2"), (4000, "WARN b4")]);
    write(&store, "db", 0, 1, &[(5000, "d5"), (6000, "d6 err")]);
    (root, store)
}

#[test]
fn instances_are_merged_by_time() {
    let (_root, store) = sample();
    let all = ["a1", "b2", "a3 err", "WARN b4", "d5", "d6 err", "a7", "a8", "a9"];
    assert_eq!(texts(&Query::default(), &store), all);
    let runs: Vec<_> = store.highest_runs().unwrap().into_iter().map(|(s, r, n)| (s.to_string(), r, n)).collect();
    assert_eq!(runs, [("api".to_owned(), 0, 2), ("api".to_owned(), 1, 1), ("db".to_owned(), 0, 1)]);
    assert_eq!(texts(&Query::default(), &Store::new("/nonexistent/orco")), Vec::<String>::new());
}

#[test]
fn filters() {
    let (_root, store) = sample();
    let q = Query::default;
    let table: Vec<(&str, Query, &[&str])> = vec![
        ("service", Query { services: vec!["db".parse().unwrap()], ..q() }, &["d5", "d6 err"]),
        ("replica", Query { replica: Some(1), ..q() }, &["b2", "WARN b4"]),
        ("run", Query { run: Some(2), ..q() }, &["a8", "a9"]),
        ("since", Query { since: Some(7000), ..q() }, &["a7", "a8", "a9"]),
        ("until", Query { until: Some(2000), ..q() }, &["a1", "b2"]),
        ("tail", Query { tail: Some(3), ..q() }, &["a7", "a8", "a9"]),
        ("no tail", Query { tail: Some(0), ..q() }, &[]),
        ("long tail", Query { tail: Some(99), until: Some(2000), ..q() }, &["a1", "b2"]),
        ("tail of matches", Query { tail: Some(1), grep: Some(Query::pattern("err$").unwrap()), ..q() }, &["d6 err"]),
        ("level", Query { level: Some(Level::Warn), ..q() }, &["WARN b4", "a8"]),
        ("grep", Query { grep: Some(Query::pattern("^a[13]").unwrap()), ..q() }, &["a1", "a3 err"]),
        (
            "invert",
            Query { grep: Some(Query::pattern("[abd]\\d$").unwrap()), invert: true, ..q() },
            &["a3 err", "d6 err", "a8"],
        ),
        ("source", Query { source: Some(Source::Stderr), ..q() }, &["a3 err", "d6 err"]),
        ("since and tail", Query { since: Some(2000), tail: Some(1), ..q() }, &["a9"]),
    ];
    for (name, query, want) in table {
        assert_eq!(texts(&query, &store), want, "{name}");
    }
    assert!(Query::pattern("(a{1000}){1000}").is_err());
    assert!(Query::pattern("(").is_err());
}

#[test]
fn a_follower_goes_on() {
    let (_root, store) = sample();
    let live = Origin::new("web".parse().unwrap(), 0, 1);
    let mut writer = Writer::create(&store.dir(&live.service), Stem { replica: 0, run: 1 }).unwrap();
    let query = Query { tail: Some(1), ..Query::default() };
    let mut follower = query.follow(&store, &|origin| *origin == live).unwrap();
    let poll = |follower: &mut Follower| {
        let (records, more) = follower.poll(99).unwrap();
        (records.into_iter().map(|r| r.msg).collect::<Vec<_>>().join(" "), more)
    };
    assert_eq!(poll(&mut follower), ("a9".to_owned(), More::Later));
    writer.append(false, b"one\ntwo\nthr", 20_000).unwrap();
    assert_eq!(poll(&mut follower), ("one two".to_owned(), More::Later));
    assert_eq!(poll(&mut follower), (String::new(), More::Later));
    let newcomer = Origin::new("web".parse().unwrap(), 1, 1);
    follower.add(newcomer.clone());
    follower.add(newcomer.clone());
    assert_eq!(poll(&mut follower), (String::new(), More::Later));
    write(&store, "web", 1, 1, &[(21_000, "new")]);
    writer.append(false, b"ee", 22_000).unwrap();
    assert_eq!(poll(&mut follower), ("new".to_owned(), More::Later));
    follower.ended(&newcomer);
    follower.ended(&live);
    assert_eq!(poll(&mut follower), ("three".to_owned(), More::Never));
}

#[test]
fn a_limit_is_kept_and_nothing_is_lost() {
    let (_root, store) = sample();
    let mut follower = Query::default().read(&store).unwrap();
    let (first, more) = follower.poll(4).unwrap();
    assert_eq!((first.len(), more), (4, More::Now));
    let (rest, more) = follower.poll(99).unwrap();
    assert_eq!((rest.len(), more), (5, More::Never));
}

#[test]
fn counts_of_forgotten_runs_are_joined_and_runs_stay_known() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    for run in 1..=100 {
        write(&store, "api", 0, run, &[(u64::from(run) * 1000, "x")]);
    }
    let dropped = store.retain(0, &|_| false).unwrap();
    assert_eq!((dropped.lines, dropped.segments), (100, 100));
    assert_eq!(store.instances().unwrap().len(), 100);
    // Their counts are joined once nothing else is left of them.
    let _ = store.retain(0, &|_| false).unwrap();
    assert_eq!(store.instances().unwrap().len(), 64);
    assert_eq!(std::fs::read_to_string(root.path().join("api/0.gone")).unwrap(), "36 72 36 0\n");
    let all: u64 =
        Query::default().read(&store).unwrap().batches(9).flat_map(|b| b.unwrap()).filter_map(|r| r.dropped).sum();
    assert_eq!(all, 64);
    assert_eq!(store.highest_runs().unwrap()[0].2, 100);
}

const MINUTE: u64 = 60_000_000;

fn limits(max_file_age: Option<u64>, max_file_count: Option<u32>, max_total_size: Option<u64>) -> LogSettings {
    let mut settings = LogSettings::default();
    settings.limits.max_file_age = max_file_age.map(std::time::Duration::from_micros);
    settings.limits.max_file_count = max_file_count;
    settings.limits.max_total_size = max_total_size;
    settings
}

/// One line a minute in segments of two lines: `MINUTE * 1..=lines`.
fn minutes(store: &Store, service: &str, run: u32, lines: u64) {
    let dir = store.dir(&service.parse().unwrap());
    let mut writer = Writer::with_segment_bytes(&dir, Stem { replica: 0, run }, 20).unwrap();
    for line in 1..=lines {
        writer.append(false, format!("{line:09}\n").as_bytes(), MINUTE * line).unwrap();
    }
    writer.finish(MINUTE * lines).unwrap();
}

fn left(store: &Store, service: &str) -> (u64, u64) {
    let query = Query { services: vec![service.parse().unwrap()], ..Query::default() };
    let records: Vec<_> = query.read(store).unwrap().batches(99).flat_map(|b| b.unwrap()).collect();
    let dropped = records.iter().filter_map(|r| r.dropped).sum();
    (records.iter().filter(|r| r.dropped.is_none()).count() as u64, dropped)
}

#[test]
fn what_is_too_old_goes_and_is_counted() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    minutes(&store, "api", 1, 10);
    let settings = limits(Some(30 * MINUTE), None, None);
    let trim = |now: u64, live: bool| store.trim(&settings, now, &|_| live).unwrap();
    // The oldest ends at minute 2.
    assert_eq!(trim(20 * MINUTE, false), Trimmed { next: Some(32 * MINUTE), ..Trimmed::default() });
    let first = trim(36 * MINUTE, false);
    assert_eq!((first.dropped.lines, first.dropped.segments, first.next), (6, 3, Some(38 * MINUTE)));
    assert_eq!(left(&store, "api"), (4, 6));
    // What is being written is to be closed when its first line has an eighth of the age.
    let open = trim(38 * MINUTE, true);
    assert_eq!((open.dropped.lines, open.turn.len(), open.turn[0].1, open.next), (2, 1, 4, None));
    assert_eq!(trim(10 * MINUTE, true).next, Some(9 * MINUTE + 30 * MINUTE / 8));
    assert_eq!(trim(99 * MINUTE, false).dropped.lines, 2);
    assert_eq!(left(&store, "api"), (0, 10));
}

/// A silent service's segments are closed for their age: there must not be so many that the count deletes what is young.
#[test]
fn age_alone_does_not_use_up_the_count() {
    for (count, span) in [(None, 80), (Some(100), 80), (Some(9), 80), (Some(3), 320), (Some(2), 640), (Some(1), 640)] {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        write(&store, "api", 0, 1, &[(MINUTE, "only")]);
        let round = store.trim(&limits(Some(640 * MINUTE), count, None), 2 * MINUTE, &|_| true).unwrap();
        assert_eq!((round.turn.len(), round.next), (0, Some((1 + span) * MINUTE)), "{count:?}");
    }
}

#[test]
fn nothing_of_a_replica_goes_before_what_came_earlier() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    // The clock was set back by a day between the two.
    write(&store, "api", 0, 1, &[(2000 * MINUTE, "early")]);
    write(&store, "api", 0, 2, &[(MINUTE, "late")]);
    let settings = limits(Some(10 * MINUTE), None, None);
    let round = store.trim(&settings, 100 * MINUTE, &|_| false).unwrap();
    assert_eq!((round.dropped.segments, round.next), (0, Some(2010 * MINUTE)));
    assert_eq!(store.trim(&settings, 2010 * MINUTE, &|_| false).unwrap().dropped.lines, 2);
}

#[test]
fn a_service_has_limits_of_its_own_within_the_stacks() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    minutes(&store, "api", 1, 10);
    minutes(&store, "db", 1, 10);
    let mut settings = limits(None, Some(4), None);
    let db = LogLimits { max_file_count: None, max_total_size: Some(3 * 8192), ..LogLimits::default() };
    settings.services.insert("db".parse().unwrap(), db);
    assert_eq!(store.trim(&settings, 0, &|_| true).unwrap().dropped.segments, 3);
    assert_eq!((left(&store, "api"), left(&store, "db")), ((8, 2), (6, 4)));
    settings.max_total_size = 5 * 8192;
    // The counts take room too.
    assert_eq!(store.trim(&settings, 0, &|_| false).unwrap().dropped.segments, 3);
    assert!(store.used().unwrap() <= 5 * 8192);
    assert_eq!(store.trim(&settings, 0, &|_| false).unwrap().dropped.segments, 0);
}

#[test]
fn a_turned_segment_is_closed_at_once_and_followed() {
    let root = tempfile::tempdir().unwrap();
    let dir = api(root.path());
    let mut writer = Writer::create(&dir, Stem { replica: 0, run: 1 }).unwrap();
    let mut cursor = Cursor::open(&dir, origin(), Start::Beginning).unwrap();
    let mut seen = Vec::new();
    writer.turn(0).unwrap();
    assert_eq!(writer.segment(), 0, "it holds nothing");
    for (n, text) in ["one\ntw", "o\n", "three\n"].into_iter().enumerate() {
        writer.append(false, text.as_bytes(), 1000 * n as u64 + 1).unwrap();
        writer.turn(n as u64 + 7).unwrap();
        writer.turn(n as u64).unwrap();
        assert_eq!(writer.segment(), n as u64 + 1);
        let _ = drain(&mut cursor, &mut seen);
    }
    assert_no_hole(&seen);
    assert_eq!(seen.len(), 3);
}

/// Segments cannot be made for a while, as on a full disk: what comes then is lost, counted and told, and who has seen a
/// part of the next segment misses nothing of what is written later.
#[test]
fn what_cannot_be_stored_is_counted_and_the_rest_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let (dir, away) = (api(root.path()), root.path().join("away"));
    let mut writer = Writer::with_segment_bytes(&dir, Stem { replica: 0, run: 1 }, 10).unwrap();
    writer.append(false, b"12345678\n", 1000).unwrap();
    std::fs::rename(&dir, &away).unwrap();
    assert!(writer.append(false, b"lost lost\n", 2000).is_err());
    // It would fit into the old segment, which nobody reads any more.
    assert!(writer.append(false, b"\n", 3000).is_err());
    std::fs::rename(&away, &dir).unwrap();
    writer.append(false, b"back\n", 4000).unwrap();
    writer.finish(5000).unwrap();
    let records = Query::default().read(&Store::new(root.path())).unwrap().batches(9).flat_map(|b| b.unwrap());
    let texts: Vec<_> = records.map(|r| r.msg).collect();
    assert_eq!(texts, ["12345678", "11 bytes of output could not be stored", "back"]);
}

/// Between the count of a tail and its reading retention may take more than what was left out: what is lost of the
/// tail is said, with its number.
#[test]
fn a_tail_that_retention_overtakes_says_what_it_lost() {
    for (tail, keep, want) in [(30_u64, 4_u64, None), (30, 2, Some(())), (5, 4, None)] {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let dir = store.dir(&origin().service);
        std::fs::create_dir_all(&dir).unwrap();
        let mut writer = Writer::with_segment_bytes(&dir, super::tests::STEM, 100).unwrap();
        for line in 0..100 {
            writer.append(false, format!("line {line:04}\n").as_bytes(), 1000 + line).unwrap();
        }
        let query = Query { tail: Some(tail), asked: Some(5000), only_past: true, ..Query::default() };
        let follower = query.follow(&store, &|_| true).unwrap();
        store.seal(&|_| true).unwrap();
        store.retain(keep * 8192, &|_| true).unwrap();
        let records: Vec<Record> = follower.batches(7).flat_map(Result::unwrap).collect();
        let shown = records.iter().filter(|record| record.dropped.is_none()).count() as u64;
        let dropped: u64 = records.iter().filter_map(|record| record.dropped).sum();
        assert_eq!(shown + dropped, tail, "{tail} of which {keep} segments are left: {records:?}");
        assert_eq!(want.is_some(), dropped > 0, "{tail}, {keep}");
        if let Some(first) = records.first() {
            assert_eq!(first.seq, 100 - tail, "{first:?}");
        }
        assert!(records.last().is_some_and(|last| last.seq == 99), "the last line is there");
    }
}
