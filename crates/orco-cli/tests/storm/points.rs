//! G3: the engine dies at each named moment, at its first to fifth passing, while the stack comes up, restarts, crashes,
//! is changed, is read and goes down. Whatever it was: nothing runs twice, nothing is lost, and it goes on.

use std::{collections::BTreeSet, fs, process::Stdio};

use orco_core::crash::POINTS;

use crate::fleet::{Act, Fleet, Ship, figure, until};

/// Few services, so that hundreds of lives fit in a test.
fn ships() -> Vec<Ship> {
    vec![
        Ship::new("base", Act::Stay),
        Ship::new("api", Act::Stay).after("base"),
        Ship::new("crash", Act::Crash),
        Ship::new("tree", Act::Tree),
        Ship::new("write", Act::Write),
        Ship::new("once", Act::Once).after("base"),
    ]
}

/// One life with a crash in it. Returns the points that were passed.
fn live(point: &str, hit: u32) -> BTreeSet<String> {
    let ships = ships();
    let mut fleet = Fleet::new(&ships);
    let path = |name: &str| fleet.path(name).display().to_string();
    fleet.env = vec![
        ("ORCO_CRASH".to_owned(), format!("{point}:{hit}")),
        ("ORCO_CRASH_ONCE".to_owned(), path("struck")),
        ("ORCO_CRASH_SEEN".to_owned(), path("seen")),
    ];
    let context = format!("crash at {point}, hit {hit}");
    // The first engine may die before it serves: that is a failed start, and the next try succeeds.
    let mut started = fleet.orco(&["up", "-d"]);
    if started.code != Some(0) {
        assert!(fleet.path("struck").exists(), "{context}: {started:?}\n{}", fleet.daemon_log());
        started = fleet.orco(&["up", "-d"]);
    }
    assert_eq!(started.code, Some(0), "{context}: {started:?}\n{}", fleet.daemon_log());
    let mut reader = fleet
        .command(&["logs", "-f", "write", "-o", "json"])
        .stdout(fs::File::create(fleet.path("read")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    fleet.settled(&ships);
    fleet.check(&ships);
    let steady = fleet.steady();
    let _ = fleet.orco(&["restart", "api"]);
    fleet.settled(&ships);
    fleet.check(&ships);

    let mut changed = ships.clone();
    changed[1].paint = 1;
    changed.push(Ship::new("more", Act::Stay));
    fleet.write(&changed);
    until("the change is taken", || fleet.orco(&["apply", "--wait"]).code == Some(0));
    fleet.settled(&changed);
    fleet.check(&changed);
    let now = fleet.steady();
    for (seat, pid) in steady.iter().filter(|(seat, _)| !seat.starts_with("api")) {
        assert_eq!(now.get(seat), Some(pid), "{context}: {seat} was not to be touched\n{}", fleet.daemon_log());
    }
    assert_eq!(fleet.starts("once.0").len(), 1, "{context}: a oneshot ran again");

    // A daemon that dies on the way down is restarted and goes on with it.
    let _ = fleet.orco(&["down"]);
    until("all is down", || fleet.orco(&["down"]).code.is_some_and(|code| code == 0 || code == 3));
    until("the reader ends", || reader.try_wait().unwrap().is_some());
    fleet.check(&[]);
    lines_are_whole(&fs::read_to_string(fleet.path("read")).unwrap(), &context);
    let seen = fs::read_to_string(fleet.path("seen")).unwrap_or_default();
    seen.lines().map(str::to_owned).collect()
}

/// Every line once and in order, as far as it was read.
fn lines_are_whole(text: &str, context: &str) {
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let numbers: Vec<u64> = records
        .filter(|record| record["source"] == "stdout")
        .map(|record| record["msg"].as_str().unwrap().strip_prefix("line ").unwrap().parse().unwrap())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{context}: lines are missing or doubled");
}

/// The daily run strikes each point once, at a hit that differs from point to point; all five with `ORCO_ROUNDS=5`.
#[test]
fn whatever_it_was_doing_the_next_one_goes_on() {
    let full = std::env::var("ORCO_ROUNDS").is_ok();
    let mut seen = BTreeSet::new();
    let mut lives = 0;
    for (index, point) in POINTS.iter().enumerate() {
        let hits: Vec<u32> = if full { (1..=5).collect() } else { vec![u32::try_from(index % 2).unwrap() + 1] };
        for hit in hits {
            seen.extend(live(point, hit));
            lives += 1;
        }
    }
    let missed: Vec<_> = POINTS.iter().filter(|point| !seen.contains(**point)).collect();
    assert!(missed.is_empty(), "never passed: {missed:?}");
    figure(&format!("G3: {lives} lives, all {} points passed", POINTS.len()));
}
