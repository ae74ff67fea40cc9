//! Looking and removing, again and again, until nothing is found any more.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    label::Label,
    objects::{self, Kind, Removed},
    order::CleanUp,
};

/// So many are removed at once.
const WORKERS: usize = 8;
/// So many looks in a row that find nothing are enough.
const ENOUGH: u32 = 2;
/// Between two of them it takes so many times as long as the engine's slowest answer: a create in flight comes to
/// light meanwhile.
const SLOWEST_TIMES: u32 = 4;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// One answer.
    pub(crate) answer: Duration,
    /// Between two looks that find nothing, at least and at most.
    pub(crate) quiet: (Duration, Duration),
    /// Between two looks while something is left.
    pub(crate) pause: Duration,
    /// Without any success while the engine does not answer.
    pub(crate) unanswered: Duration,
    /// Without any success while it refuses.
    pub(crate) refused: Duration,
    /// All.
    pub(crate) total: Duration,
}

/// After the engine's death.
pub(crate) const LEISURE: Limits = Limits {
    answer: Duration::from_secs(15),
    quiet: (Duration::from_millis(500), Duration::from_secs(5)),
    pause: Duration::from_millis(200),
    unanswered: Duration::from_secs(60),
    refused: Duration::from_secs(10),
    total: Duration::from_secs(120),
};

/// When somebody waits for it.
pub(crate) const SHUTDOWN: Limits = Limits {
    answer: Duration::from_secs(5),
    unanswered: Duration::from_secs(10),
    refused: Duration::from_secs(5),
    total: Duration::from_secs(30),
    ..LEISURE
};

/// What one look came to.
#[derive(Default, Debug)]
struct Look {
    found: usize,
    gone: usize,
    unknown: usize,
    /// The longest that the engine thought about a list.
    slowest: Duration,
}

/// Cleans up all, at the same time. Gives the words for people about what is left.
pub(crate) fn all(clean_ups: &[CleanUp], limits: &Limits) -> Vec<String> {
    let left = Mutex::new(Vec::new());
    each(clean_ups, clean_ups.len(), &|clean_up| {
        if let Err(why) = until_gone(clean_up, limits) {
            let text = format!("gave up cleaning up {}: {why}", clean_up.label);
            left.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
    });
    left.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Removes everything with the label until nothing is found twice in a row.
pub(super) fn until_gone(clean_up: &CleanUp, limits: &Limits) -> Result<(), String> {
    let label = Label::parse(&clean_up.label).ok_or_else(|| "that is no label".to_owned())?;
    let begun = Instant::now();
    let (mut success, mut quiet) = (begun, 0);
    loop {
        let (patience, why, pause) = match look(clean_up, label, limits) {
            Ok(Look { found: 0, slowest, .. }) => {
                quiet += 1;
                if quiet >= ENOUGH {
                    return Ok(());
                }
                success = Instant::now();
                (limits.unanswered, String::new(), (slowest * SLOWEST_TIMES).clamp(limits.quiet.0, limits.quiet.1))
            }
            Ok(look) => {
                quiet = 0;
                if look.gone > 0 {
                    success = Instant::now();
                }
                let left = look.found - look.gone;
                let patience = if look.unknown > 0 { limits.unanswered } else { limits.refused };
                let pause = if left == 0 { Duration::ZERO } else { limits.pause };
                (patience, format!("{left} cannot be removed"), pause)
            }
            Err(error) => {
                quiet = 0;
                (limits.unanswered, error.to_string(), limits.pause)
            }
        };
        if success.elapsed() >= patience || begun.elapsed() >= limits.total {
            return Err(why);
        }
        thread::sleep(pause);
    }
}

/// Looks once for everything, and removes what is found.
fn look(clean_up: &CleanUp, label: Label<'_>, limits: &Limits) -> std::io::Result<Look> {
    let mut look = Look::default();
    for kind in Kind::ALL {
        if kind == Kind::Volume && !clean_up.volumes {
            continue;
        }
        let asked = Instant::now();
        let found = objects::list(&clean_up.host, kind, label, limits.answer)?;
        look.slowest = look.slowest.max(asked.elapsed());
        look.found += found.len();
        let (gone, unknown) = (AtomicUsize::new(0), AtomicUsize::new(0));
        each(&found, WORKERS, &|id| match objects::remove(&clean_up.host, kind, id, limits.answer) {
            Removed::Gone => _ = gone.fetch_add(1, Ordering::Relaxed),
            Removed::Unknown => _ = unknown.fetch_add(1, Ordering::Relaxed),
            Removed::Refused => {}
        });
        look.gone += gone.into_inner();
        look.unknown += unknown.into_inner();
    }
    Ok(look)
}

/// Does something with each, so many at once. Where no thread can be had, this one does it all.
fn each<T: Sync>(items: &[T], at_once: usize, act: &(impl Fn(&T) + Sync)) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            act(item);
        }
    };
    thread::scope(|scope| {
        for _ in 1..items.len().min(at_once) {
            if thread::Builder::new().name("clean-up".to_owned()).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
}
