//! The simulator's seeds.
//!
//! `cargo test -p orco-core --profile sim --test sim` looks through 20,000 fixed seeds and 1,000 fresh
//! ones; without the profile only a few hundred. `ORCO_SIM_SEEDS` and `ORCO_SIM_FIRST` choose others,
//! `ORCO_SIM_SEED` replays one with its trace.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::{
    collections::BTreeMap,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use orco_core::{
    brain::Plant,
    sim::{Failure, Hunt, Plan, hunt, plan, run, shrink},
};

/// In the profile `sim` the optimiser is on; `debug_assertions` are on everywhere.
fn is_fast() -> bool {
    std::env::current_exe().unwrap().components().any(|c| c.as_os_str() == "sim" || c.as_os_str() == "release")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Prints the failing seed, makes its plan smaller and shows the small one's trace.
fn report(failure: &Failure) -> ! {
    let Failure { seed, plan, violation } = failure;
    println!("seed {seed} fails: {violation}");
    let small = shrink(plan, violation.rule);
    let outcome = run(&small, true);
    println!("---- made smaller ----\n{small}---- trace ----\n{}", outcome.trace);
    println!("seed {seed}: {violation}");
    println!(
        "reproduce: ORCO_SIM_SEED={seed} cargo test -p orco-core --profile sim --test sim one_seed -- --nocapture"
    );
    panic!("seed {seed}: {violation}");
}

fn look_through(what: &str, first: u64, count: u64) {
    let began = Instant::now();
    let (tally, failure) = hunt(&Hunt { seeds: first..first + count, plant: None, threads: threads() });
    let took = began.elapsed();
    println!(
        "{what}: {} seeds, {} turns, {} facts in {took:.1?} ({:.0} seeds/s)",
        tally.seeds,
        tally.turns,
        tally.facts,
        f64::from(u32::try_from(tally.seeds).unwrap()) / took.as_secs_f64()
    );
    if let Some(failure) = failure {
        report(&failure);
    }
}

/// Replays the seed in `ORCO_SIM_SEED`; without it, there is nothing to replay.
#[test]
fn one_seed() {
    let Some(seed) = number("ORCO_SIM_SEED") else { return };
    let plan = plan(seed);
    if std::env::var_os("ORCO_SIM_SHRINK").is_none() {
        let outcome = run(&plan, true);
        println!("{plan}---- trace ----\n{}", outcome.trace);
        println!("{:?}", outcome.violation);
        assert!(outcome.violation.is_none());
    } else if let Some(violation) = run(&plan, false).violation {
        report(&Failure { seed, plan, violation });
    }
}

/// Counts what breaks over `ORCO_SIM_SURVEY` seeds, with the first seeds of each kind.
#[test]
fn survey() {
    let Some(count) = number("ORCO_SIM_SURVEY") else { return };
    let mut broken: BTreeMap<&str, Vec<(u64, String)>> = BTreeMap::new();
    let mut first = number("ORCO_SIM_FIRST").unwrap_or(0);
    let end = first + count;
    while let (_, Some(failure)) = hunt(&Hunt { seeds: first..end, plant: None, threads: 1 }) {
        first = failure.seed + 1;
        broken.entry(failure.violation.rule).or_default().push((failure.seed, failure.violation.what));
    }
    for (rule, seeds) in &broken {
        println!("{} x {rule}", seeds.len());
        for (seed, what) in seeds.iter().take(4) {
            println!("    {seed}: {what}");
        }
    }
    assert!(broken.is_empty());
}

/// Seeds that failed once.
#[test]
fn regressions() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/seeds");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().map(|l| l.split('#').next().unwrap().trim()).filter(|l| !l.is_empty()) {
            let seed = line.parse().unwrap();
            seeds += 1;
            let plan = plan(seed);
            if let Some(violation) = run(&plan, false).violation {
                report(&Failure { seed, plan, violation });
            }
        }
    }
    println!("{seeds} seeds that failed once");
    assert!(seeds > 0, "the corpus is empty");
}

#[test]
fn fixed_seeds() {
    let count = number("ORCO_SIM_SEEDS").unwrap_or(if is_fast() { 20_000 } else { 300 });
    look_through("fixed", number("ORCO_SIM_FIRST").unwrap_or(0), count);
}

