//! G5: many want to run one stack. One does, the others are told who, at once.

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{custom, sleepers};
use crate::fleet::{Fleet, figure, promised, rounds, until};

const RACERS: usize = 20;

fn race(fleet: &Fleet, args: &[&str]) -> Vec<(Child, Instant)> {
    let start = |_| {
        let mut command = fleet.command(args);
        (command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap(), Instant::now())
    };
    (0..RACERS).map(start).collect()
}

/// How a racer ended, and how long after it was told to run.
struct Finish {
    code: Option<i32>,
    err: String,
    took: Duration,
}

fn finish(mut child: Child, begun: Instant) -> Finish {
    use std::io::Read;
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Finish { code: child.wait().unwrap().code(), err, took: begun.elapsed() }
}

/// All but those that still run after all others have ended, each waited for at once.
fn losers(racers: Vec<(Child, Instant)>) -> Vec<Finish> {
    let threads: Vec<_> =
        racers.into_iter().map(|(child, begun)| std::thread::spawn(move || finish(child, begun))).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn of_twenty_daemons_one_runs() {
    let mut slowest = Duration::ZERO;
    let mut late = 0;
    let rounds = rounds(2);
    for round in 0..rounds {
        let fleet = custom(&sleepers(1));
        let mut racers = race(&fleet, &["daemon", "run"]);
        until("one serves", || fleet.status().is_some());
        let keeper = fleet.keeper().unwrap();
        let winner = racers.iter().position(|(child, _)| i64::from(child.id()) == i64::from(keeper));
        let winner = racers.swap_remove(winner.expect("the winner is one of them"));
        for end in losers(racers) {
            assert_eq!(end.code, Some(4), "round {round}: {}", end.err);
            let folder = fleet.dir.path().canonicalize().unwrap();
            assert!(end.err.contains("already runs: pid "), "{}", end.err);
            assert!(end.err.contains(folder.to_str().unwrap()), "{}", end.err);
            slowest = slowest.max(end.took);
            late += usize::from(end.took > Duration::from_millis(500));
        }
        // It serves before it has started anything.
        until("it is up", || fleet.service("s0000")["ready"] == true);
        let before = fleet.mains();
        assert_eq!(before.len(), 1, "{before:?}");
        // Nobody is in the way of the next, which takes over what lives.
        fleet.kill_both();
        let end = finish(winner.0, winner.1);
        assert_eq!(end.code, None, "{}", end.err);
        let mut next = fleet.command(&["daemon", "run"]).stderr(Stdio::null()).spawn().unwrap();
        until("the next serves", || fleet.status().is_some() && fleet.keeper() != Some(keeper));
        assert_eq!(fleet.mains(), before);
        kill(Pid::from_raw(i32::try_from(next.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert_eq!(next.wait().unwrap().code(), Some(0));
    }
    figure(&format!(
        "G5: {rounds} rounds, the slowest of all {RACERS} was refused after {slowest:?}, {late} after 500 ms"
    ));
}

/// A newcomer is refused within half a second, also when nineteen others come with it.
#[test]
fn who_comes_too_late_learns_it_at_once() {
    let fleet = custom(&sleepers(1));
    fleet.ok(&["up", "-d", "--wait"]);
    let pid = format!("pid {}", fleet.engine().unwrap());
    let ends = losers(race(&fleet, &["daemon", "run"]));
    let slowest = ends.iter().map(|end| end.took).max().unwrap();
    for end in &ends {
        assert_eq!(end.code, Some(4), "{}", end.err);
        assert!(end.err.contains(&pid), "{}", end.err);
    }
    figure(&format!("G5: of {RACERS} newcomers the slowest was refused after {slowest:?}"));
    assert!(slowest < promised(Duration::from_millis(500)), "{slowest:?}");
    fleet.down();
}

#[test]
fn of_twenty_detached_ups_one_starts_it() {
    let rounds = rounds(2);
    for round in 0..rounds {
        let fleet = custom(&sleepers(1));
        let ends = losers(race(&fleet, &["up", "-d"]));
        for end in &ends {
            assert_eq!(end.code, Some(0), "round {round}: {}\n{}", end.err, fleet.daemon_log());
        }
        let started = ends.iter().filter(|end| end.err.contains("runs under the daemon")).count();
        assert_eq!(started, 1, "round {round}");
        until("it is up", || fleet.service("s0000")["ready"] == true);
        let before = fleet.mains();
        assert_eq!(before.len(), 1, "{before:?}");
        fleet.kill_both();
        // The same race over what the dead have left.
        let ends = losers(race(&fleet, &["up", "-d"]));
        for end in &ends {
            assert_eq!(end.code, Some(0), "round {round}: {}\n{}", end.err, fleet.daemon_log());
        }
        assert_eq!(fleet.mains(), before);
        fleet.down();
    }
    figure(&format!("G5: {rounds} rounds of {RACERS} `up -d`"));
}
