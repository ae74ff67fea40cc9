//! A damaged file gives the state after some number of whole batches, or is refused with file and offset.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::{collection::vec, prelude::*};

use super::{
    format::{self, FRAME_LEN, Frame, HEADER_LEN, Header, MARKER, Place},
    memory::Memory,
    tests::{set, shown},
    *,
};

/// A file, and what it says up to the end of each frame.
struct History {
    bytes: Vec<u8>,
    /// Where the frame begins, where it ends, and the state after it.
    frames: Vec<(usize, usize, Entries)>,
}

/// A journal of this many batches; every seventh is followed by a sync that counts (not the first, which would replace
/// the file).
fn history(batches: usize, text: &str) -> History {
    let mut journal = Journal::open(Memory::new()).unwrap();
    let mut frames = Vec::new();
    let mut start = HEADER_LEN;
    for i in 0..batches {
        let name = format!("service {}", i % 13);
        let mut changes = vec![set(&name, &format!("{{\"batch\":{i},\"text\":\"{}\"}}", text.repeat(6)))];
        if i % 3 == 0 {
            changes.push(set("high water", &i.to_string()));
        }
        if i % 5 == 4 {
            changes.push(Change::delete(format!("service {}", (i + 3) % 13)));
        }
        journal.append(&changes).unwrap();
        if i % 7 == 6 {
            journal.sync().unwrap();
        }
        let end = usize::try_from(journal.len()).unwrap();
        frames.push((start, end, journal.entries().clone()));
        start = end;
    }
    let bytes = journal.into_medium().bytes().to_vec();
    assert_eq!(bytes.len(), start);
    History { bytes, frames }
}

fn long() -> History {
    let history = history(140, "seventy bytes of what an engine has to remember about its services. ");
    assert!(history.bytes.len() >= 64 * 1024, "{}", history.bytes.len());
    history
}

fn open(bytes: Vec<u8>) -> Result<Journal<Memory>, OpenError> {
    Journal::open(Memory::with(bytes))
}

/// Where it was refused. A refusal names the file and says what to do.
#[track_caller]
fn refused(bytes: Vec<u8>) -> u64 {
    match open(bytes) {
        Err(error @ OpenError::Corrupt { offset, .. }) => {
            let (text, remedy) = (error.to_string(), error.remedy());
            assert!(text.contains("`memory/journal`") && text.contains(&format!(" byte {offset}: ")), "{text}");
            assert!(remedy.contains("mv memory/journal memory/journal.damaged"), "{remedy}");
            offset
        }
        Err(other) => panic!("{other:?}"),
        Ok(journal) => panic!("accepted: cut {:?}, {:?}", journal.cut(), shown(journal.entries())),
    }
}

/// Cuts the history at each of these lengths, and looks at what is read.
fn truncate_at(history: &History, lengths: impl Iterator<Item = usize>) {
    let settled = history.frames[0].1;
    for length in lengths {
        let bytes = history.bytes[..length].to_vec();
        if length == 0 {
            assert!(open(bytes).unwrap().is_empty());
            continue;
        }
        if length < settled {
            let offset = refused(bytes);
            assert!(offset == 0 || offset == HEADER_LEN as u64, "{length}: {offset}");
            continue;
        }
        let (_, end, state) = history.frames.iter().rfind(|(_, end, _)| *end <= length).unwrap();
        let journal = open(bytes).unwrap();
        assert_eq!(journal.entries(), state, "{length}");
        let cut = (length > *end).then_some(Cut { offset: *end as u64, bytes: (length - end) as u64 });
        assert_eq!(journal.cut(), cut, "{length}");
    }
}

// Every byte, in four parts that run beside each other.
#[test]
fn cut_at_every_byte_of_the_first_quarter() {
    let history = long();
    truncate_at(&history, 0..history.bytes.len() / 4);
}

#[test]
fn cut_at_every_byte_of_the_second_quarter() {
    let history = long();
    truncate_at(&history, history.bytes.len() / 4..history.bytes.len() / 2);
}

#[test]
fn cut_at_every_byte_of_the_third_quarter() {
    let history = long();
    truncate_at(&history, history.bytes.len() / 2..history.bytes.len() / 4 * 3);
}

#[test]
fn cut_at_every_byte_of_the_last_quarter() {
    let history = long();
    truncate_at(&history, history.bytes.len() / 4 * 3..history.bytes.len() + 1);
}

#[test]
fn a_cut_journal_goes_on_from_where_it_was_cut() {
    let history = history(12, "text ");
    for length in history.frames[0].1..=history.bytes.len() {
        let mut journal = open(history.bytes[..length].to_vec()).unwrap();
        let mut expected = journal.entries().clone();
        journal.append(&[set("after", "the cut")]).unwrap();
        expected.insert("after".into(), b"the cut".to_vec().into());
        let again = Journal::open(journal.into_medium()).unwrap();
        assert_eq!((again.entries(), again.cut()), (&expected, None), "{length}");
    }
}

