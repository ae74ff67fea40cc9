//! The terminal UI in a real terminal.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    bench::{Bench, is_alive, pid, signal, sleeper, until},
    tmux::Tmux,
};

fn two() -> Bench {
    let api = "  api: { command: [sh, -c, \"echo api speaks; exec sleep 1000\"], dependsOn: [db] }\n";
    Bench::new(&format!("{}{api}", sleeper("db")))
}

/// The terminal UIs that show this stack.
fn viewers(bench: &Bench) -> Vec<i32> {
    let here = bench.dir.path().canonicalize().unwrap();
    let is_ours = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).collect();
        words.get(1) == Some(&&b"tui"[..])
            && std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == here)
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
}

fn pids(bench: &Bench) -> [i32; 2] {
    ["db", "api"].map(|name| pid(&bench.service(name)))
}

fn engine(bench: &Bench) -> i32 {
    let all: Value = bench.json(&["ls", "-o", "json"]);
    i32::try_from(all[0]["pid"].as_i64().unwrap()).unwrap()
}

#[test]
fn up_look_restart_and_quit() {
    let bench = two();
    let Some(tmux) = Tmux::open(&bench, 100, 30) else { return };
    tmux.orco("up");
    tmux.until("all runs", |text| text.contains("● 2 Running") && text.contains("api speaks"));
    let before = pids(&bench);
    // The second service, with a question.
    tmux.keys(&["Down", "Down", "r"]);
    tmux.until("asked", |text| text.contains("restart api, one replica at a time? (y/n)"));
    tmux.keys(&["y"]);
    tmux.until("done", |text| text.contains("restart api: done"));
    let after = pids(&bench);
    assert_eq!(after[0], before[0]);
    assert_ne!(after[1], before[1]);
    // Whatever its size.
    for (width, height) in [(40, 10), (20, 3), (200, 60), (80, 24)] {
        tmux.resize(width, height);
        tmux.until("drawn", |text| text.contains("api") || height < 4);
    }
    tmux.keys(&["q"]);
    tmux.until("asked", |text| text.contains("quit, and stop all of demo? (y/n)"));
    tmux.keys(&["y"]);
    let text = tmux.until_back(130);
    assert!(text.contains("everything is down"), "{text}");
    assert!(after.iter().all(|pid| !is_alive(*pid)));
    assert_eq!(bench.orco(&["status"]).code, Some(3));
}

#[test]
fn a_second_ctrl_c_kills() {
    let stubborn = "  stubborn: { command: [sh, -c, \"trap '' TERM; echo here; while :; do sleep 1; done\"], stop: { timeout: 100s } }\n";
    let bench = Bench::new(stubborn);
    let Some(tmux) = Tmux::open(&bench, 100, 30) else { return };
    tmux.orco("up");
    tmux.until("it runs", |text| text.contains("● 1 Running") && text.contains("here"));
    tmux.keys(&["C-c"]);
    tmux.until("progress", |text| text.contains("0 of 1 stopped") && text.contains("killed in"));
    tmux.keys(&["C-c"]);
    tmux.until_back(130);
}

#[test]
fn what_failed_is_told_after_the_screen() {
    let bench = Bench::new("  bad: { command: [sh, -c, \"exit 7\"], restartPolicy: { maxRetries: 0 } }\n");
    let Some(tmux) = Tmux::open(&bench, 100, 30) else { return };
    tmux.orco("up");
    let text = tmux.until_back(1);
    assert!(text.contains("bad") && text.contains("exit code 7"), "{text}");
}

#[test]
fn that_all_has_completed_is_told_after_the_screen() {
    let bench = Bench::new("  once: { kind: oneshot, command: [sh, -c, \"echo done\"] }\n");
    let Some(tmux) = Tmux::open(&bench, 100, 30) else { return };
    tmux.orco("up --theme light");
    let text = tmux.until_back(0);
    assert!(text.contains("everything has completed"), "{text}");
}

#[test]
fn lines_where_they_are_wanted() {
    let bench = two();
    let Some(tmux) = Tmux::open(&bench, 100, 30) else { return };
    tmux.orco("up --no-tui");
    tmux.until("lines", |text| text.contains("api/0 | api speaks"));
    tmux.keys(&["C-c"]);
    tmux.until_back(130);
    // A terminal that cannot be drawn on.
    tmux.keys(&["clear; export TERM=dumb", "Enter"]);
    tmux.orco("up");
    tmux.until("lines", |text| text.contains("api/0 | api speaks"));
    tmux.keys(&["C-c"]);
    tmux.until_back(130);
    tmux.orco("tui");
    let text = tmux.until_back(2);
    assert!(text.contains("the terminal UI needs a terminal that can be drawn on"), "{text}");
}

