//! Hostile surroundings: what the whole program does when the machine gives it less than it wants.

mod clock;
mod damage;
mod descriptors;
mod full_disk;
mod herd;
mod memory;
mod paused;
mod processes;
mod race;
mod terminal;

use std::{
    fmt::Write as _,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    census,
    fleet::{Done, Fleet, kill9, until},
};

/// A fleet with these services (YAML, two spaces deep). Each has our marks.
pub fn custom(services: &str) -> Fleet {
    let fleet = Fleet::new(&[]);
    rewrite(&fleet, services);
    fleet
}

/// Replaces the stack file.
pub fn rewrite(fleet: &Fleet, services: &str) {
    let env = format!("{{ STORM_TAG: {}, STORM_SEAT: \"${{service}}.${{replica}}\" }}", fleet.tag);
    let head = format!("version: 0.1\nstack: {{ name: storm }}\ndefaults: {{ env: {env}, stop: {{ timeout: 3s }} }}\n");
    fs::write(fleet.path("stack.yaml"), format!("{head}services:\n{services}")).unwrap();
}

/// So many services that only stay.
pub fn sleepers(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "  s{n:04}: {{ command: [sleep, \"100000\"] }}");
        text
    })
}

/// Whether this test can run here; where everything must run, it must.
pub fn can(what: &str, able: bool) -> bool {
    let must = std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false" && ci != "0");
    assert!(able || !must, "{what} is missing");
    if !able {
        crate::fleet::figure(&format!("skipped: {what} is missing"));
    }
    able
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether a command can be run at all.
pub fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

impl Fleet {
    /// Kills engine and keeper, so that neither replaces the other.
    pub fn kill_both(&self) {
        let (engine, keeper) = (self.engine().unwrap(), self.keeper().unwrap());
        // Who is stopped cannot start another keeper.
        let _ = kill(Pid::from_raw(engine), Signal::SIGSTOP);
        kill9(keeper);
        kill9(engine);
        until("both are gone", || !census::alive(engine) && !census::alive(keeper));
    }

    /// One service of the status.
    pub fn service(&self, name: &str) -> Value {
        let status = self.status().unwrap_or_else(|| panic!("no status\n{}", self.daemon_log()));
        status["services"][name].clone()
    }

    /// Must fail, with these words.
    pub fn refused(&self, args: &[&str], words: &[&str]) -> Done {
        let done = self.orco(args);
        assert_ne!(done.code, Some(0), "{args:?}: {done:?}");
        for word in words {
            assert!(done.err.contains(word), "{args:?}: `{word}` is not in {done:?}");
        }
        done
    }

    /// Seat and main process of everything that lives.
    pub fn mains(&self) -> Vec<(String, i32)> {
        let all = census::processes(&self.tag).into_iter().filter(|p| p.pid == p.session);
        all.map(|p| (p.seat, p.pid)).collect()
    }

    /// The sum of all restarts.
    pub fn restarts(&self) -> u64 {
        let status = self.status().unwrap();
        status["services"].as_object().unwrap().values().map(|s| s["restarts"].as_u64().unwrap()).sum()
    }

    /// How long `status` takes.
    pub fn status_time(&self) -> Duration {
        let begun = Instant::now();
        assert!(self.status().is_some(), "no status\n{}", self.daemon_log());
        begun.elapsed()
    }
}

/// The time on a processor that this process has used.
pub fn cpu(pid: i32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    // User and system time, in hundredths of a second.
    let ticks: u64 = fields.skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
