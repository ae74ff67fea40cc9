//! What a machine that goes down leaves of files: cut or zeroed at any byte, or without their index.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use proptest::prelude::*;

use super::{
    tests::{STEM, origin, read_all},
    *,
};

/// Lines of one stream over several segments, some pieces ending in the middle of a line; the text as it was written.
fn write(dir: &Path) -> String {
    let text: String = (0..24).map(|line| format!("line {line} {}\n", "x".repeat(line % 7))).collect();
    let mut writer = Writer::with_segment_bytes(dir, STEM, 90).unwrap();
    for (at, piece) in text.as_bytes().chunks(17).enumerate() {
        writer.append(false, piece, 1_000_000 + at as u64 * 1000).unwrap();
    }
    drop(writer);
    text
}

fn last(dir: &Path) -> u64 {
    (0..).take_while(|n| dir.join(STEM.log(*n)).exists()).last().unwrap()
}

/// All whole lines of what is left are there, in their order and once; what is no whole line may be there too.
fn assert_whole_lines(dir: &Path, left: &str, what: &str) {
    let texts = |start| -> Vec<String> {
        let seen = Cursor::open(dir, origin(), start).map(|mut cursor| {
            cursor.set_ended();
            cursor.batch(999).unwrap()
        });
        seen.unwrap().into_iter().filter(|r| r.source != Source::System).map(|r| r.msg).collect()
    };
    let all = texts(Start::Beginning);
    let whole: Vec<&str> = left.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
    assert!(all.len() >= whole.len() && all.iter().zip(&whole).all(|(a, b)| a == b), "{what}: {all:?} of {whole:?}");
    let tail = texts(Start::Tail(3));
    assert!(all.ends_with(&tail), "{what}: {tail:?} of {all:?}");
    let since = texts(Start::Since(1));
    assert!(all.ends_with(&since), "{what}: {since:?} of {all:?}");
}

/// What is there after `change`, through a reader, and after it was sealed and gone on with.
fn survives(change: impl Fn(&Path, u64), left: impl Fn(&str, u64) -> String, what: &str) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let dir = store.dir(&"api".parse().unwrap());
    let text = write(&dir);
    let last = last(&dir);
    let begin: u64 = (0..last).map(|n| fs::metadata(dir.join(STEM.log(n))).unwrap().len()).sum();
    change(&dir, last);
    let left = left(&text, begin);
    assert_whole_lines(&dir, &left, what);
    let mut writer = Writer::resume(&dir, STEM).unwrap();
    writer.append(false, b"\nafter\n", 9_000_000).unwrap();
    writer.finish(9_000_000).unwrap();
    store.seal(&|_| false).unwrap();
    assert_whole_lines(&dir, &left, what);
    let seen = read_all(&dir, Start::Tail(1), 99);
    assert_eq!(seen.len(), 1, "{what}");
    let lines = read_all(&dir, Start::Beginning, 99);
    assert_eq!(lines.last(), seen.last(), "{what}");
    let produced = lines.iter().filter(|line| line.source != Source::System).count() as u64;
    let dropped = store.retain(0, &|_| false).unwrap();
    assert_eq!(dropped.lines, produced, "{what}");
}

#[test]
fn bytes_cut_anywhere() {
    for cut in 0..=90 {
        let change = |dir: &Path, last| {
            let file = fs::OpenOptions::new().write(true).open(dir.join(STEM.log(last))).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length.min(cut)).unwrap();
        };
        let left = |text: &str, begin: u64| text[..text.len().min(usize::try_from(begin + cut).unwrap())].to_owned();
        survives(change, left, &format!("cut at {cut}"));
    }
}

#[test]
fn an_index_cut_zeroed_or_gone_anywhere() {
    // The first, one in the midst, the last.
    for (n, step) in [(0, 3), (2, 7), (u64::MAX, 1)] {
        for cut in (0..260_usize).step_by(step) {
            for zeroed in [false, true] {
                let change = |dir: &Path, last: u64| {
                    let path = dir.join(STEM.idx(n.min(last)));
                    let mut bytes = fs::read(&path).unwrap();
                    let whole = bytes.len();
                    bytes.truncate(cut);
                    if zeroed {
                        bytes.resize(whole, 0);
                    }
                    fs::write(&path, bytes).unwrap();
                };
                survives(change, |text, _| text.to_owned(), &format!("{n}: {cut}, zeroed: {zeroed}"));
            }
        }
        let gone = |dir: &Path, last: u64| fs::remove_file(dir.join(STEM.idx(n.min(last)))).unwrap();
        survives(gone, |text, _| text.to_owned(), &format!("{n} gone"));
    }
}

#[test]
fn zeros_at_the_end_of_both() {
    for zeros in 0..90 {
        let change = |dir: &Path, last| {
            for (name, count) in [(STEM.log(last), zeros), (STEM.idx(last), zeros * 2)] {
                let mut bytes = fs::read(dir.join(&name)).unwrap();
                let from = bytes.len().saturating_sub(count);
                bytes[from..].fill(0);
                fs::write(dir.join(&name), bytes).unwrap();
            }
        };
        let left = |text: &str, begin: u64| {
            let last = text.len() - usize::try_from(begin).unwrap();
            text[..text.len() - zeros.min(last)].to_owned()
        };
        survives(change, left, &format!("{zeros} zeros"));
    }
}

proptest! {
    /// Any bytes in an index: nothing panics, and reading ends.
    #[test]
    fn nonsense_in_an_index(nonsense in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize, n in 0..4_u64) {
        let dir = tempfile::tempdir().unwrap();
        let _ = write(dir.path());
        let path = dir.path().join(STEM.idx(n));
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(at);
        bytes.extend(nonsense);
        fs::write(&path, bytes).unwrap();
        for start in [Start::Beginning, Start::Tail(2), Start::Since(1_005_000)] {
            let mut cursor = Cursor::open(dir.path(), origin(), start).unwrap();
            cursor.set_ended();
            let records = cursor.batch(500).unwrap();
            prop_assert!(records.len() < 500);
        }
    }
}
