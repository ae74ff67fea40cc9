#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    sync::Arc,
};

use proptest::prelude::*;

use super::*;
use crate::log::{Level, LogSettings, Origin, Record, Source};

thread_local! {
    /// So many steps until everything ends, as with `kill -9`.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// A moment between two changes of files.
pub(super) fn step() -> io::Result<()> {
    match LEFT.get() {
        Some(0) => Err(io::Error::other("the end")),
        left => {
            LEFT.set(left.map(|n| n - 1));
            Ok(())
        }
    }
}

/// What of a piece gets to the disk before the end, if it comes in its middle.
pub(super) fn torn(piece: &[u8]) -> Option<&[u8]> {
    step().is_err().then(|| &piece[..piece.len() * 2 / 3])
}

fn record(service: &str, replica: i64, seq: u64) -> Record {
    let mut record = Record::system(seq, service.parse().unwrap(), Level::Info, format!("line {seq} of {replica}"));
    (record.source, record.replica, record.run, record.seq) = (Source::Stdout, replica, 1, seq);
    record
}

/// What an instance has printed: lines, notes of missing bytes, and counts of what is gone.
fn story(service: &str, replica: i64, kinds: &[u8]) -> Vec<Record> {
    let mut seq = 0;
    let mut all = Vec::new();
    for kind in kinds {
        let mut next = record(service, replica, seq);
        match kind {
            0 => next.source = Source::System,
            1 => (next.source, next.dropped) = (Source::System, Some(3)),
            _ => {}
        }
        seq += match kind {
            0 => 0,
            1 => 3,
            _ => 1,
        };
        all.push(next);
    }
    all
}

/// As a reader gives it who begins at a line: notes that lie before come again.
fn from(story: &[Record], line: u64) -> impl Iterator<Item = Record> + '_ {
    let is_note = |r: &Record| r.source == Source::System && r.dropped.is_none();
    story.iter().filter(move |r| r.seq >= line || is_note(r)).cloned()
}

fn origin(service: &str, replica: u32) -> Origin {
    Origin::new(service.parse().unwrap(), replica, 1)
}

/// All lines of a service, the oldest file first: replica, seq, and whether it is a line.
fn lines(directory: &Path, service: &str) -> Vec<(i64, u64, bool)> {
    let numbered = |n: u32| directory.join(format!("{service}.ndjson.{n}"));
    let last = (1..1000).filter(|&n| numbered(n).exists()).max().unwrap_or(0);
    let mut text = String::new();
    for n in (1..=last).rev() {
        // A rotation that got no further leaves a number out.
        text += &fs::read_to_string(numbered(n)).unwrap_or_default();
    }
    text += &fs::read_to_string(directory.join(format!("{service}.ndjson"))).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let is_line = value["source"] == "stdout";
            (value["replica"].as_i64().unwrap(), value["seq"].as_u64().unwrap(), is_line)
        })
        .collect()
}

fn open(directory: &Path, size: u64, count: u32, stack: &str, known: &[Origin]) -> Result<Export, NotWritten> {
    let mut settings = LogSettings { max_total_size: size * 1000, ..LogSettings::default() };
    (settings.limits.max_file_size, settings.limits.max_file_count) = (size, Some(count));
    Export::open(directory, Arc::new(settings), stack, known)
}

