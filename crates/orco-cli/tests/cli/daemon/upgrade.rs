//! `daemon upgrade`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{Detached, pids};
use crate::bench::{Bench, Done, finish, is_alive, pid, sleeper, until};

/// A copy of this program that can be replaced.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn new(bench: &Bench) -> Self {
        let this = Self { path: bench.dir.path().join("bin/orco") };
        fs::create_dir_all(this.path.parent().unwrap()).unwrap();
        this.replace(|next| assert!(fs::copy(env!("CARGO_BIN_EXE_orco"), next).unwrap() > 0));
        this
    }

    /// As a package manager does it: the new one beside it, then renamed over it.
    fn replace(&self, write: impl FnOnce(&Path)) {
        let next = self.path.with_extension("next");
        write(&next);
        fs::set_permissions(&next, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&next, &self.path).unwrap();
    }

    fn script(&self, text: &str) {
        self.replace(|next| fs::write(next, text).unwrap());
    }

    fn orco(&self, bench: &Bench, args: &[&str]) -> Done {
        let mut command = std::process::Command::new(&self.path);
        command.args(args).current_dir(bench.dir.path()).env("ORCO_STATE_DIR", bench.dir.path().join("state"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        finish(child, args)
    }
}

#[test]
fn a_new_engine_takes_over_and_no_service_notices() {
    let bench = Bench::new(&(sleeper("db") + "  api: { command: [sleep, \"1000\"], replicas: 2, dependsOn: [db] }\n"));
    let copy = Copy::new(&bench);
    let daemon = Detached::of(&bench);
    let up = copy.orco(&bench, &["up", "-d", "--wait"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let before = pids(&bench);
    for _ in 0..2 {
        let (engine, keeper) = (daemon.engine(), daemon.keeper());
        copy.replace(|next| assert!(fs::copy(env!("CARGO_BIN_EXE_orco"), next).unwrap() > 0));
        let upgrade = bench.orco(&["daemon", "upgrade"]);
        assert_eq!(upgrade.code, Some(0), "{upgrade:?}\n{}", daemon.log());
        let version = env!("CARGO_PKG_VERSION");
        assert!(upgrade.err.contains(&format!("orco {version} -> {version}")), "{}", upgrade.err);
        assert_ne!(daemon.engine(), engine);
        assert_eq!(daemon.keeper(), keeper);
        assert!(!is_alive(engine));
        assert_eq!(pids(&bench), before);
    }
    daemon.down();
}

#[test]
fn what_cannot_take_over_is_refused_or_gives_way() {
    let bench = Bench::new(&sleeper("a"));
    let copy = Copy::new(&bench);
    let daemon = Detached::of(&bench);
    let up = copy.orco(&bench, &["up", "-d", "--wait"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let before = pids(&bench);
    let engine = daemon.engine();
    for (script, why) in [
        ("#!/bin/sh\nexit 7\n", "it failed (exit status: 7)"),
        ("#!/bin/sh\necho '{\"orco\":\"9.0.0\",\"keeper\":[99],\"journal\":[1]}'\n", "does not know keeper protocol"),
        ("no program at all", "cannot take over"),
    ] {
        copy.script(script);
        let refused = bench.orco(&["daemon", "upgrade"]);
        assert_eq!(refused.code, Some(1), "{script}: {refused:?}");
        assert!(refused.err.contains(why), "{script}: {}", refused.err);
        assert_eq!(daemon.engine(), engine);
    }
    // One that answers well and then fails: the old program comes back.
    let real = env!("CARGO_BIN_EXE_orco");
    copy.script(&format!("#!/bin/sh\n[ \"$3\" = --check ] && exec {real} \"$@\"\nexit 1\n"));
    let failed = bench.orco(&["daemon", "upgrade"]);
    assert_eq!(failed.code, Some(1), "{failed:?}\n{}", daemon.log());
    assert!(failed.err.contains("did not come up"), "{}", failed.err);
    until("the old one answers", || bench.orco(&["status"]).code == Some(0));
    assert_eq!(pids(&bench), before);
}

/// Whoever waits for the end of a command is told it by the engine that sees it, and no earlier.
#[test]
fn who_waits_for_a_command_waits_on_at_the_next_engine() {
    let slow = |text: &str| {
        let script = format!("trap 'sleep 2; exit 0' TERM; echo {text}; while :; do sleep 0.01; done");
        format!("  slow: {{ command: [sh, -c, \"{script}\"], stop: {{ timeout: 20s }} }}\n")
    };
    let bench = Bench::new(&slow("one"));
    let daemon = Detached::up(&bench);
    let traps = |runs: usize| {
        // The shell may say of what it waited for that it was terminated.
        let said = || bench.orco(&["logs", "slow", "-o", "raw"]).out;
        until("the trap is set", || said().lines().filter(|line| matches!(*line, "one" | "two")).count() == runs);
    };
    let upgraded = |args: &[&str]| {
        let before = pid(&bench.service("slow"));
        let mut command = bench.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        bench.until("slow", "stopping", |s| s["state"] == "Stopping");
        let upgrade = bench.orco(&["daemon", "upgrade"]);
        assert_eq!(upgrade.code, Some(0), "{args:?}: {upgrade:?}\n{}", daemon.log());
        assert!(is_alive(before), "{args:?}: the upgrade took longer than the stop, and this shows nothing");
        let done = finish(child, args);
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}\n{}", daemon.log());
        assert!(!is_alive(before), "{args:?}: said to be done, and goes on: {done:?}");
    };
    traps(1);
    upgraded(&["restart", "slow"]);
    let slow_now = bench.service("slow");
    assert_eq!(slow_now["ready"], true, "{slow_now}");
    traps(2);
    bench.write("stack.yaml", &crate::bench::stack("demo", &slow("two")));
    upgraded(&["apply", "--wait"]);
    assert_eq!(bench.service("slow")["ready"], true);
    traps(3);
    upgraded(&["stop", "slow"]);
    assert_eq!(bench.service("slow")["state"], "Stopped");
    assert_eq!(bench.orco(&["start", "slow"]).code, Some(0));
    traps(4);
    let mut down = bench.command(&["down"]);
    let down = down.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    bench.until("slow", "stopping", |s| s["state"] == "Stopping");
    let refused = bench.orco(&["daemon", "upgrade"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("on its way down"), "{}", refused.err);
    assert_eq!(finish(down, &["down"]).code, Some(0));
}

#[test]
fn of_several_upgrades_at_once_none_breaks() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::up(&bench);
    let before = pids(&bench);
    let upgrade = |_| {
        let mut command = bench.command(&["daemon", "upgrade"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let all: Vec<_> = (0..5).map(upgrade).collect();
    let ends: Vec<Done> = all.into_iter().map(|child| finish(child, &["daemon", "upgrade"])).collect();
    assert!(ends.iter().any(|end| end.code == Some(0)), "{ends:?}\n{}", daemon.log());
    for end in ends.iter().filter(|end| end.code != Some(0)) {
        assert!(end.err.contains("another upgrade is under way"), "{end:?}\n{}", daemon.log());
    }
    assert_eq!(pids(&bench), before);
    daemon.down();
}

#[test]
fn only_a_daemon_can_be_upgraded() {
    let bench = Bench::new(&sleeper("a"));
    assert_eq!(bench.orco(&["daemon", "upgrade"]).code, Some(3));
    let _up = bench.up(&[]);
    let refused = bench.orco(&["daemon", "upgrade"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("only a stack under the daemon"), "{}", refused.err);
    assert!(!refused.err.contains("next:"), "no other program would help: {}", refused.err);
}
