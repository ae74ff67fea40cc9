//! The journal in ordinary use, on disk and in memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{memory::Memory, *};

/// The values as text, for messages.
pub(super) fn shown(entries: &Entries) -> Vec<(String, String)> {
    entries.iter().map(|(key, value)| (key.to_string(), String::from_utf8_lossy(value).into_owned())).collect()
}

pub(super) fn set(key: &str, value: &str) -> Change {
    Change::set(key, value.as_bytes())
}

#[test]
fn what_was_appended_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(Folder::new(folder.path())).unwrap();
    assert!(journal.entries().is_empty() && journal.cut().is_none() && journal.is_empty() && !journal.is_behind());
    assert!(!folder.path().join("journal").exists(), "opening writes nothing");

    journal.append(&[set("a", "1"), set("b", "2")]).unwrap();
    journal.append(&[set("a", "3"), Change::delete("b"), set("c", ""), Change::delete("nobody")]).unwrap();
    journal.append(&[set("x", "1"), Change::delete("x"), set("y", "1"), set("y", "2")]).unwrap();
    let expected = [("a", "3"), ("c", ""), ("y", "2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(shown(journal.entries()), expected);
    journal.sync().unwrap();
    drop(journal);

    let mode = fs::metadata(folder.path().join("journal")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!folder.path().join("journal.new").exists());
    for round in 0..3 {
        let mut journal = Journal::open(Folder::new(folder.path())).unwrap();
        assert_eq!(shown(journal.entries()), expected, "{round}");
        assert_eq!(journal.cut(), None);
        journal.sync().unwrap();
    }
}

#[test]
fn a_first_sync_writes_the_inherited_file_anew() {
    let mut journal = Journal::open(Memory::new()).unwrap();
    journal.append(&[set("a", "1")]).unwrap();
    // Not on the disk, though it looks so: the fsync failed, and the pages count as clean.
    journal.append(&[set("a", "2")]).unwrap();
    journal.medium_mut().fail(1, memory::Fault::Errno(memory::EIO));
    assert!(journal.sync().is_err());
    let mut journal = Journal::open(journal.into_medium()).unwrap();
    assert_eq!(shown(journal.entries()), [("a".to_owned(), "2".to_owned())]);
    journal.sync().unwrap();
    let mut medium = journal.into_medium();
    medium.power_cut_at(0);
    assert_eq!(shown(Journal::open(medium).unwrap().entries()), [("a".to_owned(), "2".to_owned())]);
}

#[test]
fn compacting_keeps_the_content_and_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(Folder::new(folder.path())).unwrap();
    let value = "v".repeat(10_000);
    let mut tidied = 0;
    for i in 0..500 {
        journal.append(&[set(&format!("key {}", i % 7), &format!("{i} {value}"))]).unwrap();
        tidied += usize::from(journal.tidy().unwrap());
        assert!(journal.len() <= (1 << 20) + 20_000, "{}", journal.len());
    }
    assert!((3..10).contains(&tidied), "{tidied}");
    let entries = journal.entries().clone();
    drop(journal);
    assert_eq!(Journal::open(Folder::new(folder.path())).unwrap().entries(), &entries);
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("journal")).unwrap();
    let error = Journal::open(Folder::new(folder.path())).unwrap_err();
    assert!(matches!(error, OpenError::Read { .. }), "{error:?}");
    assert!(error.to_string().contains("journal`"), "{error}");
    assert!(error.remedy().contains("journal`"));
    fs::remove_dir(folder.path().join("journal")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("journal")).unwrap();
    assert!(matches!(Journal::open(Folder::new(folder.path())), Err(OpenError::Read { .. })));
}
