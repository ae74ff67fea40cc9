//! Many seeds on all cores.

use std::{
    ops::Range,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::{Plan, Violation, plan, run};
use crate::brain::Plant;

/// What to look through.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The seeds.
    pub seeds: Range<u64>,
    /// A planted bug.
    pub plant: Option<Plant>,
    /// How many threads.
    pub threads: usize,
}

/// What was looked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub seeds: u64,
    /// How often brains were asked.
    pub turns: u64,
    /// Facts they got.
    pub facts: u64,
}

/// A failing seed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Its plan.
    pub plan: Plan,
    /// What broke.
    pub violation: Violation,
}

/// The plan of a seed, with a planted bug.
fn planted(seed: u64, plant: Option<Plant>) -> Plan {
    Plan { plant, ..plan(seed) }
}

/// Runs all seeds until one fails. The lowest failing one that was seen is returned.
pub fn hunt(hunt: &Hunt) -> (Tally, Option<Failure>) {
    let next = AtomicU64::new(hunt.seeds.start);
    let found = AtomicBool::new(false);
    let worker = || {
        let mut tally = Tally::default();
        while !found.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= hunt.seeds.end {
                break;
            }
            let plan = planted(seed, hunt.plant);
            let outcome = run(&plan, false);
            tally.seeds += 1;
            tally.turns += u64::from(outcome.turns);
            tally.facts += outcome.facts;
            if let Some(violation) = outcome.violation {
                found.store(true, Ordering::Relaxed);
                return (tally, Some(Failure { seed, plan, violation }));
            }
        }
        (tally, None)
    };
    let results: Vec<(Tally, Option<Failure>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..hunt.threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let mut total = Tally::default();
    let mut first: Option<Failure> = None;
    for (tally, failure) in results {
        total.seeds += tally.seeds;
        total.turns += tally.turns;
        total.facts += tally.facts;
        first = match (first, failure) {
            (Some(a), Some(b)) => Some(if a.seed <= b.seed { a } else { b }),
            (a, b) => a.or(b),
        };
    }
    (total, first)
}