/// What a flipped bit in this frame must lead to.
#[track_caller]
fn flip(history: &History, frame: usize, byte: usize, bit: u8) {
    let (start, _, _) = history.frames[frame];
    let mut bytes = history.bytes.clone();
    bytes[byte] ^= 1 << bit;
    let is_last = frame + 1 == history.frames.len();
    if frame == 0 || !is_last {
        assert_eq!(refused(bytes), start as u64, "frame {frame}, byte {}, bit {bit}", byte - start);
    } else {
        // Not to be told from a write that a crash cut short.
        let journal = open(bytes).unwrap();
        assert_eq!(journal.entries(), &history.frames[frame - 1].2, "byte {}, bit {bit}", byte - start);
        assert_eq!(journal.cut().unwrap().offset, start as u64);
    }
}

#[test]
fn one_bit_in_every_record() {
    let history = long();
    for (frame, (start, end, _)) in history.frames.iter().enumerate() {
        // Each field of its head, and a few places of its payload.
        let payload = start + FRAME_LEN..*end;
        let places = [0, 4, 7, 8, 15, 16, 24, 28].map(|field| start + field);
        let inside = [payload.start, payload.start + payload.len() * (frame % 7) / 7, payload.end - 1];
        for (turn, byte) in places.into_iter().chain(inside).enumerate() {
            flip(&history, frame, byte, u8::try_from((frame + turn) % 8).unwrap());
        }
    }
}

#[test]
fn every_bit_of_some_records() {
    let history = history(9, "text ");
    for frame in [0, 1, 4, 7, 8] {
        let (start, end, _) = history.frames[frame];
        for byte in start..end {
            (0..8).for_each(|bit| flip(&history, frame, byte, bit));
        }
    }
}

#[test]
fn every_bit_of_the_header_and_of_a_lone_snapshot() {
    for history in [history(1, "text "), history(5, "text ")] {
        for (byte, bit) in (0..HEADER_LEN).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let mut bytes = history.bytes.clone();
            bytes[byte] ^= 1 << bit;
            assert_eq!(refused(bytes), 0, "{byte}");
        }
        for byte in HEADER_LEN..history.frames[0].1 {
            flip(&history, 0, byte, u8::try_from(byte % 8).unwrap());
        }
        let mut bytes = history.bytes.clone();
        bytes[history.frames[0].1 - 1] ^= 1;
        assert!(open(bytes).unwrap_err().to_string().ends_with("the frame's checksum is wrong"));
    }
}

#[test]
fn frames_that_are_missing_doubled_swapped_or_foreign() {
    let history = history(10, "text ");
    let other = self::history(10, "TEXT ");
    let frame = |h: &History, i: usize| h.bytes[h.frames[i].0..h.frames[i].1].to_vec();
    let build = |frames: &[Vec<u8>]| [&history.bytes[..HEADER_LEN], &frames.concat()[..]].concat();
    let ours: Vec<Vec<u8>> = (0..10).map(|i| frame(&history, i)).collect();
    let start = |i: usize| history.frames[i].0 as u64;
    assert_eq!(build(&ours), history.bytes);
    for i in 1..9 {
        let mut missing = ours.clone();
        missing.remove(i);
        assert_eq!(refused(build(&missing)), start(i), "without {i}");

        let mut doubled = ours.clone();
        doubled.insert(i, ours[i].clone());
        assert_eq!(refused(build(&doubled)), start(i + 1), "{i} twice");

        let mut swapped = ours.clone();
        swapped.swap(i, i + 1);
        assert_eq!(refused(build(&swapped)), start(i), "{i} and the next swapped");

        let mut foreign = ours.clone();
        foreign[i] = frame(&other, i);
        assert_eq!(refused(build(&foreign)), start(i), "{i} of another journal");

        // What a file system may leave behind a file's end: frames from before.
        let mut stale = ours.clone();
        stale.push(ours[i].clone());
        let journal = open(build(&stale)).unwrap();
        assert_eq!(journal.cut().unwrap().offset, history.bytes.len() as u64);
        assert_eq!(journal.entries(), &history.frames[9].2);
    }
    let mut first = ours.clone();
    first[0] = frame(&other, 0);
    // It has the place of the first, and the header's checksum; the rest does not follow it.
    assert_eq!(refused(build(&first)), start(1));
}