#[test]
fn fresh_seeds() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let first = u64::try_from(now).unwrap();
    println!("fresh seeds from {first}");
    look_through("fresh", first, if is_fast() { 1000 } else { 50 });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..if is_fast() { 200 } else { 50 } {
        let plan = plan(seed);
        let (one, two) = (run(&plan, false), run(&plan, true));
        assert_eq!((one.hash, one.turns, one.facts), (two.hash, two.turns, two.facts), "seed {seed}");
    }
}

/// The runs go where they should: every kind of decision, event and fault is met.
#[test]
fn everything_is_reached() {
    let words = [
        "Create(",
        "Retire(",
        "Liveness)",
        "StartTimeout)",
        "Dependency(",
        "Drop(",
        "Queue(",
        "Unqueue(",
        "Start(",
        "Probe(",
        "Unprobe(",
        "Stop(",
        "Kill(",
        "Lean(",
        "Yield(",
        "Block(",
        "Tell(",
        "Unblock",
        "Done",
        "Forget(",
        "Settle",
        "Gone",
        "ServiceStarting",
        "ServiceStarted",
        "ServiceReady",
        "ServiceUnready",
        "ServiceBlocked",
        "ServiceRestarting",
        "ServiceCrashed",
        "ServiceFailed",
        "ServiceCompleted",
        "ServiceStopping",
        "ServiceStopped",
        "UpdatePhase",
        "StackReady",
        "StackStopped",
        "turned back",
        "created i",
        "start failed",
        "(unclear)",
        "(port lost)",
        "want of memory",
        "unknown exit",
        "probe undecided",
        "timeout",
        "SLEEP",
        "ORDER apply",
        "ORDER start",
        "ORDER stop",
        "ORDER restart",
        "ORDER scale",
        "ORDER down",
        "ORDER kill",
        "refused",
        "did not stop in time",
        "CRASH Engine",
        "CRASH Keeper",
        "CRASH Both",
        "CRASH Machine",
        "a stranger comes",
        "torn: true",
        "Repeat(",
        "EngineRecovered",
        "1 lost",
        "the keeper is gone",
        "DISK Full",
        "DISK Broken",
        "DISK Sync",
        "DISK well",
        "the journal cannot be written",
        "AWAY docker Refuses",
        "AWAY docker Hangs",
        "AWAY docker Restarts",
        "AWAY podman",
        "PRANK Kill",
        "PRANK Remove",
        "PRANK Restart",
        "PRANK Pause",
        "stopped before its start",
        "no answer from the engine",
    ];
    let mut missing: Vec<&str> = words.to_vec();
    for seed in 0..3000 {
        if missing.is_empty() {
            println!("all reached within {seed} seeds");
            return;
        }
        let trace = run(&plan(seed), true).trace;
        missing.retain(|word| !trace.contains(word));
    }
    panic!("never reached: {missing:?}");
}

/// Every planted bug is found: a bug that is not is a missing check.
#[test]
fn planted_bugs_are_found() {
    let within = number("ORCO_SIM_PLANT_SEEDS").unwrap_or(if is_fast() { 10_000 } else { 1000 });
    let only = std::env::var("ORCO_SIM_PLANT").ok();
    let mut missed = Vec::new();
    println!("{:<24} {:>6}  found by", "planted", "seed");
    for plant in Plant::ALL {
        if only.as_ref().is_some_and(|only| *only != format!("{plant:?}")) {
            continue;
        }
        match hunt(&Hunt { seeds: 0..within, plant: Some(plant), threads: threads() }).1 {
            Some(Failure { seed, violation, .. }) => {
                println!("{:<24} {seed:>6}  {}", format!("{plant:?}"), violation.rule);
            }
            None => {
                println!("{:<24} {:>6}  not found", format!("{plant:?}"), "-");
                missed.push(plant);
            }
        }
    }
    assert!(missed.is_empty(), "not found within {within} seeds: {missed:?}");
}

/// A plan says all that there is to say: shrinking keeps what fails.
#[test]
fn shrinking_keeps_the_failure() {
    let found = hunt(&Hunt { seeds: 0..2000, plant: Some(Plant::RetriesPlusOne), threads: 1 }).1.unwrap();
    let small: Plan = shrink(&found.plan, found.violation.rule);
    assert_eq!(run(&small, false).violation.unwrap().rule, found.violation.rule);
    assert!(small.services().len() <= found.plan.services().len());
    assert!(small.services().len() <= 2, "{small}");
}
