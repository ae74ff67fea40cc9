//! The reader against a model, whatever the writer and the disk do.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use proptest::{collection::vec, prelude::*};

use super::{format::Stem, *};

/// stderr or not, and the bytes.
pub(super) type Piece = (bool, Vec<u8>);

pub(super) fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let byte = prop_oneof![4 => Just(b'a'), 3 => Just(b'\n'), 1 => Just(b'\r'), 1 => Just(0xff), 1 => Just(0)];
    vec((any::<bool>(), vec(byte, 0..12)), 0..24)
}

pub(super) fn origin() -> Origin {
    Origin::new("api".parse().unwrap(), 0, 1)
}

pub(super) const STEM: Stem = Stem { replica: 0, run: 1 };

/// A line as the tests compare it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    pub(super) source: Source,
    pub(super) seq: u64,
    bytes: Vec<u8>,
    cut: Option<u64>,
    pub(super) dropped: Option<u64>,
}

impl Seen {
    pub(super) fn of(line: &Line<'_>) -> Self {
        let Line { source, seq, bytes, cut, dropped, .. } = *line;
        Self { source, seq, bytes: bytes.to_vec(), cut, dropped }
    }
}

/// What a reader must deliver, said as simply as possible.
fn model(pieces: &[Piece], max: usize) -> Vec<Seen> {
    let mut lines: Vec<(Source, Vec<u8>)> = Vec::new();
    let mut open = [Vec::new(), Vec::new()];
    let source = |stderr| if stderr { Source::Stderr } else { Source::Stdout };
    for (stderr, bytes) in pieces {
        for &byte in bytes {
            if byte == b'\n' {
                lines.push((source(*stderr), std::mem::take(&mut open[usize::from(*stderr)])));
            } else {
                open[usize::from(*stderr)].push(byte);
            }
        }
    }
    let [out, err] = open;
    lines.extend([(Source::Stdout, out), (Source::Stderr, err)].into_iter().filter(|(_, rest)| !rest.is_empty()));
    let finish = |(seq, (source, mut bytes)): (usize, (Source, Vec<u8>))| {
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let over = bytes.len().saturating_sub(max);
        bytes.truncate(max);
        Seen { source, seq: seq as u64, bytes, cut: (over > 0).then_some(over as u64), dropped: None }
    };
    lines.into_iter().enumerate().map(finish).collect()
}

pub(super) fn drain(cursor: &mut Cursor, into: &mut Vec<Seen>) -> Step {
    loop {
        match cursor.advance().unwrap() {
            Step::Line => into.push(Seen::of(&cursor.line().unwrap())),
            step => return step,
        }
    }
}

pub(super) fn read_all(dir: &Path, start: Start, max: usize) -> Vec<Seen> {
    let mut cursor = Cursor::open(dir, origin(), start).unwrap().max_line_bytes(max);
    cursor.set_ended();
    let mut seen = Vec::new();
    assert_eq!(drain(&mut cursor, &mut seen), Step::End);
    assert_eq!(drain(&mut cursor, &mut seen), Step::End);
    seen
}

pub(super) fn write_all(dir: &Path, pieces: &[Piece], segment: u64) {
    let mut writer = Writer::with_segment_bytes(dir, STEM, segment).unwrap();
    for (i, (stderr, bytes)) in pieces.iter().enumerate() {
        writer.append(*stderr, bytes, i as u64 * 700).unwrap();
    }
    writer.finish(0).unwrap();
}

