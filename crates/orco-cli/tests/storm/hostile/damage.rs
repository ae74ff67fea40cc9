//! G28: a journal that is damaged, seen from the whole program.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

use super::{custom, sleepers};
use crate::fleet::{Fleet, kill9, until};

fn journal(fleet: &Fleet) -> PathBuf {
    fleet.state().unwrap().join("journal")
}

/// Makes the journal longer than one frame.
fn some_history(fleet: &Fleet) {
    for _ in 0..3 {
        fleet.ok(&["restart", "s0000"]);
    }
    until("all is ready", || fleet.service("s0000")["ready"] == true);
}

/// Turns a byte over, and returns what it was.
fn spoil(fleet: &Fleet, at: u64) -> u8 {
    let file = File::options().read(true).write(true).open(journal(fleet)).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x40], at).unwrap();
    byte[0]
}

#[test]
fn a_damaged_middle_starts_nothing_and_kills_nothing() {
    let fleet = custom(&sleepers(3));
    fleet.ok(&["up", "-d", "--wait"]);
    some_history(&fleet);
    let before = fleet.mains();
    fleet.kill_both();
    let at = fs::metadata(journal(&fleet)).unwrap().len() / 2;
    let was = spoil(&fleet, at);
    let spoiled = fs::read(journal(&fleet)).unwrap();
    let file = journal(&fleet).display().to_string();
    for args in [&["up", "-d"][..], &["daemon", "run"], &["up"], &["down"]] {
        let refused = fleet.refused(args, &[&file, "at byte ", "next: "]);
        assert_eq!(refused.code, Some(5), "{args:?}: {refused:?}");
        assert_eq!(fleet.mains(), before, "{args:?}");
        assert_eq!(fs::read(journal(&fleet)).unwrap(), spoiled, "{args:?} wrote to it");
    }
    // Nobody holds the stack now; repaired, it goes on.
    File::options().write(true).open(journal(&fleet)).unwrap().write_all_at(&[was], at).unwrap();
    fleet.ok(&["up", "-d", "--wait"]);
    assert_eq!(fleet.mains(), before);
    fleet.down();
}

/// While everything runs: the keeper holds the services, no engine can be started, and everybody is told.
#[test]
fn damaged_under_a_running_stack() {
    let fleet = custom(&sleepers(3));
    fleet.ok(&["up", "-d", "--wait"]);
    some_history(&fleet);
    let before = fleet.mains();
    let at = fs::metadata(journal(&fleet)).unwrap().len() / 2;
    let was = spoil(&fleet, at);
    kill9(fleet.engine().unwrap());
    until("the daemon says so", || fleet.daemon_log().contains("is damaged at byte"));
    assert_eq!(fleet.mains(), before);
    // The keeper holds the stack and cannot run it: who wants it up learns that, and does not wait for ever.
    let begun = std::time::Instant::now();
    fleet.refused(&["up", "-d"], &["has no engine", "is damaged at byte", "daemon.log"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(fleet.refused(&["status"], &[]).code, Some(3));
    assert_eq!(fleet.mains(), before);
    File::options().write(true).open(journal(&fleet)).unwrap().write_all_at(&[was], at).unwrap();
    until("it goes on by itself, or when it is asked", || fleet.status().is_some());
    assert_eq!(fleet.mains(), before);
    fleet.down();
}

#[test]
fn a_torn_end_is_cut_off_and_told() {
    let fleet = custom(&sleepers(3));
    fleet.ok(&["up", "-d", "--wait"]);
    some_history(&fleet);
    let before = fleet.mains();
    fleet.kill_both();
    File::options().append(true).open(journal(&fleet)).unwrap().write_all(b"half a frame").unwrap();
    fleet.ok(&["up", "-d", "--wait"]);
    assert_eq!(fleet.mains(), before);
    let log = fleet.daemon_log();
    let told = log.lines().find(|line| line.contains("cut off")).unwrap_or_else(|| panic!("not told: {log}"));
    assert!(told.contains("bytes=12"), "{told}");
    fleet.down();
}
