//! G37: no process and no thread more can be made. A start then fails and is tried again, and everything answers.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use super::{can, custom, is_root, sleepers};
use crate::{
    census,
    fleet::{Fleet, figure, kill9, promised, until},
};

/// A user that nobody is: the limit counts all processes of a user.
const NOBODY: u32 = 64_321;

/// A fleet that belongs to that user, with a program that the user may run.
struct Theirs {
    fleet: Fleet,
    program: PathBuf,
}

impl Theirs {
    fn new(services: &str) -> Self {
        let fleet = custom(services);
        let program = fleet.path("orco");
        fs::copy(env!("CARGO_BIN_EXE_orco"), &program).unwrap();
        for path in [fleet.dir.path().to_owned(), fleet.path("stack.yaml")] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { fleet, program }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.fleet.dir.path()).env("ORCO_STATE_DIR", self.fleet.path("state"));
        command.uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
        command
    }

    /// Their daemon, under a limit of processes (threads count).
    fn limit(&self, limit: usize) {
        for pid in [self.fleet.keeper(), self.fleet.engine()].into_iter().flatten().filter(|pid| census::alive(*pid)) {
            // Their own process may do that; we may not, where root is not all-powerful.
            let mut command = Command::new("prlimit");
            command.args(["--pid", &pid.to_string(), &format!("--nproc={limit}:")]).uid(NOBODY).gid(NOBODY);
            assert!(command.status().unwrap().success());
        }
    }
}

#[test]
fn no_more_processes() {
    if !can("root, to be another user", is_root()) {
        return;
    }
    let restart = "], restartPolicy: { maxRetries: unlimited, backoff: { min: 50ms, max: 500ms } } }";
    let theirs = Theirs::new(&sleepers(20).replace("] }", restart));
    let fleet = &theirs.fleet;
    let up = theirs.command(&["up", "-d", "--wait"]).output().unwrap();
    assert!(up.status.success(), "{up:?}\n{}", fleet.daemon_log());
    let (engine, keeper) = (fleet.engine().unwrap(), fleet.keeper().unwrap());
    // As many as there are, and not one more.
    theirs.limit(1);
    let all = fleet.mains();
    assert_eq!(all.len(), 20);
    let victims: Vec<String> = (0..5).map(|n| format!("s{n:04}")).collect();
    for (seat, pid) in &all {
        if victims.iter().any(|victim| seat.starts_with(victim.as_str())) {
            kill9(*pid);
        }
    }
    let mut slowest = Duration::ZERO;
    until("all five say why", || {
        slowest = slowest.max(fleet.status_time());
        let status = fleet.status().unwrap();
        victims.iter().all(|victim| {
            let service = &status["services"][victim];
            service["message"].as_str().unwrap().contains("cannot make a process")
        })
    });
    let starts = |fleet: &Fleet| fleet.restarts();
    let before = starts(fleet);
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        slowest = slowest.max(fleet.status_time());
    }
    let tries = starts(fleet) - before;
    // Five services, at least 250 ms (half of 500) apart once the delay has grown.
    assert!(tries <= 5 * 12, "{tries} tries in two seconds: no backoff");
    assert!(slowest < promised(Duration::from_millis(500)), "{slowest:?}");
    // What needs a thread or a process answers or refuses, and nobody dies.
    for args in
        [&["logs", "--tail", "1"][..], &["events", "--tail", "1"], &["why", "s0000"], &["exec", "s0010", "true"]]
    {
        let _ = fleet.orco(args);
    }
    assert_eq!((fleet.engine(), fleet.keeper()), (Some(engine), Some(keeper)), "{}", fleet.daemon_log());
    assert!(census::alive(engine) && census::alive(keeper), "{}", fleet.daemon_log());
    assert_eq!(fleet.mains().len(), 15);
    figure(&format!("G37: slowest of many `status` {slowest:?}, {tries} tries of five services in two seconds"));

    // An engine that dies now cannot be replaced; as soon as it can be, it is.
    kill9(engine);
    until("the keeper has tried", || {
        fleet.daemon_log().contains("cannot start the engine") || fleet.status().is_some()
    });
    assert!(census::alive(keeper));
    assert_eq!(fleet.mains().len(), 15);
    theirs.limit(10_000);
    until("it serves", || fleet.status().is_some());
    theirs.limit(10_000);
    until("all run again", || fleet.mains().len() == 20);
    fleet.down();
}
