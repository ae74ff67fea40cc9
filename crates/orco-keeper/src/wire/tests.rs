#![allow(clippy::unwrap_used, clippy::expect_used)]

use orco_core::model::InstanceId;
use proptest::{option, prelude::*};

use super::*;

fn blob() -> impl Strategy<Value = Box<[u8]>> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Into::into)
}

fn id() -> impl Strategy<Value = InstanceId> {
    any::<u128>().prop_map(InstanceId)
}

fn launch() -> impl Strategy<Value = Launch> {
    let credentials = (any::<u32>(), any::<u32>(), prop::collection::vec(any::<u32>(), 0..4))
        .prop_map(|(uid, gid, groups)| Credentials { uid, gid, groups });
    let env = prop::collection::vec((blob(), option::of(blob())), 0..4);
    (id(), blob(), prop::collection::vec(blob(), 0..4), any::<bool>(), env, blob(), option::of(credentials)).prop_map(
        |(id, program, argv, inherit, env, workdir, credentials)| Launch {
            id,
            program,
            argv,
            inherit,
            env,
            workdir,
            credentials,
        },
    )
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        (any::<u8>(), any::<u64>(), any::<u64>(), any::<(u64, u64)>(), prop::collection::vec(blob(), 0..4)).prop_map(
            |(version, segment_bytes, unacknowledged_bytes, nofile, env)| Order::Hello {
                hello: Hello { version, segment_bytes, unacknowledged_bytes, nofile, env }
            }
        ),
        (launch(), any::<i32>(), blob(), blob()).prop_map(|(launch, stop_signal, log_dir, log_stem)| Order::Spawn {
            spawn: Spawn { launch, stop_signal, log_dir, log_stem }
        }),
        (launch(), any::<u64>(), blob())
            .prop_map(|(launch, timeout_ms, stdin)| Order::Exec { exec: Exec { launch, timeout_ms, stdin } }),
        (any::<u64>(), id(), any::<i32>()).prop_map(|(request, id, signal)| Order::Stop { request, id, signal }),
        (any::<u64>(), id()).prop_map(|(request, id)| Order::Kill { request, id }),
        (any::<u64>(), id(), any::<i32>()).prop_map(|(request, id, signal)| Order::Signal { request, id, signal }),
        (id(), any::<u64>()).prop_map(|(id, beyond)| Order::Arm { id, beyond }),
        (id(), any::<u64>(), option::of(any::<u32>())).prop_map(|(id, bytes, turn)| Order::Segments {
            id,
            bytes,
            turn
        }),
        Just(Order::Acknowledge {}),
        Just(Order::Shutdown {}),
        (id(), blob(), any::<i32>(), blob(), blob()).prop_map(|(id, token, stop_signal, log_dir, log_stem)| {
            Order::Adopt { adopt: Adopt { id, token, stop_signal, log_dir, log_stem } }
        }),
        id().prop_map(|id| Order::Recorded { id }),
        Just(Order::Serving {}),
        blob().prop_map(|program| Order::Succeed { program }),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    let ending = || {
        prop_oneof![
            any::<i32>().prop_map(|code| Ending::Code { code }),
            any::<i32>().prop_map(|signal| Ending::Signal { signal }),
            Just(Ending::Unknown {}),
        ]
    };
    let backend = prop_oneof![Just(Backend::Auto), Just(Backend::Sweep), Just(Backend::Cgroup)];
    prop_oneof![
        (any::<u8>(), any::<u32>(), backend, option::of(any::<i32>()))
            .prop_map(|(version, pid, backend, refused)| { Report::Ready { version, pid, backend, refused } }),
        (id(), any::<u32>()).prop_map(|(id, pid)| Report::Spawned { id, pid }),
        (id(), 0u8..7, any::<i32>()).prop_map(|(id, stage, errno)| Report::NotSpawned {
            id,
            stage: Stage::from_u8(stage).unwrap(),
            errno
        }),
        (any::<u64>(), any::<i32>()).prop_map(|(request, errno)| Report::Done { request, errno }),
        (id(), ending(), any::<u64>()).prop_map(|(id, ending, bytes)| Report::Exited { id, ending, bytes }),
        (id(), option::of(ending()), blob(), any::<u64>()).prop_map(|(id, ending, output, omitted)| Report::ExecDone {
            id,
            ending,
            output,
            omitted
        }),
        (id(), any::<u64>()).prop_map(|(id, total)| Report::Grew { id, total }),
        (id(), any::<u32>()).prop_map(|(id, segment)| Report::Rotated { id, segment }),
        (id(), any::<u32>(), option::of(ending()), any::<u64>(), blob(), blob()).prop_map(
            |(id, pid, ending, bytes, log_dir, log_stem)| Report::Held { id, pid, ending, bytes, log_dir, log_stem }
        ),
        Just(Report::HeldAll {}),
        (id(), any::<u32>()).prop_map(|(id, pid)| Report::Adopted { id, pid }),
        id().prop_map(|id| Report::Gone { id }),
        any::<i32>().prop_map(|signal| Report::Asked { signal }),
        (id(), blob(), any::<i32>()).prop_map(|(id, token, stop_signal)| Report::Token { id, token, stop_signal }),
    ]
}

