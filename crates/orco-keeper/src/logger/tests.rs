//! A log that is interrupted and resumed again and again, against what was written to it.
#![allow(clippy::unwrap_used)]

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use orco_core::log::format::{self, ENTRY_LEN, Entry, HEADER_LEN, Kind, encode_header};
use proptest::prelude::*;

use super::log::{Log, Outcome};

const STEM: &str = "0.1";

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    /// The service writes so many bytes to this stream.
    Write(usize, usize),
    /// The keeper gets a turn with this stream.
    Pump(usize),
    /// The engine asks for the last segment to be closed, whatever it holds.
    Turn,
    /// The keeper dies and another one takes over. What is torn at that moment:
    Crash(Torn),
}

#[derive(Clone, Copy, Debug)]
enum Torn {
    Nothing,
    /// So many bytes of the next entry are in the index.
    Entry(usize),
    /// An entry is there, its bytes are not.
    EntryWithoutBytes,
    /// The index of the next segment is there up to this length, its data is not; only where that segment is due.
    NextIndex(usize),
    /// The engine has closed the last segment, if it is full.
    Sealed,
}

fn step() -> impl Strategy<Value = Step> {
    let torn = prop_oneof![
        Just(Torn::Nothing),
        (1..ENTRY_LEN).prop_map(Torn::Entry),
        Just(Torn::EntryWithoutBytes),
        (0..=HEADER_LEN).prop_map(Torn::NextIndex),
        Just(Torn::Sealed),
    ];
    prop_oneof![
        3 => (0..2usize, 1..60usize).prop_map(|(stream, count)| Step::Write(stream, count)),
        4 => (0..2usize).prop_map(Step::Pump),
        1 => Just(Step::Turn),
        2 => torn.prop_map(Step::Crash),
    ]
}

/// The service's side of its pipes, and the files.
struct Bench {
    dir: tempfile::TempDir,
    limit: u64,
    ends: [File; 2],
    reads: [File; 2],
    written: [Vec<u8>; 2],
    next: u8,
    micros: u64,
}

impl Bench {
    fn new(limit: u64) -> Self {
        let ((r0, w0), (r1, w1)) = (crate::sys::pipe().unwrap(), crate::sys::pipe().unwrap());
        let (ends, reads) = ([w0.into(), w1.into()], [r0.into(), r1.into()]);
        Self { dir: tempfile::tempdir().unwrap(), limit, ends, reads, written: Default::default(), next: 0, micros: 0 }
    }

    /// Another keeper's view: its own descriptors of the pipes.
    fn resume(&self) -> (Log, Option<u32>) {
        let pipes = self.reads.each_ref().map(|read| Some(read.try_clone().unwrap().into()));
        Log::resume(self.dir.path().as_os_str().as_bytes().into(), STEM.as_bytes().into(), pipes, self.limit)
    }

    fn write(&mut self, stream: usize, count: usize) {
        let next = &mut self.next;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            *next = next.wrapping_add(1);
            *next
        })
        .take(count)
        .collect();
        // More than a pipe holds is never written here.
        self.ends[stream].write_all(&bytes).unwrap();
        self.written[stream].extend(bytes);
    }

    fn pump(&mut self, log: &mut Log, stream: usize) {
        self.micros += 700;
        while matches!(log.pump(stream, self.micros, self.limit), Outcome::Rotated(_)) {}
    }

    fn file(&self, number: u32, end: &str) -> std::path::PathBuf {
        self.dir.path().join(format!("{STEM}.{number}.{end}"))
    }

    fn last(&self) -> Option<u32> {
        (0..).take_while(|number| self.file(*number, "log").exists()).last()
    }

    fn tear(&self, torn: Torn) {
        let append = |path: &Path, bytes: &[u8]| {
            OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
        };
        let length = |number| fs::metadata(self.file(number, "log")).unwrap().len();
        let last = self.last().map(|last| (last, length(last) >= self.limit));
        let end = self.total();
        match (torn, last) {
            (Torn::Entry(count), Some((last, false))) => append(&self.file(last, "idx"), &vec![0xa5; count]),
            (Torn::EntryWithoutBytes, Some((last, false))) => {
                let entry = Entry { offset: end, micros: self.micros, kind: Kind::Stderr };
                append(&self.file(last, "idx"), &entry.encode());
            }
            (Torn::NextIndex(count), Some((last, true))) => {
                append(&self.file(last + 1, "idx"), &encode_header(end)[..count]);
            }
            (Torn::NextIndex(count), None) => {
                let _ = fs::remove_file(self.file(0, "idx"));
                append(&self.file(0, "idx"), &encode_header(0)[..count]);
            }
            (Torn::Sealed, Some((last, true))) => {
                let kind = Kind::Footer { lines: 0, open: format::Open::default() };
                append(&self.file(last, "idx"), &Entry { offset: end, micros: self.micros, kind }.encode());
            }
            (_, _) => {}
        }
    }

    fn total(&self) -> u64 {
        (0..).map_while(|number| fs::metadata(self.file(number, "log")).ok()).map(|data| data.len()).sum()
    }

    /// What the segments say, by stream, and that their indexes are in order.
    fn read(&self) -> [Vec<u8>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        let mut begin = 0;
        for number in (0..).take_while(|number| self.file(*number, "log").exists()) {
            let (data, index) =
                (fs::read(self.file(number, "log")).unwrap(), fs::read(self.file(number, "idx")).unwrap());
            assert!(data.len() as u64 <= self.limit);
            assert_eq!(format::decode_header(&index), Some(begin));
            let entries = index[HEADER_LEN..].chunks(ENTRY_LEN).map(|entry| Entry::decode(entry).unwrap());
            let entries: Vec<Entry> = entries.collect();
            assert!(entries.is_sorted_by_key(|entry| entry.offset));
            for (at, entry) in entries.iter().enumerate() {
                let end = entries.get(at + 1).map_or(begin + data.len() as u64, |next| next.offset);
                let piece = &data[(entry.offset - begin) as usize..(end - begin) as usize];
                match entry.kind {
                    Kind::Stdout => found[0].extend(piece),
                    Kind::Stderr => found[1].extend(piece),
                    Kind::Gap(_) => panic!("nothing was dropped"),
                    Kind::Footer { .. } => assert!(piece.is_empty()),
                }
            }
            begin += data.len() as u64;
        }
        found
    }
}