/// Removes the footers, as if nobody had written any yet.
pub(super) fn strip_footers(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "idx") {
            let mut bytes = fs::read(&path).unwrap();
            if bytes[bytes.len() - 16] == 3 {
                bytes.truncate(bytes.len() - 32);
            }
            fs::write(&path, bytes).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_interleaving_and_chunking_gives_the_same_lines(pieces in pieces(), segment in 1..40_u64, max in 3..9_usize) {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &pieces, segment);
        prop_assert_eq!(read_all(dir.path(), Start::Beginning, max), model(&pieces, max));
    }

    #[test]
    fn a_reader_that_follows_sees_the_same(pieces in pieces(), segment in 1..40_u64, max in 3..9_usize, reads in vec(any::<bool>(), 24)) {
        let dir = tempfile::tempdir().unwrap();
        let mut cursor = Cursor::open(dir.path(), origin(), Start::Beginning).unwrap().max_line_bytes(max);
        let mut seen = Vec::new();
        prop_assert_eq!(drain(&mut cursor, &mut seen), Step::Idle);
        let mut writer = Writer::with_segment_bytes(dir.path(), STEM, segment).unwrap();
        for (i, (stderr, bytes)) in pieces.iter().enumerate() {
            writer.append(*stderr, bytes, i as u64 * 700).unwrap();
            if reads[i] {
                prop_assert_eq!(drain(&mut cursor, &mut seen), Step::Idle);
            }
        }
        writer.finish(0).unwrap();
        cursor.set_ended();
        prop_assert_eq!(drain(&mut cursor, &mut seen), Step::End);
        prop_assert_eq!(seen, model(&pieces, max));
    }

    #[test]
    fn a_tail_is_the_end_of_the_whole(pieces in pieces(), segment in 1..40_u64, tail in 0..20_u64, footers in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &pieces, segment);
        if !footers {
            strip_footers(dir.path());
        }
        let whole = read_all(dir.path(), Start::Beginning, 99);
        let ends: usize = pieces.iter().map(|(_, b)| b.iter().filter(|&&b| b == b'\n').count()).sum();
        let want = &whole[ends.saturating_sub(tail as usize)..];
        let got = read_all(dir.path(), Start::Tail(tail), 99);
        prop_assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            // The head of a line that began long ago may be missing, and then it says so.
            prop_assert!(got == want || (got.cut == Some(0) && want.bytes.ends_with(&got.bytes) && got.seq == want.seq));
        }
    }

    #[test]
    fn since_leaves_out_what_ended_before(pieces in pieces(), segment in 1..40_u64, since in 0..20_000_u64) {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &pieces, segment);
        let mut cursor = Cursor::open(dir.path(), origin(), Start::Beginning).unwrap();
        cursor.set_ended();
        let whole = cursor.batch(9999).unwrap();
        let want: Vec<u64> = whole.iter().filter(|r| r.ts >= since).map(|r| r.seq).collect();
        let got: Vec<u64> = read_all(dir.path(), Start::Since(since), 99).iter().map(|l| l.seq).collect();
        prop_assert_eq!(got, want);
    }
}

#[test]
fn torn_and_missing_pieces_of_an_index_do_no_harm() {
    let pieces = [(false, b"one\ntw".to_vec()), (true, b"err\n".to_vec()), (false, b"o\nthree\n".to_vec())];
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path(), &pieces, 1 << 20);
    let path = dir.path().join(STEM.idx(0));
    let whole = fs::read(&path).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let seen = read_all(dir.path(), Start::Beginning, 99);
        // A lost entry leaves its bytes to the stream before: the line may end up in two.
        let lines: Vec<_> = seen.iter().map(|line| line.bytes.len()).collect();
        assert_eq!(lines.iter().sum::<usize>(), 14, "{len}: {lines:?}");
        let _ = read_all(dir.path(), Start::Tail(2), 99);
    }
}

#[test]
fn what_could_not_be_stored_is_reported_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path(), &[(false, b"a\nbc\nd".to_vec())], 1 << 20);
    let path = dir.path().join(STEM.idx(0));
    let mut idx = fs::read(&path).unwrap();
    idx.truncate(48);
    for (offset, kind) in [(2, format::Kind::Gap(7)), (4, format::Kind::Gap(8)), (6, format::Kind::Gap(9))] {
        idx.extend(format::Entry { offset, micros: 5, kind }.encode());
    }
    fs::write(&path, idx).unwrap();
    let mut cursor = Cursor::open(dir.path(), origin(), Start::Beginning).unwrap();
    cursor.set_ended();
    let got: Vec<_> = cursor.batch(99).unwrap().into_iter().map(|r| (r.source, r.seq, r.msg)).collect();
    let system = |seq, n| (Source::System, seq, format!("{n} bytes of output could not be stored"));
    let line = |seq, msg: &str| (Source::Stdout, seq, msg.to_owned());
    let want = [
        line(0, "a"),
        system(1, 7),
        system(1, 8),
        line(1, "bc… [8 bytes cut]"),
        system(2, 9),
        line(2, "d… [9 bytes cut]"),
    ];
    assert_eq!(got, want);
}

