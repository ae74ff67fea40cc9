//! G34: the wall clock jumps. Nobody is restarted, numbers rise, delays keep their length, and everything can be read.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use super::{can, custom};
use crate::fleet::{figure, promised, until};

const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

const SERVICES: &str = "
  steady: { command: [sleep, \"100000\"], health: { interval: 100ms, failureThreshold: 1, cmd: { command: [\"true\"] } } }
  talks: { shell: true, command: 'i=0; while :; do i=$$((i+1)); echo line $$i; sleep 0.02; done' }
  goes:
    shell: true
    command: 'echo begun; exec sleep 100000'
    restartPolicy: { maxRetries: unlimited, backoff: { min: 1s, max: 1s } }
";

#[test]
fn a_clock_that_jumps() {
    let library = LIBRARIES.iter().find(|library| Path::new(library).exists());
    if !can("libfaketime", library.is_some()) {
        return;
    }
    let mut fleet = custom(SERVICES);
    let time = fleet.path("time");
    // Renamed over, so that nobody reads half of it.
    let set = |text: &str| {
        fs::write(time.with_extension("next"), text).unwrap();
        fs::rename(time.with_extension("next"), &time).unwrap();
    };
    set("+0");
    fleet.env = vec![
        ("LD_PRELOAD".to_owned(), (*library.unwrap()).to_owned()),
        ("FAKETIME_TIMESTAMP_FILE".to_owned(), time.display().to_string()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
        ("FAKETIME_NO_CACHE".to_owned(), "1".to_owned()),
    ];
    fleet.ok(&["up", "-d", "--wait"]);
    let steady = |fleet: &crate::fleet::Fleet| -> Vec<_> {
        fleet.mains().into_iter().filter(|(seat, _)| !seat.starts_with("goes")).collect()
    };
    let before = steady(&fleet);
    assert_eq!(before.len(), 2);
    let mut restarts = 0;
    let mut worst = Duration::ZERO;
    for jump in ["-3600", "+3600", "+315360000", "@2039-01-01 00:00:00", "-3600", "+0"] {
        // One waits for its delay while the clock jumps.
        let goes = fleet.mains().into_iter().find(|(seat, _)| seat == "goes.0").unwrap().1;
        let begun = Instant::now();
        crate::fleet::kill9(goes);
        until("it waits", || fleet.service("goes")["waiting"]["reason"] == "backoff");
        set(jump);
        until("it is back", || fleet.service("goes")["ready"] == true);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(480), "{jump}: {took:?}");
        worst = worst.max(took);
        restarts += 1;
        assert_eq!(fleet.restarts(), restarts, "{jump}: {}", fleet.orco(&["events", "--tail", "20"]).out);
        assert_eq!(steady(&fleet), before, "{jump}");
        let age = fleet.ok(&["status"]);
        assert!(age.err.is_empty(), "{age:?}");
        // Also an engine that begins under the other time.
        let engine = fleet.engine().unwrap();
        crate::fleet::kill9(engine);
        until("another engine", || fleet.status().is_some() && fleet.engine() != Some(engine));
        assert_eq!(steady(&fleet), before, "{jump}");
        assert_eq!(fleet.restarts(), restarts, "{jump}");
    }
    let events = fleet.ok(&["events", "-o", "json"]).out;
    let seqs: Vec<u64> = events
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.len() > 10 && seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
    let lines = fleet.ok(&["logs", "talks", "-o", "raw"]).out;
    let numbers: Vec<u64> = lines.lines().filter_map(|l| l.strip_prefix("line ")?.parse().ok()).collect();
    assert!(numbers.len() > 20, "{}", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "lines are out of order or missing");
    let tail = fleet.ok(&["logs", "talks", "-o", "raw", "--tail", "3"]).out;
    assert_eq!(tail.lines().count(), 3);
    figure(&format!("G34: a delay of 1 s took at most {worst:?} whatever the clock did"));
    assert!(worst < promised(Duration::from_secs(3)), "{worst:?}");
    fleet.down();
}
