//! With milestones everything is found as without them, whatever became of them.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use proptest::{collection::vec, prelude::*};

use super::{
    format::Open,
    milestones::{self, Milestones},
    segment::Summary,
    start::reach,
    tests::{Piece, STEM, Seen, pieces, read_all},
    *,
};

/// Milliseconds that may go back.
fn times() -> impl Strategy<Value = Vec<u64>> {
    vec(1..20_u64, 24)
}

fn segments(dir: &Path) -> Vec<Summary> {
    (0..).map_while(|n| Summary::read(dir, STEM, n).unwrap()).collect()
}

/// As [`Store::seal`] does it, in small steps.
fn extend(dir: &Path, step: u64) {
    let mut before = (0, Open::default());
    for segment in segments(dir) {
        milestones::extend(dir, STEM, segment.n, before.1, step).unwrap();
        before = seal::tally(dir, STEM, segment.n, before).unwrap();
    }
}

fn write(dir: &Path, pieces: &[Piece], times: &[u64], segment: u64, mut after: impl FnMut(usize)) {
    let mut writer = Writer::with_segment_bytes(dir, STEM, segment).unwrap();
    for (i, (stderr, bytes)) in pieces.iter().enumerate() {
        if i % 7 == 5 {
            writer.miss(i as u64);
        }
        writer.append(*stderr, bytes, times[i] * 1000).unwrap();
        after(i);
    }
}

/// What can be found.
#[derive(PartialEq, Eq, Debug)]
struct Found {
    seen: Vec<(Start, Vec<Seen>)>,
    reached: Vec<u64>,
    counted: Vec<(u64, Open)>,
}

fn find(dir: &Path) -> Found {
    let since = (0..21).map(|ms| Start::Since(ms * 1000));
    let starts = since.chain((0..40).step_by(3).flat_map(|n| [Start::Line(n), Start::Tail(n)]));
    let seen = starts.map(|start| (start, read_all(dir, start, 99))).collect();
    let untils = || [None, Some(3000), Some(9000), Some(15_000)];
    let reached =
        (0..60).step_by(7).flat_map(|bytes| untils().map(|until| reach(dir, STEM, bytes, until).unwrap())).collect();
    let mut before = (0, Open::default());
    let mut counted = Vec::new();
    for segment in segments(dir) {
        before = seal::tally(dir, STEM, segment.n, before).unwrap();
        counted.push(before);
    }
    Found { seen, reached, counted }
}