/// G32: whatever a service writes, every line of the export is valid JSON.
#[test]
fn hostile_output_gives_valid_ndjson() {
    let mut long = vec![b'x'; 10 << 20];
    long.push(b'\n');
    let pieces = [
        (false, b"nul \0 here\n\xff\xfe\xc3(\n50%\r100%\r\n\n".to_vec()),
        (true, long),
        (false, b"{\"dropped\":1,\"seq\":77,\"level\":\"error\",\"msg\":\"forged\"}\n{\"a\":\n".to_vec()),
        (true, "\u{9b}31m\u{202e}\x1b]52;c;aGk=\x07 no end".as_bytes().to_vec()),
    ];
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path(), &pieces, 1 << 20);
    let mut cursor = Cursor::open(dir.path(), origin(), Start::Beginning).unwrap();
    cursor.set_ended();
    let mut encoder = ndjson::Encoder::new(&origin());
    let mut out = Vec::new();
    while cursor.advance().unwrap() == Step::Line {
        encoder.encode(&cursor.line().unwrap(), &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let seqs: Vec<_> = lines.iter().map(|l| l["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (0..8).collect::<Vec<_>>());
    assert_eq!(lines[0]["msg"], "nul \0 here");
    assert_eq!(lines[2]["msg"], "50%\r100%");
    assert_eq!(lines[4]["cut"], (9 << 20));
    assert!(lines[4]["msg"].as_str().unwrap().len() < (1 << 20) + 99);
    assert_eq!((&lines[5]["level"], &lines[5]["msg"]), (&"error".into(), &"forged".into()));
    assert_eq!((&lines[5]["dropped"], &lines[5]["fields"]["dropped"]), (&serde_json::Value::Null, &1.into()));
    assert!(lines[7]["msg"].as_str().unwrap().ends_with("no end"));
}

fn unfinished(cursor: &mut Cursor) -> Vec<(Source, u64, String)> {
    let mut seen = Vec::new();
    cursor.unfinished(|_, line| {
        assert!(line.partial);
        seen.push((line.source, line.seq, String::from_utf8_lossy(line.bytes).into_owned()));
    });
    seen
}

/// What is shown before its end has the number that the whole line has then, and is delivered whole all the same.
#[test]
fn an_unfinished_line_is_shown_and_comes_whole_with_the_same_number() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::with_segment_bytes(dir.path(), STEM, 8).unwrap();
    let mut cursor = Cursor::open(dir.path(), origin(), Start::Beginning).unwrap();
    let mut seen = Vec::new();
    writer.append(false, b"one\nName? ", 1).unwrap();
    assert_eq!(drain(&mut cursor, &mut seen), Step::Idle);
    assert!(cursor.has_unfinished());
    assert_eq!(unfinished(&mut cursor), [(Source::Stdout, 1, "Name? ".to_owned())]);
    assert_eq!(unfinished(&mut cursor), [], "once");
    writer.append(true, b"50%", 1).unwrap();
    assert_eq!(drain(&mut cursor, &mut seen), Step::Idle);
    assert_eq!(unfinished(&mut cursor), [(Source::Stderr, 2, "50%".to_owned())]);
    writer.append(false, b"Bob", 1).unwrap();
    assert_eq!(drain(&mut cursor, &mut seen), Step::Idle);
    assert_eq!(unfinished(&mut cursor), [(Source::Stdout, 1, "Name? Bob".to_owned())]);
    writer.append(false, b"\nnext\n", 1).unwrap();
    writer.append(true, b"\n", 1).unwrap();
    assert_eq!(drain(&mut cursor, &mut seen), Step::Idle);
    let lines: Vec<_> = seen.iter().map(|line| (line.seq, String::from_utf8_lossy(&line.bytes))).collect();
    assert_eq!(lines, [(0, "one".into()), (1, "Name? Bob".into()), (2, "next".into()), (3, "50%".into())]);
    assert!(!cursor.has_unfinished());
}

#[test]
fn a_line_of_200_kib_is_one_and_one_above_the_limit_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let long = vec![b'x'; 200 << 10];
    write_all(dir.path(), &[(false, [&long[..], b"\n"].concat()), (false, vec![b'y'; 3 << 20])], 1 << 16);
    let seen = read_all(dir.path(), Start::Beginning, MAX_LINE_BYTES);
    let sizes: Vec<_> = seen.iter().map(|line| (line.seq, line.bytes.len(), line.cut)).collect();
    assert_eq!(sizes, [(0, 200 << 10, None), (1, 1 << 20, Some(2 << 20))]);
}
