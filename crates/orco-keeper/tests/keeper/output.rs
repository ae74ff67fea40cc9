//! Output on its way into segments.

use std::{fs, path::Path, process::Command, time::Duration};

use orco_core::{
    log::format::{self, Entry, Kind},
    model::{Exit, InstanceId},
};
use orco_keeper::Event;

use crate::world::{World, eventually, within};

/// The header's offset and the entries of an index.
fn index(world: &World, id: InstanceId, number: u32) -> (u64, Vec<Entry>) {
    let bytes = fs::read(world.segment(id, number).with_extension("idx")).unwrap();
    let (header, entries) = bytes.split_at(format::HEADER_LEN);
    assert_eq!(entries.len() % format::ENTRY_LEN, 0);
    let entries = entries.chunks(format::ENTRY_LEN).map(|entry| Entry::decode(entry).unwrap()).collect();
    (format::decode_header(header).unwrap(), entries)
}

#[tokio::test]
async fn streams_are_told_apart_by_the_index() {
    let world = World::new().await;
    let (id, _) = world.start(world.sh("echo one; read x; sleep 0.05; echo two >&2; sleep 0.05; echo three; :")).await;
    world.end_of(id).await;
    assert_eq!(world.log_text(id), "one\ntwo\nthree\n");
    let (begin, entries) = index(&world, id, 0);
    assert_eq!(begin, 0);
    let seen: Vec<_> = entries.iter().map(|entry| (entry.offset, entry.kind)).collect();
    assert_eq!(seen, [(0, Kind::Stdout), (4, Kind::Stderr), (8, Kind::Stdout)]);
    assert!(entries.windows(2).all(|pair| pair[0].micros < pair[1].micros));
}

#[tokio::test]
async fn ten_mebibytes_without_a_line_end() {
    let world = World::with(|config| config.segment_bytes = 1 << 20).await;
    let size = 10 << 20;
    let (id, _) = world.start(world.sh(&format!("head -c {size} /dev/zero | tr '\\0' x"))).await;
    let acknowledge = async {
        loop {
            let Event::Rotated { .. } = world.client.event().await else { panic!("keeper lost") };
            world.client.acknowledge();
        }
    };
    let exit = tokio::select! {
        exit = world.end_of(id) => exit,
        () = acknowledge => unreachable!(),
    };
    assert_eq!(exit, Exit::Code(0));
    let log = world.log(id);
    assert_eq!(log.len(), size);
    assert!(log.iter().all(|byte| *byte == b'x'));
    for number in 0..10 {
        assert_eq!(fs::metadata(world.segment(id, number)).unwrap().len(), 1 << 20);
        let (begin, entries) = index(&world, id, number);
        assert_eq!(begin, u64::from(number) << 20);
        assert_eq!((entries[0].offset, entries[0].kind), (begin, Kind::Stdout));
    }
    assert!(!world.segment(id, 10).exists());
}

#[tokio::test]
async fn who_never_stops_writing_waits_for_the_engine_and_others_do_not() {
    let segment = 64 << 10;
    let world = World::with(|config| {
        config.segment_bytes = segment;
        config.unacknowledged_bytes = 4 * segment;
    })
    .await;
    let (yes, _) = world.start(world.sh("exec yes")).await;
    let size = || world.log(yes).len() as u64;
    // The fifth full segment is one too many.
    eventually(|| size() == 5 * segment).await;
    let (other, exit) = world.run("echo still here").await;
    assert_eq!((exit, world.log_text(other).as_str()), (Exit::Code(0), "still here\n"));
    assert_eq!(size(), 5 * segment);
    for segment in 0..5 {
        assert_eq!(within(world.client.event()).await, Event::Rotated { id: yes, segment });
    }
    world.client.acknowledge();
    eventually(|| size() == 10 * segment).await;
    world.client.kill(yes).await.unwrap();
    world.end_of(yes).await;
    // What was in the pipe is there too; nothing is doubled or torn.
    assert!(size() >= 10 * segment);
    assert!(world.log(yes).chunks_exact(2).all(|line| line == b"y\n"));
}

#[tokio::test]
async fn growth_is_told_when_it_was_asked_for() {
    let world = World::new().await;
    let fifo = world.dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (id, _) = world.start(world.sh("echo one; read line < fifo; echo two; read line < fifo")).await;
    within(world.client.beyond(id, 0)).await;
    assert_eq!(world.log_text(id), "one\n");
    let waits = [world.client.beyond(id, 4), world.client.beyond(id, 6)];
    let [first, second] = waits.map(|wait| tokio::time::timeout(Duration::from_millis(50), wait));
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err() && second.is_err());
    fs::write(&fifo, "go\n").unwrap();
    within(async { tokio::join!(world.client.beyond(id, 6), world.client.beyond(id, 4)) }).await;
    assert_eq!(world.log_text(id), "one\ntwo\n");
    let end = world.client.beyond(id, 1000);
    fs::write(&fifo, "go\n").unwrap();
    within(end).await;
}

#[tokio::test]
async fn bytes_of_any_kind_arrive_as_they_are() {
    let world = World::new().await;
    let (id, _) = world.run(r"printf 'a\000b\377\r\033[31mc\nno end'").await;
    assert_eq!(world.log(id), b"a\0b\xff\r\x1b[31mc\nno end");
}

/// A tiny file system, for root.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(dir: &Path) -> Option<Self> {
        let point = dir.join("small");
        fs::create_dir(&point).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&point).output().ok()?;
        mounted.status.success().then_some(Self(point))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_drops_counts_and_blocks_nobody() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new().await;
    let Some(small) = Small::mount(world.dir.path()) else { return };
    let ballast = small.0.join("ballast");
    let size: u64 = 3 << 20;
    let script = format!("head -c {size} /dev/zero; echo full > ../said; read line < ../fifo; echo after; sleep 0.05");
    assert!(Command::new("mkfifo").arg(world.dir.path().join("fifo")).status().unwrap().success());
    let mut spawn = world.sh(&script);
    spawn.log_dir = small.0.as_os_str().as_bytes().into();
    spawn.launch.workdir = small.0.as_os_str().as_bytes().into();
    fs::write(&ballast, vec![0; 100 << 10]).unwrap();
    let (id, _) = world.start(spawn).await;
    // It gets rid of all its output although there is no room for it.
    eventually(|| world.dir.path().join("said").exists()).await;
    fs::remove_file(&ballast).unwrap();
    fs::write(world.dir.path().join("fifo"), "go\n").unwrap();
    assert_eq!(world.end_of(id).await, Exit::Code(0));
    let log = fs::read(small.0.join(format!("{id}.0.log"))).unwrap();
    let bytes = fs::read(small.0.join(format!("{id}.0.idx"))).unwrap();
    let entries = bytes[format::HEADER_LEN..].chunks(format::ENTRY_LEN).filter_map(Entry::decode);
    let dropped: u64 = entries.map(|entry| if let Kind::Gap(bytes) = entry.kind { bytes } else { 0 }).sum();
    assert!(dropped > 0 && log.ends_with(b"after\n"));
    assert_eq!(log.len() as u64 + dropped, size + 6);
}
