//! kill -9 of engine, keeper, or both, found among the processes and not by what they have written down.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{dice::Dice, fleet::Fleet};

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom {
    Engine,
    Keeper,
    Both,
}

/// The processes that hold a stack.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Holders {
    pub engines: Vec<i32>,
    pub keepers: Vec<i32>,
}

/// Who holds this fleet now; of zombies nobody.
pub fn holders(fleet: &Fleet) -> Holders {
    let mut found = Holders::default();
    let pids = fs::read_dir("/proc").unwrap().flatten();
    for pid in pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        match role(pid, fleet) {
            Some(Whom::Engine) => found.engines.push(pid),
            Some(Whom::Keeper) => found.keepers.push(pid),
            Some(Whom::Both) | None => {}
        }
    }
    found
}

fn role(pid: i32, fleet: &Fleet) -> Option<Whom> {
    // A zombie has no arguments any more.
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0);
    let whom = match (words.next()?, words.next()?, words.next()?) {
        (b"orco-keeper", ..) => Whom::Keeper,
        (_, b"daemon", b"engine") => Whom::Engine,
        _ => return None,
    };
    let ours = [b"ORCO_STATE_DIR=", state(&fleet.path("state"))].concat();
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environ.split(|byte| *byte == 0).any(|variable| variable == ours).then_some(whom)
}

fn state(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn send(pids: &[i32], signal: Signal) {
    for pid in pids {
        let _ = kill(Pid::from_raw(*pid), signal);
    }
}

/// Kills; the moment, or `None` if there was nobody to kill.
pub fn strike(fleet: &Fleet, whom: Whom, dice: &mut Dice) -> Option<Instant> {
    let Holders { engines, keepers } = holders(fleet);
    match whom {
        Whom::Engine if !engines.is_empty() => send(&engines, Signal::SIGKILL),
        Whom::Keeper if !keepers.is_empty() => send(&keepers, Signal::SIGKILL),
        Whom::Both if !keepers.is_empty() => both(&engines, &keepers, dice),
        _ => return None,
    }
    Some(Instant::now())
}

/// In either order, as fast as one after the other can be; or so that neither can repair the other.
fn both(engines: &[i32], keepers: &[i32], dice: &mut Dice) {
    match dice.below(4) {
        0 => {
            send(engines, Signal::SIGKILL);
            send(keepers, Signal::SIGKILL);
        }
        1 => {
            send(keepers, Signal::SIGKILL);
            send(engines, Signal::SIGKILL);
        }
        _ => {
            send(keepers, Signal::SIGSTOP);
            send(engines, Signal::SIGKILL);
            send(keepers, Signal::SIGKILL);
        }
    }
}

/// How long recoveries took.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// That of so many of a hundred.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    pub fn say(&self) -> String {
        let ms = |percent| self.percentile(percent).as_millis();
        format!(
            "{} kills, right again after p50 {} ms, p99 {} ms, at most {} ms",
            self.0.len(),
            ms(50),
            ms(99),
            ms(100)
        )
    }
}
