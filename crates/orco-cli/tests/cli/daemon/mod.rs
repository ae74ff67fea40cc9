//! Stacks under the daemon.

mod changes;
mod deaths;
mod detached;
mod one_manager;
mod said;
mod service_manager;
mod slow_down;
mod upgrade;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::bench::{Bench, Done, is_alive, signal, until};

/// Sees to it that nothing of a stack is left when the test ends, however it ends.
pub struct Detached<'a> {
    pub bench: &'a Bench,
    file: PathBuf,
}

impl<'a> Detached<'a> {
    /// For the bench's own stack file.
    pub fn of(bench: &'a Bench) -> Self {
        Self::file(bench, "stack.yaml")
    }

    pub fn file(bench: &'a Bench, file: &str) -> Self {
        Self { bench, file: bench.dir.path().canonicalize().unwrap().join(file) }
    }

    /// `up -d --wait` that must succeed.
    pub fn up(bench: &'a Bench) -> Self {
        let this = Self::of(bench);
        let done = bench.orco(&["up", "-d", "--wait"]);
        assert_eq!(done.code, Some(0), "{done:?}\n{}", this.log());
        this
    }

    pub fn state(&self) -> PathBuf {
        let states = fs::read_dir(self.bench.dir.path().join("state")).unwrap().flatten().map(|e| e.path());
        let found = states.filter(|dir| meta(dir).is_some_and(|meta| meta["file"] == self.file.to_str().unwrap()));
        found.last().expect("a state directory")
    }

    pub fn meta(&self) -> Value {
        meta(&self.state()).unwrap()
    }

    pub fn engine(&self) -> i32 {
        number(&self.meta()["pid"]).expect("an engine")
    }

    pub fn keeper(&self) -> i32 {
        number(&self.meta()["keeper_pid"]).expect("a keeper")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.state().join("daemon.log")).unwrap_or_default()
    }

    pub fn down(&self) {
        let done = self.bench.orco(&["down", "-f", self.file.to_str().unwrap()]);
        assert_eq!(done.code, Some(0), "{done:?}\n{}", self.log());
    }

    /// Kills engine and keeper at once.
    pub fn kill_both(&self) {
        let (engine, keeper) = (self.engine(), self.keeper());
        // The keeper would start another engine, and who is stopped cannot start another keeper.
        signal(engine, Signal::SIGSTOP);
        signal(keeper, Signal::SIGKILL);
        signal(engine, Signal::SIGKILL);
        until("both are gone", || !is_alive(engine) && !is_alive(keeper));
    }
}

fn meta(state: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(state.join("meta.json")).ok()?).ok()
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().map(|n| i32::try_from(n).unwrap())
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        let down = || self.bench.orco(&["down", "--timeout", "1s", "-f", self.file.to_str().unwrap()]);
        // One that hangs must not keep us from clearing up.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(down));
        // Whatever of it is left by now, and nobody else, has the folder of this test in its environment or arguments.
        for (pid, _) in marked(self.bench.dir.path().to_str().unwrap()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Those alive (a zombie is not) with this text in their arguments or their environment: pid and arguments.
pub fn marked(text: &str) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let read =
            |file: &str| String::from_utf8_lossy(&fs::read(entry.path().join(file)).unwrap_or_default()).into_owned();
        let line = read("cmdline");
        if is_alive(pid) && (line.contains(text) || read("environ").contains(text)) {
            found.push((pid, line.replace('\0', " ")));
        }
    }
    found
}

/// The pids of all instances, by service and replica.
pub fn pids(bench: &Bench) -> Vec<(String, i32)> {
    pids_of(&bench.json(&["status", "-o", "json"]))
}

pub fn pids_of(status: &Value) -> Vec<(String, i32)> {
    let services = status["services"].as_object().unwrap();
    let instances =
        services.iter().flat_map(|(name, s)| s["instances"].as_array().unwrap().iter().map(move |i| (name, i)));
    instances.filter_map(|(name, i)| Some((format!("{name}/{}", i["replica"]), number(&i["pid"])?))).collect()
}

/// Runs to the end, and must not take longer.
pub fn within(limit: Duration, bench: &Bench, args: &[&str]) -> Done {
    let begun = Instant::now();
    let done = bench.orco(args);
    assert!(begun.elapsed() < limit, "{args:?} took {:?}: {done:?}", begun.elapsed());
    done
}
