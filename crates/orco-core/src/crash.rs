//! Named moments at which a test can end this process as `kill -9` would: "what if it died exactly here?"
//!
//! Only with the feature `crash-points`; otherwise a call is nothing at all. `ORCO_CRASH=NAME:HIT` names the moment and
//! how often it is passed before it strikes; `ORCO_CRASH_ONCE=FILE` lets it strike once: the file is made first, and
//! while it exists nothing strikes. `ORCO_CRASH_SEEN=FILE` collects the names of all moments passed.

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
    "end.before-shutdown",
    "end.after-shutdown",
    "end.before-close",
    "end.after-close",
];

/// This moment has come.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub const fn point(_name: &'static str) {}

#[cfg(feature = "crash-points")]
pub use armed::point;

#[cfg(feature = "crash-points")]
mod armed {
    use std::{
        collections::BTreeMap,
        fs::OpenOptions,
        io::Write,
        path::PathBuf,
        sync::{LazyLock, Mutex, PoisonError},
    };

    #[derive(Default)]
    struct Armed {
        strike: Option<(String, u32)>,
        once: Option<PathBuf>,
        seen: Option<PathBuf>,
        passed: Mutex<BTreeMap<&'static str, u32>>,
    }

    #[expect(clippy::disallowed_methods, reason = "tests arm a running program through its environment")]
    static ARMED: LazyLock<Armed> = LazyLock::new(|| {
        let strike = std::env::var("ORCO_CRASH").ok().and_then(|text| {
            let (name, hit) = text.rsplit_once(':')?;
            Some((name.to_owned(), hit.parse().ok()?))
        });
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        Armed { strike, once: path("ORCO_CRASH_ONCE"), seen: path("ORCO_CRASH_SEEN"), passed: Mutex::default() }
    });

    /// This moment has come.
    #[expect(clippy::disallowed_methods, reason = "what was passed is noted in a test's file")]
    pub fn point(name: &'static str) {
        debug_assert!(super::POINTS.contains(&name), "{name} is not in the list of crash points");
        let armed = &*ARMED;
        if armed.strike.is_none() && armed.seen.is_none() {
            return;
        }
        let mut passed = armed.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = passed.entry(name).or_default();
        *hits += 1;
        if *hits == 1
            && let Some(file) = &armed.seen
            && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(file)
        {
            let _ = file.write_all(format!("{name}\n").as_bytes());
        }
        if armed.strike.as_ref().is_some_and(|(wanted, hit)| wanted == name && hit == hits) {
            let first =
                armed.once.as_ref().is_none_or(|f| OpenOptions::new().create_new(true).write(true).open(f).is_ok());
            if first {
                std::process::abort();
            }
        }
    }
}
