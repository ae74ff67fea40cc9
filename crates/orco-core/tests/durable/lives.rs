//! One engine after another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use orco_core::{
    engine::{EventQuery, NotDone},
    model::{Exit, InstanceId, ServiceName},
};
use tokio::sync::watch;

use crate::world::*;

#[test]
fn the_next_engine_goes_on_with_the_same_instances() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    let ports = first.block(first.engine.endpoints("api")).unwrap();
    let (live, starts) = (world.live(), world.starts.load(Ordering::Relaxed));
    first.kill();
    for round in 0..5 {
        // The same occasion is no new one, and none at all goes on with what is remembered.
        let next = Life::begin(dir.path(), &world, (round % 2 == 0).then_some("one"));
        next.block(next.engine.ready()).unwrap();
        assert_eq!(world.live(), live);
        assert_eq!(world.starts.load(Ordering::Relaxed), starts, "nothing is started again, a oneshot neither");
        assert_eq!(next.block(next.engine.endpoints("api")).unwrap(), ports);
        assert_eq!(next.elsewhere.lists.load(Ordering::Relaxed), 1, "who is not used is not waited for");
        next.kill();
    }
}

#[test]
fn an_exit_that_no_engine_saw_is_told_to_the_next_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    first.kill();
    world.end("db", Exit::Code(3));
    let next = Life::begin(dir.path(), &world, None);
    for _ in 0..2000 {
        if next.restarts("db") == 1 && world.live().len() == 3 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(next.restarts("db"), 1);
    let events: Vec<_> = next.block(futures::StreamExt::collect(next.engine.events(EventQuery::all())));
    assert!(events.windows(2).all(|w| w[0].seq + 1 == w[1].seq), "no number is missing or given twice");
    assert!(events.iter().any(|e| e.kind.as_str() == "EngineRecovered"));
    assert!(events.iter().any(|e| e.kind.as_str() == "ServiceCrashed" && e.message.contains("exit code 3")));
    next.kill();
    let third = Life::begin(dir.path(), &world, None);
    assert_eq!(third.restarts("db"), 1, "the count survives");
    third.block(third.engine.shutdown());
    assert!(world.live().is_empty());
}

#[test]
fn what_nobody_remembers_is_ended_and_a_reboot_is_a_new_life() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let stranger = InstanceId(4711);
    let entry = (ServiceName::new("db").unwrap(), watch::Sender::new(None));
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    first.kill();
    world.all.lock().unwrap().insert(stranger, entry);
    let next = Life::begin(dir.path(), &world, None);
    for _ in 0..2000 {
        if !world.live().contains(&stranger) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!world.live().contains(&stranger));
    assert_eq!(world.live().len(), 3);
    next.kill();

    // All is gone: the next `up` begins a new life, in which oneshots run again.
    world.all.lock().unwrap().clear();
    let starts = world.starts.load(Ordering::Relaxed);
    let reborn = Life::begin(dir.path(), &world, Some("two"));
    finish_seed(&world);
    reborn.block(reborn.engine.ready()).unwrap();
    assert_eq!(world.starts.load(Ordering::Relaxed), starts + 4);
    reborn.kill();
}

#[test]
fn an_engine_that_leaves_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    let live = world.live();
    first.block(first.engine.leave()).unwrap();
    assert!(first.block(first.engine.status()).is_none());
    let next = Life::begin(dir.path(), &world, None);
    next.block(next.engine.ready()).unwrap();
    assert_eq!(world.live(), live);
    let down = next.block(next.engine.down()).unwrap();
    next.block(down.done()).unwrap();
    assert!(world.live().is_empty());
    next.kill();
    let last = Life::begin(dir.path(), &world, None);
    std::thread::sleep(Duration::from_millis(100));
    assert!(world.live().is_empty(), "what was asked down stays down");
    last.kill();
}

#[test]
fn an_engine_that_leaves_says_of_nothing_that_it_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    world.deaf.store(true, Ordering::Relaxed);
    let stop = first.block(first.engine.stop("db")).unwrap();
    let down = first.block(first.engine.down()).unwrap();
    let live = world.live();
    first.block(first.engine.leave()).unwrap();
    assert_eq!(first.block(stop.done()), Err(NotDone::Ended));
    assert_eq!(first.block(down.done()), Err(NotDone::Ended));
    assert_eq!(world.live(), live);
    // The next one sees the end.
    let next = Life::begin(dir.path(), &world, None);
    let down = next.block(next.engine.down()).unwrap();
    world.deaf.store(false, Ordering::Relaxed);
    ["api", "db"].iter().for_each(|service| world.end(service, Exit::Signal(15)));
    next.block(down.done()).unwrap();
    assert!(world.live().is_empty());
}
