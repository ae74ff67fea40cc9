//! The journal on real files: the format that must stay readable, a full disk, and figures.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use orco_core::journal::{Change, Folder, Journal, OpenError, Step, memory::Memory};

fn set(key: &str, value: &str) -> Change {
    Change::set(key, value.as_bytes())
}

fn open(folder: &Path) -> Journal {
    Journal::open(Folder::new(folder)).unwrap()
}

/// How `journal/v1.journal` was made: by this function, with the first Orco that had a journal. The file is kept as it
/// is for ever; when the format changes, a new version gets a file of its own, and this one must still be readable or be
/// refused as another version.
fn write_v1(journal: &mut Journal<Memory>) {
    journal.append(&[set("goal/api", r#"{"up":3}"#), set("goal/db", r#"{"up":1}"#)]).unwrap();
    journal.append(&[set("seat/api/0", r#"{"pid":4242,"run":7}"#), set("empty", "")]).unwrap();
    journal.sync().unwrap();
    journal.append(&[Change::delete("goal/db"), set("ünïcode", "né")]).unwrap();
    journal.append(&[Change::set("bytes", [0, 255, 10, 245].as_slice())]).unwrap();
    journal.append(&[set("seat/api/0", r#"{"pid":4243,"run":8}"#)]).unwrap();
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal/v1.journal")
}

#[test]
fn a_file_of_version_1_is_readable_for_ever() {
    let expected: [(&str, &[u8]); 5] = [
        ("bytes", &[0, 255, 10, 245]),
        ("empty", b""),
        ("goal/api", br#"{"up":3}"#),
        ("seat/api/0", br#"{"pid":4243,"run":8}"#),
        ("ünïcode", "né".as_bytes()),
    ];
    let bytes = fs::read(golden()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("journal"), &bytes).unwrap();
    let mut journal = open(folder.path());
    let entries: Vec<(&str, &[u8])> = journal.entries().iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(entries, expected);
    assert_eq!(journal.cut(), None);

    // And it can be gone on with.
    journal.append(&[set("more", "of it")]).unwrap();
    journal.sync().unwrap();
    drop(journal);
    assert_eq!(open(folder.path()).entries().len(), 6);
}

#[test]
fn version_1_is_still_written_as_it_was() {
    let mut journal = Journal::open(Memory::new()).unwrap();
    write_v1(&mut journal);
    assert!(journal.medium().bytes() == fs::read(golden()).unwrap(), "a changed format needs a new version");
}

/// Writes the file of a new version, once.
#[test]
#[ignore = "only when the format gets a new version"]
fn make_the_golden_file() {
    assert!(!golden().exists(), "it is kept as it is");
    let mut journal = Journal::open(Memory::new()).unwrap();
    write_v1(&mut journal);
    fs::create_dir_all(golden().parent().unwrap()).unwrap();
    fs::write(golden(), journal.medium().bytes()).unwrap();
}

/// The folder in which a child of these tests is to work.
const FOLDER: &str = "ORCO_TEST_JOURNAL_FOLDER";

/// This test program again, for one of its ignored tests, below a shell script that ends with `"$@"`.
fn child(script: &str, test: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").arg(env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture", "--test-threads=1", test]);
    command.env(FOLDER, folder).stdin(Stdio::null());
    command
}

/// Its output, when it has really run the test.
#[track_caller]
fn run(mut command: Command) {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Appends until it fails, and gives the last value that was taken.
fn fill(journal: &mut Journal) -> u32 {
    let text = "text ".repeat(200);
    for i in 0..10_000 {
        if let Err(error) = journal.append(&[set("filling", &format!("{i} {text}"))]) {
            assert!(error.is_full() && error.step == Step::Write, "{error:?}");
            assert!(journal.is_behind());
            return i;
        }
    }
    panic!("it is never full");
}

/// What a reader finds: the value of `filling` begins with this number.
#[track_caller]
fn assert_filled(folder: &Path, number: u32) {
    let entries = open(folder).entries().clone();
    let value = String::from_utf8_lossy(&entries["filling"]).into_owned();
    assert!(value.starts_with(&format!("{number} text")), "{number}: {value:.20}");
    assert_eq!(&*entries["before"], b"it was full");
}

#[test]
fn a_file_may_not_grow_any_more() {
    let folder = tempfile::tempdir().unwrap();
    // 64 KiB, in blocks of 512 bytes; the signal would kill.
    let script = r#"trap "" XFSZ; ulimit -S -f 128 && exec "$@""#;
    run(child(script, "child_with_a_limit_for_files", folder.path()));
    let mut journal = open(folder.path());
    assert_eq!(&*journal.entries()["filling"], b"little");
    journal.append(&[set("after", "the limit")]).unwrap();
    journal.sync().unwrap();
}

#[test]
#[ignore = "a child of `a_file_may_not_grow_any_more`"]
fn child_with_a_limit_for_files() {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let mut journal = open(&folder);
    journal.append(&[set("before", "it was full")]).unwrap();
    let failed = fill(&mut journal);
    assert!((20..70).contains(&failed), "{failed}");
    // The part of a frame that was written is cut off by the reader.
    assert_filled(&folder, failed - 1);
    // It goes on failing, truthfully, until so much waits that a new file is the better way: and that one is short.
    let mut failures = 0;
    while let Err(error) = journal.append(&[set("filling", "little")]) {
        failures += 1;
        assert!(error.is_full() && failures < 100_000, "{error:?}");
    }
    assert!(!journal.is_behind() && journal.len() < 1000);
    journal.sync().unwrap();
    assert_eq!(open(&folder).entries(), journal.entries());
}

#[test]
fn a_full_disk_of_64_kib() {
    let folder = tempfile::tempdir().unwrap();
    // A mount namespace of its own: nothing is left, however it ends.
    let mount = format!("mount -t tmpfs -o size=64k none '{}'", folder.path().display());
    let may = |unshare: &str| {
        let probe = format!("{unshare} sh -c \"$1\" 2>/dev/null");
        Command::new("sh").args(["-c", &probe, "sh", &mount]).status().is_ok_and(|status| status.success())
    };
    let Some(unshare) = ["unshare -m", "unshare -rm"].into_iter().find(|unshare| may(unshare)) else {
        // The same is tested with a limit for files, and with every errno in memory.
        eprintln!("skipped: this user may not mount");
        return;
    };
    let script = format!("exec {unshare} sh -c '{} && exec \"$@\"' sh \"$@\"", mount.replace('\'', "\""));
    run(child(&script, "child_on_a_full_disk", folder.path()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "a child of `a_full_disk_of_64_kib`"]
fn child_on_a_full_disk() {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let filler = folder.join("filler");
    fs::write(&filler, [1; 40 * 1024]).unwrap();
    let mut journal = open(&folder);
    journal.append(&[set("before", "it was full")]).unwrap();
    journal.sync().unwrap();
    let failed = fill(&mut journal);
    assert!((5..30).contains(&failed), "{failed}");
    assert_filled(&folder, failed - 1);
    for i in 0..20 {
        let error = journal.append(&[set("while", &format!("it is full {i}"))]).unwrap_err();
        assert!(error.is_full(), "{error:?}");
        assert!(journal.sync().unwrap_err().is_full());
    }
    // A new file has no room either, and the failed try leaves nothing.
    assert!(Journal::open(Folder::new(&folder)).unwrap().sync().unwrap_err().is_full());
    assert!(!folder.join("journal.new").exists());

    fs::remove_file(&filler).unwrap();
    journal.sync().unwrap();
    assert!(!journal.is_behind());
    let entries = open(&folder).entries().clone();
    assert_eq!(&entries, journal.entries());
    assert_eq!(&*entries["while"], b"it is full 19");
}

#[test]
fn a_folder_that_is_gone_is_an_error_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("state");
    let mut journal = Journal::open(Folder::new(&inner)).unwrap();
    let error = journal.append(&[set("a", "1")]).unwrap_err();
    assert!(error.step == Step::Stage && !error.is_full(), "{error:?}");
    assert!(error.to_string().contains("state/journal`"), "{error}");
    fs::create_dir(&inner).unwrap();
    journal.append(&[set("b", "2")]).unwrap();
    assert_eq!(open(&inner).entries().len(), 2);
}

#[test]
fn a_damaged_file_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut bytes = fs::read(golden()).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = Journal::open(Folder::new(folder.path())).unwrap_err();
    let name = path.display();
    assert!(matches!(&error, OpenError::Corrupt { offset: 28, file, .. } if *file == path), "{error:?}");
    assert_eq!(error.to_string(), format!("the journal `{name}` is damaged at byte 28: the frame's checksum is wrong"));
    assert!(error.remedy().contains(&format!("mv {name} {name}.damaged")), "{}", error.remedy());
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// Run with `--release -- --ignored --nocapture figures`.
#[test]
#[ignore = "prints figures"]
fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let (mut memory, mut disk) = (Journal::open(Memory::new()).unwrap(), open(folder.path()));
    let value = r#"{"phase":"running","pid":12345,"started":987654321,"attempts":0}"#;
    let batch: Vec<Change> = (0..1000).map(|i| set(&format!("seat/service-{i}/0"), value)).collect();
    let started = Instant::now();
    disk.append(&batch[..1]).unwrap();
    eprintln!("creating the file, durably: {:?}", started.elapsed());
    memory.append(&batch[..1]).unwrap();
    for round in 0..4 {
        let started = Instant::now();
        memory.append(&batch).unwrap();
        let in_memory = started.elapsed();
        let started = Instant::now();
        disk.append(&batch).unwrap();
        let on_disk = started.elapsed();
        let started = Instant::now();
        disk.sync().unwrap();
        eprintln!(
            "1,000 changes, round {round}: {in_memory:?} in memory, {on_disk:?} on disk, sync {:?}",
            started.elapsed()
        );
    }
    let started = Instant::now();
    for change in &batch {
        disk.append(std::slice::from_ref(change)).unwrap();
    }
    eprintln!("1,000 batches of one change on disk: {:?}", started.elapsed());
    while disk.len() < 10_000_000 {
        disk.append(&batch).unwrap();
    }
    drop(disk);
    let started = Instant::now();
    let mut journal = open(folder.path());
    eprintln!("opening {} bytes with {} keys: {:?}", journal.len(), journal.entries().len(), started.elapsed());
    let started = Instant::now();
    assert!(journal.tidy().unwrap());
    eprintln!("compacting it to {} bytes: {:?}", journal.len(), started.elapsed());
    // All of it live: many keys.
    for i in 0..100 {
        let keys: Vec<Change> = (0..1000).map(|n| set(&format!("seat/service-{n}/{i}"), value)).collect();
        journal.append(&keys).unwrap();
    }
    drop(journal);
    let started = Instant::now();
    let journal = open(folder.path());
    eprintln!("opening {} bytes with {} keys: {:?}", journal.len(), journal.entries().len(), started.elapsed());
}
