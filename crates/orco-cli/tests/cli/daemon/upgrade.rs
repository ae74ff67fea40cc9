//! `daemon upgrade`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{Detached, pids};
use crate::bench::{Bench, Done, finish, is_alive, sleeper, until};

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

#[test]
fn only_a_daemon_can_be_upgraded() {
    let bench = Bench::new(&sleeper("a"));
    assert_eq!(bench.orco(&["daemon", "upgrade"]).code, Some(3));
    let _up = bench.up(&[]);
    let refused = bench.orco(&["daemon", "upgrade"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("only a stack under the daemon"), "{}", refused.err);
}
