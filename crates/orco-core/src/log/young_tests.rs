//! Looking at segments in the moment in which they are made.
#![allow(clippy::unwrap_used)]

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    segment::{Segment, Summary},
    tests::STEM,
    *,
};

/// Segments made. Readers that look for the index before the bytes take 1 to 50 of them for damaged.
const SEGMENTS: u64 = 1000;
/// On a busy machine fewer of them, for its readers are interrupted all the time.
const LONGEST: Duration = Duration::from_secs(5);
/// More than there are cores, as a rule: a reader is to be interrupted between its two looks.
const READERS: usize = 6;
/// The time of all lines: what has none of its own has that of its file.
const MICROS: u64 = 1_000_000;

/// What a reader finds of a segment whose bytes are there, and whether that is all there is.
fn looks(dir: &Path, n: u64) -> Option<bool> {
    let segment = Segment::open(dir, STEM, n).unwrap().map(|segment| segment.has_index());
    let summary = Summary::read(dir, STEM, n).unwrap();
    // Its first entry may not be there yet.
    let summary = summary.map(|summary| summary.first_micros.is_none_or(|micros| micros == MICROS));
    [segment, summary].into_iter().flatten().reduce(|one, other| one && other)
}

/// A segment's index is made before its bytes: where the bytes are, it is not lost, however young they are.
#[test]
fn a_segment_that_is_being_made_is_never_taken_for_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::with_segment_bytes(dir.path(), STEM, 1).unwrap();
    let newest = AtomicU64::new(0);
    let (looked, damaged) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                loop {
                    let n = newest.load(Ordering::Acquire);
                    if n >= SEGMENTS {
                        break;
                    }
                    // The one that comes next, until it is there.
                    if let Some(is_whole) = looks(dir.path(), n + 1) {
                        looked.fetch_add(1, Ordering::Relaxed);
                        damaged.fetch_add(u64::from(!is_whole), Ordering::Relaxed);
                    }
                }
            });
        }
        let begun = Instant::now();
        let written = (0..=SEGMENTS).take_while(|_| begun.elapsed() < LONGEST).try_for_each(|n| {
            writer.append(true, b"line\n", MICROS)?;
            newest.store(n, Ordering::Release);
            io::Result::Ok(())
        });
        newest.store(u64::MAX, Ordering::Release);
        written.unwrap();
    });
    assert!(looked.into_inner() > 0, "nobody has seen a segment");
    assert_eq!(damaged.into_inner(), 0);
}
