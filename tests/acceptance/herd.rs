//! G15: many that crash together come back within the limit for the whole stack, each after a delay of its own.
//! (`policy::two_that_died_together_spread` and `policy::never_out_of_bounds` do the arithmetic.)

use std::{collections::BTreeMap, time::Duration};

use orco::{
    model::{EventData, EventKind},
    spec::RetryLimit,
};

use crate::world::{World, eventually, figure, rounds, sh};

const SERVICES: usize = 50;
/// Restarts a second of the whole stack.
const LIMIT: usize = 50;
/// An event is stamped a little after it was decided; two decisions a second apart may be told so much closer.
const SLACK: u64 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_that_crash_at_once_come_back_within_the_limit() {
    let (min, max) = (Duration::from_millis(10), Duration::from_millis(80));
    let herd = (0..SERVICES).map(|at| {
        sh(format!("s{at}"), "exit 1")
            .backoff(min, max, 2.0)
            .restart(|restart| restart.max_retries = RetryLimit::Unlimited)
    });
    let world = World::new(herd);
    world.begin().await;
    let seconds = rounds(3).max(2);
    let starts = || -> Vec<_> { world.events().into_iter().filter(|e| e.kind == EventKind::ServiceStarting).collect() };
    eventually("enough restarts", || starts().len() >= SERVICES + LIMIT * seconds).await;
    world.engine.kill().await.unwrap().done().await.unwrap();

    let (mut known, mut restarts, mut due) = (BTreeMap::<_, usize>::new(), Vec::new(), BTreeMap::new());
    let mut delays = 0;
    let events = world.end().await;
    let first = events.iter().find(|e| e.kind == EventKind::ServiceStarting).unwrap().ts;
    let mut last_first = first;
    for event in &events {
        let Some(service) = event.service.clone() else { continue };
        match (event.kind, &event.data) {
            (EventKind::ServiceRestarting, EventData::Delay(delay)) => {
                assert!(*delay >= min && *delay <= max, "{delay:?}");
                due.insert(service, event.ts + delay.as_micros() as u64);
                delays += 1;
            }
            (EventKind::ServiceStarting, _) => match due.remove(&service) {
                None => last_first = event.ts,
                Some(due) => {
                    assert!(event.ts + SLACK >= due, "{service} came {} us early", due - event.ts);
                    *known.entry(service).or_default() += 1;
                    restarts.push(event.ts);
                }
            },
            _ => {}
        }
    }
    let worst = restarts
        .iter()
        .enumerate()
        .map(|(i, from)| restarts[i..].iter().take_while(|ts| **ts < from + 1_000_000 - SLACK).count());
    let worst = worst.max().unwrap();
    figure(&format!(
        "G15: {} restarts, at most {worst} in a second, {delays} delays, first starts within {} ms",
        restarts.len(),
        (last_first - first) / 1000
    ));
    assert!(worst <= LIMIT, "{worst} restarts in a second");
    assert!(worst > LIMIT / 2, "the limit was never reached: {worst}");
    assert_eq!(known.len(), SERVICES, "everybody gets a turn");
}
