//! G11 and what users do to a starting stack: suspend it, interrupt it once or twice, close the terminal.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{custom, sleepers};
use crate::{
    census,
    fleet::{Fleet, figure, rounds, until},
};

/// In a process group of its own, as a shell starts it.
fn start(fleet: &Fleet, args: &[&str]) -> Child {
    fleet.command(args).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap()
}

/// To the whole group, as a terminal does it.
fn signal(child: &Child, signal: Signal) {
    let _ = kill(Pid::from_raw(-i32::try_from(child.id()).unwrap()), signal);
}

/// Waits for its end, or kills it and fails.
fn end(child: &mut Child, context: &str) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{context}: it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A number from 0 to `below`, different each time.
fn dice(round: usize, below: u64) -> u64 {
    let mut x = (round as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 33) % below
}

fn nothing_is_left(fleet: &Fleet, context: &str) {
    let left = || census::processes(&fleet.tag);
    let begun = Instant::now();
    while !left().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{context}: {:?}", left());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn suspended_and_resumed_it_is_never_stuck() {
    let rounds = rounds(20);
    let mut slowest = Duration::ZERO;
    for args in [&["up", "-d", "--wait"][..], &["up"]] {
        for round in 0..rounds.div_ceil(10) {
            let fleet = custom(&sleepers(30));
            let mut child = start(&fleet, args);
            for pair in 0..10 {
                std::thread::sleep(Duration::from_millis(dice(round * 10 + pair, 20)));
                signal(&child, Signal::SIGTSTP);
                std::thread::sleep(Duration::from_millis(dice(round * 10 + pair + 7, 10)));
                signal(&child, Signal::SIGCONT);
            }
            let begun = Instant::now();
            let context = format!("{args:?}, round {round}");
            until(&format!("all is up: {context}"), || {
                let status = fleet.status();
                status.is_some_and(|s| s["services"].as_object().unwrap().values().all(|s| s["ready"] == true))
            });
            slowest = slowest.max(begun.elapsed());
            if args.len() == 1 {
                signal(&child, Signal::SIGINT);
                assert_eq!(end(&mut child, &context), Some(130));
            } else {
                assert_eq!(end(&mut child, &context), Some(0));
                fleet.down();
            }
            nothing_is_left(&fleet, &context);
        }
    }
    figure(&format!("G11: {rounds} pairs in each mode, at most {slowest:?} until all 30 were up"));
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

/// Scenario 24 of the user stories: at any moment, however often, and the terminal too.
#[test]
fn interrupted_at_any_moment() {
    let rounds = rounds(10);
    let deaf =
        "  deaf: { shell: true, command: \"trap '' TERM; while :; do sleep 0.05; done\", stop: { timeout: 1s } }\n";
    for round in 0..rounds {
        let fleet = custom(&(sleepers(5) + deaf));
        for (how, signals) in [
            ("once", &[Signal::SIGINT][..]),
            ("twice", &[Signal::SIGINT, Signal::SIGINT]),
            ("terminal closed", &[Signal::SIGHUP]),
        ] {
            let context = format!("up, round {round}, {how}");
            let mut child = start(&fleet, &["up"]);
            std::thread::sleep(Duration::from_millis(dice(round, 600)));
            for (nth, s) in signals.iter().enumerate() {
                if nth > 0 {
                    std::thread::sleep(Duration::from_millis(dice(round + 100, 100)));
                }
                signal(&child, *s);
            }
            let code = end(&mut child, &context);
            // Killed before it could catch the signal: no code.
            let expected =
                if how == "terminal closed" { &[Some(130), Some(0), Some(129), None][..] } else { &[Some(130), None] };
            assert!(expected.contains(&code), "{context}: {code:?}");
            nothing_is_left(&fleet, &context);
        }
        // `up -d`: whoever is interrupted leaves a daemon that runs, or nothing at all.
        for s in [Signal::SIGINT, Signal::SIGHUP] {
            let context = format!("up -d, round {round}, {s}");
            let mut child = start(&fleet, &["up", "-d", "--wait"]);
            std::thread::sleep(Duration::from_millis(dice(round + 50, 300)));
            signal(&child, s);
            let _ = end(&mut child, &context);
            // The next start needs no help, and there is one of each.
            fleet.ok(&["up", "-d", "--wait"]);
            assert_eq!(fleet.mains().len(), 6, "{context}: {:?}", fleet.mains());
            fleet.down();
            nothing_is_left(&fleet, &context);
        }
    }
    figure(&format!("users 24: {rounds} moments, five ways each"));
}
