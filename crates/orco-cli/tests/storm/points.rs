//! G3: the engine dies at each named moment while the stack comes up, restarts, crashes, is read, upgraded and changed,
//! and goes down. Whatever it was: nothing runs twice, nothing is lost, and it goes on.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use orco_core::crash::POINTS;

use crate::{
    fleet::{figure, promised},
    life::{Crash, Report, live},
};

/// Lives at a time: most of a life is waiting.
const SIDE_BY_SIDE: usize = 6;

/// An answer takes no longer while one engine follows the other.
const ANSWER: Duration = Duration::from_secs(2);

/// Moments that an engine passes once: a second hit is the death of the next engine at the same place.
const ONCE: [&str; 10] =
    ["export.", "open.", "probe.", "birth.", "recover.", "begin.", "succeed.", "retain.", "end.", "ledger.before-sync"];

/// A life gives so many commands, and kills so often.
const SELDOM: [(&str, u32); 2] = [("command.", 3), ("kill.", 2)];

fn crash(point: &'static str, nth: u32) -> Crash {
    let once = ONCE.iter().any(|prefix| point.starts_with(prefix));
    let most = SELDOM.iter().find(|(prefix, _)| point.starts_with(prefix)).map_or(nth, |(_, most)| *most);
    let (hit, times) = if once { (1, u64::from(nth)) } else { (nth.min(most), 1) };
    Crash { point, hit, times, abort: nth.is_multiple_of(2) }
}

/// The daily run strikes at each point once; each first to fifth passing with `ORCO_ROUNDS=5`; one alone with
/// `ORCO_POINT=name:n`.
fn wanted() -> Vec<Crash> {
    if let Some((name, nth)) = std::env::var("ORCO_POINT").ok().as_deref().and_then(|text| text.split_once(':')) {
        let point = POINTS.iter().find(|point| **point == name).unwrap();
        return vec![crash(point, nth.parse().unwrap())];
    }
    let rounds = std::env::var("ORCO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    POINTS.iter().flat_map(|point| (1..=rounds).map(|nth| crash(point, nth))).collect()
}

fn one(crash: Crash) -> Result<Report, String> {
    let report = catch_unwind(AssertUnwindSafe(|| live(crash))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| format!("{crash:?}: {:?}", panic.downcast_ref::<&str>()))
    })?;
    if report.strikes == 0 {
        return Err(format!("{crash:?}: never passed so often"));
    }
    // Between engines that die one after the other the keeper makes pauses.
    let pauses = (0..report.strikes).map(|n| Duration::from_millis(50) * (1 << n)).sum::<Duration>();
    if report.slowest > promised(ANSWER) + pauses {
        return Err(format!("{crash:?}: an answer took {:?}", report.slowest));
    }
    Ok(report)
}

#[test]
fn whatever_it_was_doing_the_next_one_goes_on() {
    let wanted = wanted();
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE.min(wanted.len()) {
            scope.spawn(|| {
                while let Some(crash) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = one(*crash);
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap();
    let failed: Vec<&String> = reports.iter().filter_map(|report| report.as_ref().err()).collect();
    let good: Vec<&Report> = reports.iter().flatten().collect();
    let slowest = good.iter().map(|report| report.slowest).max().unwrap_or_default();
    let seen: BTreeSet<&str> = good.iter().flat_map(|report| report.seen.iter().map(String::as_str)).collect();
    figure(&format!(
        "G3: {} lives in {:?}, {} failed; {} of {} points passed, {} strikes; {} answers, the slowest in {slowest:?}",
        reports.len(),
        begun.elapsed(),
        failed.len(),
        seen.len(),
        POINTS.len(),
        good.iter().map(|report| report.strikes).sum::<u64>(),
        good.iter().map(|report| report.answers).sum::<u32>(),
    ));
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), reports.len(), {
        let texts: Vec<&str> = failed.iter().map(|text| text.as_str()).collect();
        texts.join("\n----\n")
    });
    let missed: Vec<_> = POINTS.iter().filter(|point| !seen.contains(**point)).collect();
    assert!(missed.is_empty() || wanted.len() == 1, "never passed: {missed:?}");
}
