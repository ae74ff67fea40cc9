//! G29: the disk with the state is full. Services and the daemon live, everything can be looked at and ended, nothing
//! new is promised, and who waits for the disk says so.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::Command,
    time::Duration,
};

use super::{can, custom, is_root};
use crate::{
    census,
    fleet::{Fleet, figure, kill9, promised, rounds, until},
};

/// A stack whose state lies on a disk of its own.
struct Afloat {
    fleet: Fleet,
    disk: Disk,
}

struct Disk(PathBuf);

impl Disk {
    fn new(path: PathBuf, size: &str) -> Self {
        fs::create_dir(&path).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(&path).status().unwrap();
        assert!(mounted.success());
        Self(path)
    }

    /// Takes all that is left.
    fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.0.join("filler")).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![b'x'; size]).is_ok() {}
        }
        // And the last page of the daemon's own log.
        for entry in fs::read_dir(&self.0).unwrap().flatten() {
            if let Ok(mut log) = File::options().append(true).open(entry.path().join("daemon.log")) {
                while log.write_all(b"x").is_ok() {}
            }
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

const SERVICES: &str = "
  steady: { command: [sleep, \"100000\"] }
  other: { command: [sleep, \"100000\"] }
  goes:
    shell: true
    command: 'while [ ! -e die ]; do sleep 0.02; done; echo gone; exit 1'
    restartPolicy: { maxRetries: unlimited, backoff: { min: 20ms, max: 50ms } }
    health: { startTimeout: 1s, cmd: { command: [\"true\"] } }
";

fn afloat() -> Afloat {
    let fleet = custom(SERVICES);
    let disk = Disk::new(fleet.path("state"), "1m");
    fleet.ok(&["up", "-d", "--wait"]);
    Afloat { fleet, disk }
}

impl Afloat {
    /// Fills the disk, and what the journal had room for.
    fn fill(&self) {
        self.disk.fill();
        // The last bit of room may go at any of these changes.
        let mut wanted = ["other=1", "other=2"].into_iter().cycle();
        until("nothing can be recorded", || {
            self.disk.fill();
            self.fleet.orco(&["scale", wanted.next().unwrap()]).code != Some(0)
        });
    }

    fn message(&self, service: &str) -> String {
        self.fleet.service(service)["message"].as_str().unwrap_or_default().to_owned()
    }
}

const NO_SPACE: &str = "No space left on device";

#[test]
fn a_full_disk_ends_nothing_and_heals() {
    if !can("root, for a disk of its own", is_root()) {
        return;
    }
    for round in 0..rounds(1) {
        let afloat = afloat();
        let fleet = &afloat.fleet;
        let steady = fleet.service("steady")["instances"][0]["pid"].as_i64();
        afloat.fill();
        let (engine, keeper) = (fleet.engine().unwrap(), fleet.keeper().unwrap());
        for change in [&["scale", "other=3"][..], &["restart", "steady"], &["start", "other"], &["apply"]] {
            fleet.refused(change, &[NO_SPACE, "journal"]);
        }
        assert!(fleet.ok(&["logs"]).err.is_empty());

        // One that crashes waits for the disk, says so, and is not given up because of it.
        fs::write(fleet.path("die"), "").unwrap();
        until("it waits for the disk", || afloat.message("goes").contains("cannot be recorded"));
        fs::remove_file(fleet.path("die")).unwrap();
        assert!(afloat.message("goes").contains(NO_SPACE), "{}", afloat.message("goes"));
        let why = fleet.orco(&["why", "goes"]);
        assert!(why.out.contains("cannot be recorded"), "{why:?}");
        assert!(!census::instances(&fleet.tag).contains_key("goes.0"), "nothing starts that cannot be recorded");
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(1500) {
            assert_ne!(fleet.service("goes")["state"], "Failed", "{}", afloat.message("goes"));
        }
        fleet.ok(&["stop", "other"]);
        until("what is stopped is gone", || !census::instances(&fleet.tag).contains_key("other.0"));
        assert!(census::alive(engine) && census::alive(keeper), "{}", fleet.daemon_log());

        // Another engine finds the disk as full.
        assert!(kill9(engine));
        until("another engine", || fleet.status().is_some());
        assert_eq!(fleet.service("steady")["instances"][0]["pid"].as_i64(), steady);
        fleet.refused(&["restart", "steady"], &[NO_SPACE]);
        until("it waits again", || afloat.message("goes").contains("cannot be recorded"));

        afloat.disk.free();
        let took = until("it goes on", || fleet.service("goes")["ready"] == true);
        assert!(took < promised(Duration::from_secs(2)), "{took:?}\n{}", fleet.daemon_log());
        until("meta.json is true again", || fleet.engine().is_some_and(|now| now != engine && census::alive(now)));
        fleet.ok(&["start", "other"]);
        assert_eq!(fleet.service("steady")["restarts"], 0);
        assert_eq!(fleet.service("steady")["instances"][0]["pid"].as_i64(), steady);
        figure(&format!("G29 round {round}: went on {took:?} after there was room"));

        afloat.fill();
        fleet.ok(&["down"]);
        assert_eq!(census::processes(&fleet.tag), [], "{}", fleet.daemon_log());
        afloat.disk.free();
        // Nothing of it stays in the way.
        fleet.ok(&["up", "-d", "--wait"]);
        fleet.down();
    }
}

/// Both are killed while the disk is full: what lives is taken over as soon as there is room, and not before a start
/// can be promised.
#[test]
fn killed_on_a_full_disk() {
    if !can("root, for a disk of its own", is_root()) {
        return;
    }
    let afloat = afloat();
    let fleet = &afloat.fleet;
    let steady = fleet.service("steady")["instances"][0]["pid"].as_i64();
    afloat.fill();
    fleet.kill_both();
    let refused = fleet.refused(&["up", "-d"], &[NO_SPACE]);
    assert_eq!(refused.code, Some(5));
    assert!(fleet.mains().iter().any(|(_, pid)| Some(i64::from(*pid)) == steady));
    afloat.disk.free();
    fleet.ok(&["up", "-d", "--wait"]);
    assert_eq!(fleet.service("steady")["instances"][0]["pid"].as_i64(), steady);
    fleet.down();
}
