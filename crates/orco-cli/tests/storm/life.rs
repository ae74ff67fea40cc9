//! One short life of a stack, with a crash in it: it comes up, is read, restarts, is upgraded and changed, and goes down.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::Duration,
};

use crate::{
    census,
    fleet::{Act, Done, Fleet, Ship},
    witness::{Reader, Watch, is_row},
};

/// When to die.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub point: &'static str,
    /// At this passing.
    pub hit: u32,
    /// So many engines, one after the other.
    pub times: u64,
    /// By SIGABRT instead of SIGKILL.
    pub abort: bool,
}

/// What is known of a life when it is over.
#[derive(Debug)]
pub struct Report {
    pub seen: BTreeSet<String>,
    pub strikes: u64,
    pub slowest: Duration,
    pub answers: u32,
}

/// Few services, so that hundreds of lives fit in a test.
fn ships(crash: Crash) -> Vec<Ship> {
    let mut ships = vec![
        Ship::new("base", Act::Probed),
        Ship::new("api", Act::Stay).after("base"),
        Ship::new("crash", Act::Crash),
        Ship::new("tree", Act::Tree),
        Ship::new("deaf", Act::Deaf),
        Ship::new("write", Act::Write),
        Ship::new("once", Act::Once).after("base"),
    ];
    // A full segment takes its time.
    if crash.point.starts_with("retain.") {
        ships.push(Ship::new("flood", Act::Fill));
    }
    // Much, so that files are rotated in a short life.
    if crash.point.starts_with("export.") {
        ships.push(Ship::new("stream", Act::Flood(20, 50)));
    }
    ships
}

struct Life {
    fleet: Fleet,
    struck: PathBuf,
    what: String,
}

impl Life {
    fn strikes(&self) -> u64 {
        fs::metadata(&self.struck).map_or(0, |meta| meta.len())
    }

    /// Runs a command that an engine may be lost in; whether it was done. What is not done has to be the crash's doing.
    fn attempt(&self, args: &[&str]) -> (bool, Done) {
        let before = self.strikes();
        let done = self.fleet.orco(args);
        let ok = done.code == Some(0);
        assert!(ok || self.strikes() > before, "{}: {args:?}: {done:?}\n{}", self.what, self.fleet.daemon_log());
        (ok, done)
    }

    /// Must succeed whatever happens.
    fn must(&self, args: &[&str]) {
        let done = self.fleet.orco(args);
        assert_eq!(done.code, Some(0), "{}: {args:?}: {done:?}\n{}", self.what, self.fleet.daemon_log());
    }

    /// The start; one that fails leaves nothing. Only an engine that ends by itself before it has started anything is
    /// a failed start: one that is killed is replaced.
    fn up(&self, crash: Crash) {
        for _ in 0..=crash.times {
            let (ok, done) = self.attempt(&["up", "-d"]);
            if ok {
                return;
            }
            assert!(crash.abort, "{}: {done:?}\n{}", self.what, self.fleet.daemon_log());
            let left = census::processes(&self.fleet.tag);
            assert!(left.is_empty(), "{}: a failed start has left {left:?}", self.what);
        }
        panic!("{}: it does not start\n{}", self.what, self.fleet.daemon_log());
    }

    fn pids_are(&self, pids: &BTreeMap<String, i32>, but: &str) {
        let now = self.fleet.steady();
        for (seat, pid) in pids.iter().filter(|(seat, _)| !seat.starts_with(but)) {
            assert_eq!(now.get(seat), Some(pid), "{}: {seat} was touched\n{}", self.what, self.fleet.daemon_log());
        }
    }

    /// Once in its order each, from the first to the last.
    fn lines_are_whole(&self, read: &[serde_json::Value]) {
        let number = |record: &serde_json::Value| record["msg"].as_str()?.strip_prefix("line ")?.parse().ok();
        let stdout = read.iter().filter(|record| record["source"] == "stdout");
        let followed: Vec<u64> = stdout.filter_map(number).collect();
        assert!(is_row(&followed, 1), "{}: lines are missing or doubled: {followed:?}", self.what);
        let wrote = fs::read_to_string(self.fleet.path("wrote")).unwrap().lines().count();
        assert!(followed.len() >= wrote, "{}: {wrote} lines were written, {} read", self.what, followed.len());
    }

    /// Every line once and in its order.
    fn export_is_whole(&self) {
        if self.fleet.logging.is_none() {
            return;
        }
        let text = self.fleet.exported(["stream"]);
        let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let numbers: Vec<u64> = records.map(|record| record["seq"].as_u64().unwrap()).collect();
        assert!(is_row(&numbers, 0), "{}: the export lacks lines or has them twice", self.what);
        let last = fs::read_to_string(self.fleet.path("last.stream.0")).unwrap();
        let printed: usize = last.trim().parse().unwrap();
        assert!(numbers.len() >= printed, "{}: {printed} lines were printed, {} exported", self.what, numbers.len());
    }