fn maps(dir: &Path) -> Vec<std::path::PathBuf> {
    segments(dir).iter().map(|s| dir.join(STEM.map(s.n))).filter(|path| path.exists()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_is_found_as_without_them(
        pieces in pieces(), times in times(), segment in 20..200_u64, step in 1..9_u64, early in 0..24_usize,
        (row, byte, bit) in (0..9_usize, 0..96_usize, 0..8_u8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &pieces, &times, segment, |i| if i == early { extend(dir.path(), step) });
        extend(dir.path(), step);
        let made = maps(dir.path());
        let bytes: u64 = pieces.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        prop_assert!(!made.is_empty() || bytes <= step || segment <= step || segments(dir.path()).len() > 1);
        let with = find(dir.path());
        // Made in one go they are the same.
        let grown: Vec<_> = made.iter().map(|path| fs::read(path).unwrap()).collect();
        made.iter().for_each(|path| fs::remove_file(path).unwrap());
        let without = find(dir.path());
        extend(dir.path(), step);
        let anew: Vec<_> = made.iter().map(|path| fs::read(path).unwrap()).collect();
        prop_assert_eq!(&grown, &anew);
        prop_assert_eq!(&with, &without);
        // One damaged bit, and an end that is torn off.
        for path in &made {
            let mut damaged = fs::read(path).unwrap();
            let at = (row * 72 + byte) % damaged.len();
            damaged[at] ^= 1 << bit;
            fs::write(path, &damaged).unwrap();
        }
        prop_assert_eq!(&find(dir.path()), &without);
        for (path, bytes) in made.iter().zip(&anew) {
            fs::write(path, &bytes[..byte.min(bytes.len())]).unwrap();
        }
        prop_assert_eq!(&find(dir.path()), &without);
        // And mended where they were torn off.
        extend(dir.path(), step);
        let mended: Vec<_> = made.iter().map(|path| fs::read(path).unwrap()).collect();
        prop_assert_eq!(&mended, &anew);
    }
}

/// Bytes in lines of 100, a millisecond each, so that a second segment has only begun.
fn long(dir: &Path) {
    let mut writer = Writer::with_segment_bytes(dir, STEM, 4 << 20).unwrap();
    let line = format!("{}\n", "x".repeat(99));
    for n in 0..45_000 {
        writer.append(n % 5 == 0, line.as_bytes(), 1_000_000 + n * 1000).unwrap();
    }
}

#[test]
fn sealing_makes_them_and_retention_takes_them_away() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let dir = store.dir(&tests::origin().service);
    long(&dir);
    let before = store.used().unwrap();
    store.seal(&|_| true).unwrap();
    assert_eq!(maps(&dir), [dir.join(STEM.map(0))], "the second segment is shorter than a step");
    assert_eq!(store.used().unwrap(), before + 4096);
    let made = Milestones::read(&dir.join(STEM.log(0)), 0);
    let modified = || fs::metadata(dir.join(STEM.map(0))).unwrap().modified().unwrap();
    let when = modified();
    store.seal(&|_| true).unwrap();
    assert_eq!(modified(), when, "there is nothing to add");
    // So many lines before the last one.
    let last = made.before(seal::Until::END, 0).unwrap();
    assert_eq!((last.count.offset, last.count.lines), (7 << 19, (7 << 19) / 100));
    assert_eq!(last.entry, (7 << 19) / 100);
    assert_eq!(store.retain(0, &|_| true).unwrap().segments, 1);
    assert_eq!(maps(&dir), Vec::<std::path::PathBuf>::new());
    assert!(!dir.join(STEM.map(0)).exists());
}

/// They are about bytes that a machine that went down has not kept, or name entries of an index that is lost.
#[test]
fn they_are_not_believed_where_they_cannot_be_true() {
    let dir = tempfile::tempdir().unwrap();
    long(dir.path());
    milestones::extend(dir.path(), STEM, 0, Open::default(), milestones::STEP).unwrap();
    let log = dir.path().join(STEM.log(0));
    let known = |begin| Milestones::read(&log, begin).before(seal::Until::END, 0).map(|m| m.count.offset);
    assert_eq!(known(0), Some(7 << 19));
    assert_eq!(known(1), None, "of another segment");
    let file = fs::OpenOptions::new().write(true).open(&log).unwrap();
    file.set_len((2 << 19) + 50).unwrap();
    assert_eq!(known(0), Some(2 << 19));
    fs::remove_file(dir.path().join(STEM.idx(0))).unwrap();
    let counted = seal::tally(dir.path(), STEM, 0, (0, Open::default())).unwrap();
    assert_eq!(counted.0, ((2 << 19) + 50) / 100);
    damage::mend(dir.path(), STEM, 0).unwrap();
    assert_eq!(known(0), None);
}

/// A file of the first version, as it was written when there was no other.
#[test]
fn a_file_of_version_1_is_readable_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let pieces = [(false, b"one\ntw".to_vec()), (true, b"err".to_vec()), (false, b"o\n3".to_vec())];
    write(dir.path(), &pieces, &[1, 2, 3], 99, |_| {});
    milestones::extend(dir.path(), STEM, 0, Open::default(), 10).unwrap();
    let made = fs::read(dir.path().join(STEM.map(0))).unwrap();
    let hex: String = made.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        concat!(
            "4f52434f4d4150310000000000000000",
            "0a00000000000000",
            "0a000000000000000100000000000000",
            "0200000000000000d007000000000000",
            "04000000000000000100000000000000",
            "06000000000000000100000000000000",
            "0303000061c909bc"
        )
    );
}