#[test]
fn viewers_come_and_go_and_change_nothing() {
    let bench = two();
    let (Some(first), Some(second)) = (Tmux::open(&bench, 100, 30), Tmux::open(&bench, 60, 15)) else { return };
    assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
    let before = pids(&bench);
    first.job("tui --read-only");
    first.until("seen", |text| text.contains("● 2 Running") && text.contains("read-only"));
    second.orco("tui");
    second.until("seen", |text| text.contains("● 2 Running"));
    first.keys(&["Down", "S"]);
    first.until("refused", |text| text.contains("read-only: nothing can be changed here"));

    // Killed, ended by a signal, suspended, detached.
    let all = viewers(&bench);
    assert_eq!(all.len(), 2);
    first.keys(&["C-z"]);
    first.until("the shell", |text| text.contains("Stopped"));
    first.keys(&["fg", "Enter"]);
    first.until("seen again", |text| text.contains("● 2 Running"));
    first.keys(&["d"]);
    first.until("the shell", |text| !text.contains("● 2 Running"));
    first.keys(&["echo code=$?", "Enter"]);
    first.until_back(0);
    let last = viewers(&bench);
    assert_eq!(last.len(), 1);
    signal(last[0], Signal::SIGTERM);
    second.until_back(0);
    second.keys(&["clear", "Enter"]);
    second.orco("tui");
    second.until("seen", |text| text.contains("● 2 Running"));
    signal(viewers(&bench)[0], Signal::SIGKILL);
    until("it is gone", || viewers(&bench).is_empty());
    assert_eq!(pids(&bench), before);
    assert_eq!(bench.orco(&["down"]).code, Some(0));
}

#[test]
fn a_terminal_that_takes_nothing_does_not_hold_up_the_end() {
    for how in ["tui", "up"] {
        // No frame is like the one before.
        let lines = "i=0; while :; do i=$((i+1)); seq -f $i$i$i$i$i$i$i$i$i$i%g 1 60; sleep 0.05; done";
        let bench = Bench::new(&format!("  loud: {{ command: [sh, -c, \"{lines}\"] }}\n"));
        let Some(tmux) = Tmux::open(&bench, 200, 60) else { return };
        if how == "tui" {
            assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
        }
        tmux.orco(how);
        tmux.until("seen", |text| text.contains("● 1 Running") && text.contains("loud/0 │"));
        let pid = if how == "tui" { viewers(&bench)[0] } else { engine(&bench) };
        tmux.hang();
        until_it_is_stuck(pid);
        signal(pid, Signal::SIGTERM);
        until("it is gone", || !is_alive(pid));
        tmux.go_on();
        // What was under way may have swallowed the first word of the shell. The next one shows that Enter ends a line.
        tmux.keys(&["C-u", "clear; echo back=$?", "Enter"]);
        tmux.until("the shell", |text| text.contains("back=0"));
        assert_eq!(bench.orco(&["down"]).code, Some(if how == "tui" { 0 } else { 3 }));
    }
}

/// Until it has written all that its terminal holds for it, and waits.
fn until_it_is_stuck(pid: i32) {
    let written = || std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap().lines().nth(1).unwrap().to_owned();
    let mut last = (written(), Instant::now());
    until("it is stuck", || {
        let now = written();
        if now != last.0 {
            last = (now, Instant::now());
        }
        last.1.elapsed() > Duration::from_secs(2)
    });
}

#[test]
fn a_lost_engine_is_told_and_its_successor_found() {
    let bench = two();
    let Some(tmux) = Tmux::open(&bench, 100, 30) else { return };
    assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
    tmux.orco("tui");
    tmux.until("seen", |text| text.contains("● 2 Running"));
    let (old, before) = (engine(&bench), pids(&bench));
    signal(old, Signal::SIGSTOP);
    signal(old, Signal::SIGKILL);
    until("another engine", || bench.orco(&["status"]).code == Some(0) && engine(&bench) != old);
    tmux.until("live again", |text| text.contains("● 2 Running") && !text.contains("STALE"));
    assert_eq!(pids(&bench), before);
    // It is no picture of the past: what happens now is seen.
    assert_eq!(bench.orco(&["stop", "api"]).code, Some(0));
    tmux.until("stopped", |text| text.contains("■ 1 Stopped"));
    assert_eq!(bench.orco(&["down"]).code, Some(0));
    tmux.until("the word", |text| text.contains("the stack `demo` is down"));
    tmux.until_back(0);
}

#[test]
fn without_a_terminal_it_says_so() {
    let bench = two();
    let done = bench.orco(&["tui"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("needs a terminal"), "{done:?}");
}