/// After a power cut, later sectors of what was not synced may be there and earlier ones not.
#[test]
fn lost_sectors_are_a_torn_tail_only_where_nothing_was_synced() {
    let history = history(90, "long enough for some sectors beyond the last sync, at least. ");
    // The last frame says that all up to the 84th was durable.
    let synced = history.frames[83].1;
    let (mut refusals, mut cuts) = (0, 0);
    for sector in (0..history.bytes.len() - 512).step_by(512) {
        let mut bytes = history.bytes.clone();
        bytes[sector..sector + 512].fill(0);
        let hit = history.frames.iter().position(|(_, end, _)| *end > sector).unwrap();
        let (start, _, _) = history.frames[hit];
        if start < synced {
            let offset = refused(bytes);
            assert!(offset == start as u64 || sector == 0 && offset == 0, "{sector}: {offset}");
            refusals += 1;
        } else {
            let journal = open(bytes).unwrap();
            assert_eq!(journal.cut().unwrap().offset, start as u64);
            assert_eq!(journal.entries(), &history.frames[hit - 1].2);
            cuts += 1;
        }
    }
    assert!(refusals > 50 && cuts >= 3, "{refusals} refused, {cuts} cut");
}

#[test]
fn a_frame_of_a_wrong_number_does_not_follow_though_the_chain_is_right() {
    let history = history(5, "text ");
    let last = Frame::decode(&history.bytes[history.frames[4].0..]).unwrap();
    let open_with = |sequence: u64| {
        let mut bytes = history.bytes.clone();
        let place = Place { sequence, synced: 1, previous: last.checksum };
        format::encode(&mut bytes, place, [("a", None)].into_iter()).unwrap();
        open(bytes)
    };
    let end = history.bytes.len() as u64;
    assert_eq!(open_with(6).unwrap().cut(), None);
    for stale in [1, 4, 5] {
        assert_eq!(open_with(stale).unwrap().cut().unwrap().offset, end);
    }
    for ahead in [7, 100] {
        assert!(matches!(open_with(ahead), Err(OpenError::Corrupt { offset, .. }) if offset == end));
    }
    // Nonsense with a right checksum is as good as none.
    assert_eq!(open_with(u64::MAX).unwrap().cut().unwrap().offset, end);
}

#[test]
fn another_version_is_named_and_left_alone() {
    let mut bytes = history(3, "text ").bytes;
    bytes[7] = b'2';
    // A version 2 of its own: what follows is not ours to check.
    bytes[20] ^= 0xff;
    let error = open(bytes).unwrap_err();
    assert!(matches!(error, OpenError::Version { theirs: b'2', ours: b'1', .. }), "{error:?}");
    assert_eq!(error.to_string(), "the journal `memory/journal` has format 2, this Orco reads format 1");
    assert!(error.remedy().contains("the Orco that wrote it"));
}

#[test]
fn much_that_looks_like_frames_is_refused_and_not_searched_for_ever() {
    let mut bytes = history(3, "text ").bytes;
    let start = bytes.len();
    while bytes.len() < 200_000 {
        // Each claims a different length within the file.
        let length = u32::try_from(100_000 - bytes.len() / 3).unwrap();
        bytes.extend_from_slice(&MARKER);
        bytes.extend_from_slice(&length.to_le_bytes());
    }
    assert_eq!(refused(bytes), start as u64);
}

/// Bytes with pieces in them that look like ours.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..60),
        Just(MARKER.to_vec()),
        (0_u32..300).prop_map(|length| [MARKER, length.to_le_bytes()].concat()),
        (any::<u64>(), any::<u64>()).prop_map(|(generation, settled)| Header { generation, settled }.encode().to_vec()),
        Just(vec![0; 600]),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in garbage()) {
        let length = bytes.len() as u64;
        match open(bytes) {
            Ok(journal) => prop_assert!(journal.entries().is_empty() && journal.len() <= length),
            Err(OpenError::Corrupt { offset, .. }) => prop_assert!(offset <= length),
            Err(OpenError::Version { theirs, .. }) => prop_assert!(theirs != b'1'),
            Err(other @ OpenError::Read { .. }) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn garbage_behind_a_journal_is_cut_or_refused(bytes in garbage()) {
        let history = history(4, "text ");
        let end = history.bytes.len() as u64;
        match open([&history.bytes[..], &bytes].concat()) {
            Ok(journal) => {
                prop_assert_eq!(journal.entries(), &history.frames[3].2);
                let cut = (!bytes.is_empty()).then_some(Cut { offset: end, bytes: bytes.len() as u64 });
                prop_assert_eq!(journal.cut(), cut);
            }
            Err(OpenError::Corrupt { offset, .. }) => prop_assert_eq!(offset, end),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    /// Sectors overwritten anywhere, with anything: never a state that was not.
    #[test]
    fn overwritten_places_never_give_a_state_that_was_not(
        places in vec((0_usize..4000, vec(any::<u8>(), 1..200)), 1..4),
    ) {
        let history = history(20, "text ");
        let mut bytes = history.bytes.clone();
        for (at, garbage) in places {
            let at = at % bytes.len();
            let end = (at + garbage.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&garbage[..end - at]);
        }
        match open(bytes) {
            Ok(journal) => prop_assert!(history.frames.iter().any(|(_, _, state)| state == journal.entries())),
            Err(OpenError::Corrupt { .. } | OpenError::Version { .. }) => {}
            Err(other @ OpenError::Read { .. }) => prop_assert!(false, "{other:?}"),
        }
    }
}
