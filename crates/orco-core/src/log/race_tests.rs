//! Reading while segments are written, closed, sealed and deleted by others.
#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{format::Stem, tests::origin, *};

const LINES: u64 = 30_000;

/// Whether every line is there once or was counted as dropped, as a reader sees it.
#[derive(Default)]
struct Reader {
    next: u64,
    delivered: u64,
    dropped: u64,
}

impl Reader {
    fn take(&mut self, record: &Record) {
        assert_eq!(record.seq, self.next, "{record:?}");
        match record.dropped {
            Some(dropped) => self.dropped += dropped,
            None => {
                assert_eq!(record.msg, format!("line {}", record.seq));
                // Its index entry was found, however young the segment.
                assert_eq!(record.source == Source::Stderr, record.seq.is_multiple_of(3), "{record:?}");
                assert!(record.ts.abs_diff(1_000_000 + record.seq * 300) < 1000, "{record:?}");
                self.delivered += 1;
            }
        }
        self.next = record.seq + record.dropped.unwrap_or(1);
    }
}

#[test]
fn whatever_is_done_meanwhile_nothing_is_lost_uncounted() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let dir = store.dir(&origin().service);
    let over = Arc::new(AtomicBool::new(false));
    let mut writer = Writer::with_segment_bytes(&dir, Stem { replica: 0, run: 1 }, 4096).unwrap();
    let writing = thread::spawn(move || {
        for line in 0..LINES {
            writer.append(line % 3 == 0, format!("line {line}\n").as_bytes(), 1_000_000 + line * 300).unwrap();
            if line % 1000 == 0 {
                writer.turn(writer.segment()).unwrap();
            }
            if line % 64 == 0 {
                thread::yield_now();
            }
        }
        writer.finish(u64::MAX).unwrap();
    });
    let trimming = {
        let (store, over) = (store.clone(), Arc::clone(&over));
        thread::spawn(move || {
            let settings = LogSettings { max_total_size: 20 * 8192, ..LogSettings::default() };
            let mut dropped = 0;
            while !over.load(Ordering::Acquire) {
                store.seal(&|_| true).unwrap();
                dropped += store.trim(&settings, 0, &|_| true).unwrap().dropped.lines;
            }
            dropped
        })
    };
    let looking = {
        let (store, over) = (store.clone(), Arc::clone(&over));
        thread::spawn(move || {
            let mut looks = 0_u64;
            while !over.load(Ordering::Acquire) {
                let query = Query { tail: Some(20), asked: Some(u64::MAX), only_past: true, ..Query::default() };
                let follower = query.follow(&store, &|_| true).unwrap();
                let records: Vec<_> = follower.batches(100).flat_map(|batch| batch.unwrap()).collect();
                let lines = records.iter().filter(|r| r.dropped.is_none());
                let lines: Vec<u64> =
                    lines.inspect(|r| assert_eq!(r.msg, format!("line {}", r.seq))).map(|r| r.seq).collect();
                assert!(lines.is_sorted(), "{lines:?}");
                looks += 1;
            }
            looks
        })
    };
    let mut follower = Query::default().follow(&store, &|_| true).unwrap();
    follower.add(origin());
    let mut reader = Reader::default();
    let mut last = false;
    loop {
        let (records, more) = follower.poll(50).unwrap();
        records.iter().for_each(|record| reader.take(record));
        match more {
            More::Now => {}
            More::Later if last => follower.ended(&origin()),
            More::Later => last = writing.is_finished(),
            More::Never => break,
        }
        thread::yield_now();
    }
    writing.join().unwrap();
    over.store(true, Ordering::Release);
    assert_eq!(reader.delivered + reader.dropped, LINES);
    assert!(reader.delivered > 0);
    assert!(trimming.join().unwrap() > 0);
    assert!(looking.join().unwrap() > 0);
}