/// Writes what is missing, until the steps are used up.
fn run(directory: &Path, stories: &BTreeMap<u32, Vec<Record>>, batch: usize) -> Result<(), NotWritten> {
    let known: Vec<Origin> = stories.keys().map(|replica| origin("api", *replica)).collect();
    let mut export = open(directory, 700, 1000, "s", &known)?;
    let at = export.positions();
    let rest = |replica: &u32, story: &Vec<Record>| -> Vec<Record> {
        from(story, at.get(&origin("api", *replica)).copied().unwrap_or(0)).collect()
    };
    let mut all: Vec<Record> = stories.iter().flat_map(|(replica, story)| rest(replica, story)).collect();
    // Merged by time, which is the number here.
    all.sort_by_key(|record| record.seq);
    for piece in all.chunks(batch) {
        let mut piece = piece.to_vec();
        export.write(&mut piece)?;
        assert!(piece.is_empty());
    }
    export.save()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whenever it ends, every line is there once in the end, and in its order.
    #[test]
    fn everything_once_whenever_it_ends(
        kinds in proptest::collection::vec(proptest::collection::vec(0..8_u8, 0..40), 1..4),
        ends in proptest::collection::vec(0..30_u32, 0..12),
        batch in 1..20_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let numbered = || kinds.iter().zip(0_u32..);
        let stories: BTreeMap<u32, Vec<Record>> =
            numbered().map(|(kinds, replica)| (replica, story("api", i64::from(replica), kinds))).collect();
        for left in ends.into_iter().map(Some).chain([None]) {
            LEFT.set(left);
            let done = run(dir.path(), &stories, batch);
            LEFT.set(None);
            prop_assert!(done.is_ok() || left.is_some(), "{done:?}");
        }
        let found = lines(dir.path(), "api");
        for (replica, story) in &stories {
            let want: Vec<_> = story.iter().map(|r| (r.replica, r.seq, r.source == Source::Stdout)).collect();
            let got: Vec<_> = found.iter().filter(|line| line.0 == i64::from(*replica)).copied().collect();
            prop_assert_eq!(got, want);
        }
        let longest = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).max();
        prop_assert!(longest.unwrap_or(0) <= 1400, "no file is above its size, but the cursors");
    }
}

#[test]
fn a_disk_without_room_delays_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut export = open(dir.path(), 500, 50, "s", &[]).unwrap();
    let story = story("api", 0, &[5; 40]);
    let mut waiting = story.clone();
    for left in 0..60 {
        LEFT.set(Some(left % 7));
        if export.write(&mut waiting).is_ok() {
            break;
        }
        LEFT.set(None);
    }
    LEFT.set(None);
    export.write(&mut waiting).unwrap();
    assert_eq!(lines(dir.path(), "api"), story.iter().map(|r| (0, r.seq, true)).collect::<Vec<_>>());
}

#[test]
fn no_more_files_than_allowed_and_the_newest_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut export = open(dir.path(), 400, 3, "s", &[]).unwrap();
    export.write(&mut story("api", 0, &[5; 100])).unwrap();
    let names: BTreeSet<String> =
        fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, [".api.cursor", "api.ndjson", "api.ndjson.1", "api.ndjson.2"].map(str::to_owned).into());
    let left = lines(dir.path(), "api");
    assert_eq!(left, (100 - left.len() as u64..100).map(|seq| (0, seq, true)).collect::<Vec<_>>());
    let mut one = open(dir.path(), 400, 1, "s", &[]).unwrap();
    one.write(&mut story("web", 0, &[5; 100])).unwrap();
    assert!(dir.path().join("web.ndjson").exists() && !dir.path().join("web.ndjson.1").exists());
}

#[test]
fn files_that_somebody_takes_away_or_empties_are_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.ndjson");
    let story = story("api", 0, &[5; 9]);
    let mut export = open(dir.path(), 1 << 20, 5, "s", &[]).unwrap();
    export.write(&mut story[..3].to_vec()).unwrap();
    fs::rename(&path, dir.path().join("api.ndjson.old")).unwrap();
    export.write(&mut story[..5].to_vec()).unwrap();
    fs::write(&path, "").unwrap();
    export.write(&mut story[..6].to_vec()).unwrap();
    // Moved while nobody was there: what it got after the last cursor is known all the same.
    drop(export);
    fs::rename(&path, dir.path().join("api.ndjson.older")).unwrap();
    let mut export = open(dir.path(), 1 << 20, 5, "s", &[origin("api", 0)]).unwrap();
    assert_eq!(export.positions()[&origin("api", 0)], 6);
    export.write(&mut story.clone()).unwrap();
    assert_eq!(lines(dir.path(), "api"), [(0, 6, true), (0, 7, true), (0, 8, true)]);
}

#[test]
fn a_directory_of_another_stack_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut export = open(dir.path(), 1 << 20, 5, "one", &[]).unwrap();
    export.write(&mut story("api", 0, &[5; 3])).unwrap();
    let other = open(dir.path(), 1 << 20, 5, "other", &[origin("api", 0)]).unwrap_err();
    assert!(std::error::Error::source(&other).unwrap().to_string().ends_with("belongs to the stack one"));
    fs::write(dir.path().join(".api.cursor"), "{}").unwrap();
    assert!(open(dir.path(), 1 << 20, 5, "one", &[origin("api", 0)]).is_err());
}