/// Feeds `bytes` in pieces of `piece` and collects the frames.
fn read_all<T: Wire>(bytes: &[u8], piece: usize) -> Result<Vec<T>, Malformed> {
    let mut frames = Frames::default();
    let mut read = Vec::new();
    for piece in bytes.chunks(piece) {
        frames.room().extend_from_slice(piece);
        while let Some(value) = frames.next()? {
            read.push(value);
        }
    }
    Ok(read)
}

proptest! {
    #[test]
    fn orders_survive_the_wire(orders in prop::collection::vec(order(), 1..5), piece in 1usize..64) {
        let mut bytes = Vec::new();
        orders.iter().for_each(|order| frame(order, &mut bytes));
        prop_assert_eq!(read_all::<Order>(&bytes, piece).unwrap(), orders);
    }

    #[test]
    fn reports_survive_the_wire(reports in prop::collection::vec(report(), 1..5), piece in 1usize..64) {
        let mut bytes = Vec::new();
        reports.iter().for_each(|report| frame(report, &mut bytes));
        prop_assert_eq!(read_all::<Report>(&bytes, piece).unwrap(), reports);
    }

    #[test]
    fn nonsense_is_an_error_or_nothing_but_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all::<Order>(&bytes, 7);
        let _ = read_all::<Report>(&bytes, 7);
    }

    #[test]
    fn flipped_bits_never_panic(
        orders in prop::collection::vec(order(), 1..5),
        reports in prop::collection::vec(report(), 1..5),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..8),
        piece in 1usize..64,
    ) {
        let (mut asked, mut told) = (Vec::new(), Vec::new());
        orders.iter().for_each(|order| frame(order, &mut asked));
        reports.iter().for_each(|report| frame(report, &mut told));
        for bytes in [&mut asked, &mut told] {
            for (at, bit) in &flips {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
        }
        let _ = read_all::<Order>(&asked, piece);
        let _ = read_all::<Report>(&told, piece);
    }

    #[test]
    fn a_cut_stream_gives_only_whole_frames(orders in prop::collection::vec(order(), 1..5), at in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        orders.iter().for_each(|order| frame(order, &mut bytes));
        bytes.truncate(at.index(bytes.len()));
        let read = read_all::<Order>(&bytes, 16).unwrap();
        prop_assert!(read.len() < orders.len());
        prop_assert_eq!(&read[..], &orders[..read.len()]);
    }

    #[test]
    fn the_version_is_read_whatever_follows(version in any::<u8>(), rest in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut frames = Frames::default();
        let length = u32::try_from(rest.len() + 2).unwrap();
        frames.room().extend_from_slice(&length.to_le_bytes());
        prop_assert_eq!(frames.version(), Ok(None));
        frames.room().extend_from_slice(&[0, version]);
        frames.room().extend_from_slice(&rest);
        prop_assert_eq!(frames.version(), Ok(Some(version)));
    }

    #[test]
    fn what_does_not_begin_with_a_greeting_has_no_version(order in order()) {
        let mut frames = Frames::default();
        frame(&order, frames.room());
        match order {
            Order::Hello { hello } => prop_assert_eq!(frames.version(), Ok(Some(hello.version))),
            _ => prop_assert_eq!(frames.version(), Err(Malformed)),
        }
    }
}

#[test]
fn a_frame_beyond_the_limit_is_refused_before_it_is_read() {
    let length = u32::try_from(MAX_FRAME + 1).unwrap();
    assert_eq!(read_all::<Order>(&length.to_le_bytes(), 4), Err(Malformed));
}

#[test]
fn a_frame_with_bytes_left_over_is_refused() {
    let mut bytes = Vec::new();
    frame(&Order::Shutdown {}, &mut bytes);
    bytes[0] += 1;
    bytes.push(0);
    assert_eq!(read_all::<Order>(&bytes, 64), Err(Malformed));
}

#[test]
fn a_count_that_lies_allocates_nothing() {
    let mut body = vec![0u8, VERSION];
    body.extend_from_slice(&[0; 32]);
    body.extend_from_slice(&u32::MAX.to_le_bytes());
    let mut bytes = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(body);
    assert_eq!(read_all::<Order>(&bytes, 64), Err(Malformed));
}