    /// On the disk and as they were read.
    fn events_are_whole(&self, read: &[serde_json::Value]) {
        let text = fs::read_to_string(self.fleet.state().unwrap().join("events.ndjson")).unwrap();
        let of = |event: &serde_json::Value| event["seq"].as_u64().unwrap();
        let written: Vec<u64> = text.lines().map(|line| of(&serde_json::from_str(line).unwrap())).collect();
        assert!(is_row(&written, 0), "{}: events are missing or doubled on the disk: {written:?}", self.what);
        let followed: Vec<u64> = read.iter().map(of).collect();
        assert!(is_row(&followed, 0), "{}: events are missing or doubled: {followed:?}", self.what);
        let (last, all) = (followed.len(), written.len());
        assert_eq!(last, all, "{}: the reader missed the last events\n{}", self.what, self.fleet.daemon_log());
    }

    /// No instance began twice, and a oneshot is done once.
    fn nothing_began_twice(&self, ships: &[Ship]) {
        for ship in ships {
            let starts = self.fleet.starts(&format!("{}.0", ship.name));
            let different: BTreeSet<&String> = starts.iter().collect();
            assert_eq!(different.len(), starts.len(), "{}: {} began twice: {starts:?}", self.what, ship.name);
            let most = match ship.act {
                Act::Crash => usize::MAX,
                // Restarted, and changed.
                _ if ship.name == "api" => 3,
                _ => 1,
            };
            assert!(starts.len() <= most, "{}: {} began {} times", self.what, ship.name, starts.len());
        }
    }
}

/// Lives it.
pub fn live(crash: Crash) -> Report {
    let ships = ships(crash);
    let mut fleet = Fleet::new(&ships);
    if crash.point.starts_with("export.") {
        fleet.logging = Some("{ directory: exported, maxFileSize: 4KiB }");
        fleet.write(&ships);
    }
    let struck = fleet.path("struck");
    let path = |name: &str| fleet.path(name).display().to_string();
    let mut env = vec![
        ("ORCO_CRASH".to_owned(), format!("{}:{}:{}", crash.point, crash.hit, crash.times)),
        ("ORCO_CRASH_STRUCK".to_owned(), path("struck")),
        ("ORCO_CRASH_SEEN".to_owned(), path("seen")),
    ];
    if crash.abort {
        env.push(("ORCO_CRASH_ABORT".to_owned(), "1".to_owned()));
    }
    fleet.env = env;
    let life = Life { fleet, struck, what: format!("{crash:?}") };
    let fleet = &life.fleet;

    life.up(crash);
    let logs = Reader::start(fleet, "logs", &["logs", "-f", "write", "-o", "json"]);
    let events = Reader::start(fleet, "events", &["events", "-f"]);
    let watch = Watch::start(fleet, "crash");
    fleet.settled(&ships);
    fleet.check(&ships);
    let steady = fleet.steady();

    let restarted = life.attempt(&["restart", "api"]).0;
    fleet.settled(&ships);
    fleet.check(&ships);
    life.pids_are(&steady, "api");
    let after = fleet.steady();
    assert!(!restarted || after["api.0"] != steady["api.0"], "{}: api was not restarted", life.what);

    let before = life.strikes();
    life.attempt(&["daemon", "upgrade"]);
    let failed = fleet.daemon_log().contains("did not serve");
    assert!(!failed || life.strikes() > before, "{}: the next engine failed\n{}", life.what, fleet.daemon_log());
    fleet.settled(&ships);
    life.pids_are(&after, "nothing");

    let mut changed = ships.clone();
    changed[1].paint = 1;
    changed.push(Ship::new("more", Act::Stay));
    fleet.write(&changed);
    life.must(&["apply", "--wait"]);
    fleet.settled(&changed);
    fleet.check(&changed);
    life.pids_are(&after, "api");
    assert_ne!(fleet.steady()["api.0"], after["api.0"], "{}: api was not changed", life.what);

    let seen = watch.end();
    assert!(seen.wrong.is_empty(), "{}: {:?}\n{}", life.what, seen.wrong, fleet.daemon_log());
    life.must(&["down"]);
    fleet.check(&[]);
    assert_eq!(fleet.orco(&["status"]).code, Some(3), "{}: it is down", life.what);
    life.lines_are_whole(&logs.end());
    life.events_are_whole(&events.end());
    life.export_is_whole();
    life.nothing_began_twice(&changed);
    let passed = fs::read_to_string(fleet.path("seen")).unwrap_or_default();
    Report {
        seen: passed.lines().map(str::to_owned).collect(),
        strikes: life.strikes(),
        slowest: seen.slowest,
        answers: seen.answers,
    }
}