proptest! {
    #[test]
    fn resumed_nothing_is_lost_doubled_or_overwritten(limit in 1..200u64, steps in prop::collection::vec(step(), 0..60)) {
        let mut bench = Bench::new(limit);
        let (mut log, _) = bench.resume();
        for step in steps {
            match step {
                Step::Write(stream, count) => bench.write(stream, count),
                Step::Pump(stream) => bench.pump(&mut log, stream),
                Step::Turn => {
                    if let Some(last) = bench.last() {
                        let holds = fs::metadata(bench.file(last, "log")).unwrap().len() > 0;
                        prop_assert_eq!(log.turn(last), holds.then_some(last));
                        prop_assert_eq!(log.turn(last + 2), None);
                        prop_assert_eq!(bench.last(), Some(last + u32::from(holds)));
                    }
                }
                Step::Crash(torn) => {
                    let before: Vec<_> = (0..).map_while(|n| fs::read(bench.file(n, "log")).ok()).flatten().collect();
                    drop(log);
                    bench.tear(torn);
                    let full;
                    (log, full) = bench.resume();
                    let after: Vec<_> = (0..).map_while(|n| fs::read(bench.file(n, "log")).ok()).flatten().collect();
                    prop_assert_eq!(&before, &after);
                    prop_assert_eq!(log.total(), before.len() as u64);
                    // Each full segment is told of again until it is sealed or followed by another.
                    if let Some(full) = full {
                        prop_assert!(fs::metadata(bench.file(full, "log")).unwrap().len() >= limit);
                    }
                }
            }
        }
        (0..2).for_each(|stream| bench.pump(&mut log, stream));
        prop_assert_eq!(log.total(), bench.total());
        drop(log);
        prop_assert_eq!(bench.read(), bench.written.clone());
    }
}

#[test]
fn what_retention_has_deleted_counts() {
    let bench = Bench::new(100);
    fs::write(bench.dir.path().join(format!("{STEM}.gone")), "3 500 0 5\n").unwrap();
    let (log, full) = bench.resume();
    assert_eq!((log.total(), full), (500, None));
    // The index of segment 5 is there, torn in its header.
    fs::write(bench.file(5, "idx"), b"ORC").unwrap();
    assert_eq!(bench.resume().0.total(), 500);
}

/// A machine went down: entries are on the disk, the bytes they were written for are not.
#[test]
fn other_bytes_do_not_go_where_lost_ones_were() {
    let mut bench = Bench::new(1000);
    let (mut log, _) = bench.resume();
    bench.write(0, 40);
    bench.pump(&mut log, 0);
    bench.write(1, 60);
    bench.pump(&mut log, 1);
    drop(log);
    OpenOptions::new().write(true).open(bench.file(0, "log")).unwrap().set_len(30).unwrap();
    let (mut log, _) = bench.resume();
    assert_eq!(log.total(), 30);
    bench.write(0, 5);
    bench.pump(&mut log, 0);
    assert_eq!(fs::metadata(bench.file(0, "log")).unwrap().len(), 30);
    assert_eq!(fs::read(bench.file(1, "log")).unwrap(), bench.written[0][40..]);
    assert_eq!(format::decode_header(&fs::read(bench.file(1, "idx")).unwrap()), Some(30));
}

#[test]
fn data_without_an_index_is_left_alone() {
    let mut bench = Bench::new(100);
    fs::write(bench.file(0, "log"), b"whose is this").unwrap();
    let (mut log, _) = bench.resume();
    assert_eq!(log.total(), 13);
    bench.write(0, 4);
    bench.pump(&mut log, 0);
    assert_eq!(fs::read(bench.file(0, "log")).unwrap(), b"whose is this");
    assert_eq!(fs::read(bench.file(1, "log")).unwrap(), bench.written[0]);
    assert_eq!(format::decode_header(&fs::read(bench.file(1, "idx")).unwrap()), Some(13));
}
