//! Named moments at which a test can end this process as `kill -9` would: "what if it died exactly here?"
//!
//! Only with the feature `crash-points`; otherwise a call is nothing at all. Only a process that was armed by [`arm`] strikes.
//! `ORCO_CRASH=NAME:HIT:TIMES` names the moment, at which passing it strikes, and how many processes in a row;
//! `ORCO_CRASH_STRUCK=FILE` counts the strikes, a byte each. `ORCO_CRASH_ABORT` makes it an abort instead.
//! `ORCO_CRASH_SEEN=FILE` collects the names of all moments passed. While the file of `ORCO_CRASH_STALL` exists, the
//! engine's loop stands still and everything else goes on.

/// All moments, in the order of an engine's life. A name that is not here never strikes.
pub const POINTS: &[&str] = &[
    "open.before-journal",
    "open.after-journal",
    "open.after-events",
    "recover.before-list",
    "recover.after-list",
    "recover.before-fold",
    "recover.after-fold",
    "recover.before-adopt",
    "recover.after-adopt",
    "birth.before-open",
    "birth.before-meta",
    "birth.after-meta",
    "birth.after-attach",
    "birth.before-removal",
    "birth.after-removal",
    "birth.before-serve",
    "birth.after-serve",
    "birth.serving",
    "begin.before-apply",
    "begin.after-apply",
    "begin.after-start",
    "begin.after-sync",
    "turn.before-record",
    "turn.after-record",
    "turn.between-actions",
    "turn.after-actions",
    "ledger.before-write",
    "ledger.after-write",
    "ledger.before-events",
    "ledger.after-events",
    "ledger.before-publish",
    "ledger.before-sync",
    "ledger.after-sync",
    "ledger.before-tidy",
    "ledger.after-tidy",
    "command.before-apply",
    "command.after-apply",
    "command.before-answer",
    "start.before-prepare",
    "start.after-prepare",
    "start.before-spawn",
    "start.after-spawn",
    "start.before-up",
    "up.before-record",
    "probe.before-begin",
    "probe.passed",
    "stop.before-signal",
    "stop.after-signal",
    "kill.before",
    "kill.after",
    "exit.seen",
    "exit.before-post-stop",
    "exit.before-tell",
    "exit.recorded",
    "exit.before-remove",
    "exit.after-remove",
    "retain.before",
    "retain.after",
    "export.before-append",
    "export.after-append",
    "export.before-cursor",
    "export.after-cursor",
    "export.rotating",
    "export.rotated",
    "export.begun",
    "succeed.looked",
    "succeed.answered",
    "succeed.server-closed",
    "succeed.told",
    "succeed.heard",
    "succeed.left",
    "end.down",
    "end.before-shutdown",
    "end.after-shutdown",
    "end.before-close",
    "end.after-close",
    "end.before-ended",
    "end.socket-removed",
    "end.after-ended",
];

/// From now on moments count in this process.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub const fn arm() {}

/// This moment has come.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub const fn point(_name: &'static str) {}

/// Whether the engine's loop shall stand still.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub const fn stalled() -> bool {
    false
}

#[cfg(feature = "crash-points")]
pub use armed::{arm, point, stalled};

#[cfg(feature = "crash-points")]
mod armed {
    use std::{
        collections::BTreeMap,
        fs::{File, OpenOptions},
        io::{self, Write},
        path::PathBuf,
        sync::{Mutex, OnceLock, PoisonError},
    };

    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    #[derive(Debug)]
    struct Strike {
        name: String,
        hit: u32,
        times: u64,
        struck: PathBuf,
        abort: bool,
    }

    #[derive(Debug)]
    struct Armed {
        strike: Option<Strike>,
        seen: Option<PathBuf>,
        stall: Option<PathBuf>,
        passed: Mutex<BTreeMap<&'static str, u32>>,
    }

    static ARMED: OnceLock<Armed> = OnceLock::new();

    /// From now on moments count in this process.
    #[expect(clippy::disallowed_methods, reason = "tests arm a running program through its environment")]
    pub fn arm() {
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        let strike = || {
            let text = std::env::var("ORCO_CRASH").ok()?;
            let (rest, times) = text.rsplit_once(':')?;
            let (name, hit) = rest.rsplit_once(':')?;
            Some(Strike {
                name: name.to_owned(),
                hit: hit.parse().ok()?,
                times: times.parse().ok()?,
                struck: path("ORCO_CRASH_STRUCK")?,
                abort: path("ORCO_CRASH_ABORT").is_some(),
            })
        };
        let (strike, seen, stall) = (strike(), path("ORCO_CRASH_SEEN"), path("ORCO_CRASH_STALL"));
        if strike.is_some() || seen.is_some() || stall.is_some() {
            // The first call holds.
            let _ = ARMED.set(Armed { strike, seen, stall, passed: Mutex::default() });
        }
    }

    /// Whether the engine's loop shall stand still.
    pub fn stalled() -> bool {
        ARMED.get().and_then(|armed| armed.stall.as_ref()).is_some_and(|file| file.exists())
    }

    /// This moment has come.
    pub fn point(name: &'static str) {
        debug_assert!(super::POINTS.contains(&name), "{name} is not in the list of crash points");
        let Some(armed) = ARMED.get() else { return };
        let mut passed = armed.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = passed.entry(name).or_default();
        *hits += 1;
        if *hits == 1
            && let Some(file) = &armed.seen
        {
            // A test that misses it fails.
            let _ = add(file, &format!("{name}\n"));
        }
        if let Some(strike) = armed.strike.as_ref().filter(|s| s.name == name && s.hit == *hits) {
            strike.strike();
        }
    }

    impl Strike {
        /// Others of this process wait for the lock meanwhile; other engines come after its end.
        fn strike(&self) {
            if add(&self.struck, "").is_ok_and(|file| file.metadata().is_ok_and(|meta| meta.len() < self.times))
                && add(&self.struck, "x").is_ok()
            {
                if !self.abort {
                    let _ = kill(Pid::this(), Signal::SIGKILL);
                }
                std::process::abort();
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "what was passed is noted in a test's file")]
    fn add(path: &PathBuf, text: &str) -> io::Result<File> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes())?;
        Ok(file)
    }
}
