//! An engine of containers that is away, or whose answers are lost.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use orco_core::{
    engine::{Event, EventQuery},
    model::{EventKind, Exit, InstanceId, ServiceName},
};
use tokio::sync::watch;

use crate::world::*;

/// Unknown is not dead: what an engine of containers cannot tell is taken over as it is remembered.
#[test]
fn what_a_runtime_cannot_list_is_led_on_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    first.kill();
    let starts = world.starts.load(Ordering::Relaxed);
    world.away.send_replace(true);
    world.end("db", Exit::Code(3));
    let stranger = InstanceId(4711);
    let entry = (ServiceName::new("db").unwrap(), watch::Sender::new(None));
    world.all.lock().unwrap().insert(stranger, entry);
    let next = Life::begin(dir.path(), &world, None);
    assert_eq!(next.restarts("db"), 0, "nobody knows yet");
    assert_eq!(world.starts.load(Ordering::Relaxed), starts);
    world.away.send_replace(false);
    soon("the exit is told, and the stranger goes", || {
        next.restarts("db") == 1 && world.live().len() == 3 && !world.live().contains(&stranger)
    });
    assert_eq!(world.starts.load(Ordering::Relaxed), starts + 1, "only what ended is started again");
    next.block(next.engine.shutdown());
}

#[test]
fn a_runtime_that_cannot_work_is_waited_for_and_costs_no_retry() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    world.away.send_replace(true);
    let life = Life::begin(dir.path(), &world, Some("one"));
    let message = || message(&life, "db");
    soon("the reason is told", || message() == "cannot start yet: the engine is away");
    let blocked = || {
        let events: Vec<_> = life.block(futures::StreamExt::collect(life.engine.events(EventQuery::all())));
        let blocked = |e: &Arc<Event>| e.kind == EventKind::ServiceBlocked && *e.message == *message();
        events.iter().filter(|e| blocked(e) && e.service.as_ref().is_some_and(|s| s.as_str() == "db")).count()
    };
    soon("and it is told", || blocked() == 1);
    let tries = world.tries.load(Ordering::Relaxed);
    soon("it is tried again", || world.tries.load(Ordering::Relaxed) > tries + 4);
    assert_eq!(blocked(), 1, "once");
    world.away.send_replace(false);
    finish_seed(&world);
    life.block(life.engine.ready()).unwrap();
    assert_eq!(life.restarts("db"), 0);
    assert_eq!(message(), "");
    // What is not wanted any more is not waited for.
    world.away.send_replace(true);
    world.end("db", Exit::Code(1));
    life.block(async { life.engine.stop("api").await.map(drop) }).unwrap();
    world.away.send_replace(false);
    life.block(life.engine.shutdown());
    assert!(world.live().is_empty());
}

#[test]
fn a_port_that_a_stranger_has_is_given_up_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    world.taken.store(2, Ordering::Relaxed);
    let life = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    life.block(life.engine.ready()).unwrap();
    assert_eq!(life.restarts("api"), 0);
    let published = world.published.lock().unwrap().clone();
    assert_eq!(published.len(), 4, "two replicas, two strangers");
    let distinct: std::collections::BTreeSet<u16> = published.iter().copied().collect();
    assert_eq!(distinct.len(), 4, "{published:?}");
    life.block(life.engine.shutdown());
}

#[test]
fn an_end_does_not_wait_for_ever_for_a_runtime_that_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    let life = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    life.block(life.engine.ready()).unwrap();
    world.away.send_replace(true);
    let begun = std::time::Instant::now();
    let killed = life.block(life.engine.kill()).unwrap();
    life.block(killed.done()).unwrap();
    life.block(life.engine.shutdown());
    assert!(begun.elapsed() > Duration::from_secs(5), "it was given time");
    assert_eq!(world.live().len(), 3, "nothing else can be done about them");
}

/// The first engine has asked for `db` and dies before it is answered; what it asked for has happened.
fn dies_while_it_asks(dir: &Path, world: &Arc<World>) -> InstanceId {
    *world.lost.lock().unwrap() = Some(Lost::Never);
    let first = Life::begin(dir, world, Some("one"));
    let asked = || {
        let all = world.all.lock().unwrap();
        all.iter().find(|(_, (name, _))| name.as_str() == "db").map(|(id, _)| *id)
    };
    soon("the start is under way", || asked().is_some());
    first.kill();
    world.away.send_replace(true);
    *world.lost.lock().unwrap() = None;
    asked().unwrap()
}

fn message(life: &Life, service: &str) -> String {
    let status = life.block(life.engine.status()).unwrap();
    status.snapshot.services.iter().find(|s| s.name.as_str() == service).unwrap().message.clone()
}

#[test]
fn a_start_in_flight_is_asked_for_again_by_the_next_engine() {
    // That no list has it yet is no sign that it will never be.
    for (away, unseen) in [(true, false), (false, false), (false, true)] {
        let dir = tempfile::tempdir().unwrap();
        let world = World::remote();
        let db = dies_while_it_asks(dir.path(), &world);
        world.away.send_replace(away);
        world.unseen.store(unseen, Ordering::Relaxed);
        let next = Life::begin(dir.path(), &world, None);
        if away {
            soon("it is held", || message(&next, "db") == "cannot start yet: the engine is away");
            world.away.send_replace(false);
        }
        finish_seed(&world);
        next.block(next.engine.ready()).unwrap();
        let of_db = |(_, (name, _)): &(&InstanceId, &Body)| name.as_str() == "db";
        let containers: Vec<InstanceId> = world.all.lock().unwrap().iter().filter(of_db).map(|(id, _)| *id).collect();
        assert_eq!(containers, [db], "exactly the one that there was; away: {away}, unseen: {unseen}");
        assert!(world.live().contains(&db) && world.made.lock().unwrap().is_empty());
        assert_eq!(next.restarts("db"), 0);
        next.block(next.engine.shutdown());
        assert!(world.live().is_empty());
    }
}

/// Nobody knows whether it runs: it is down when the runtime has said so, and not before.
#[test]
fn a_start_that_may_have_happened_is_not_down_before_it_is_cleared_away() {
    for same_engine in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let world = World::remote();
        let life = if same_engine {
            *world.lost.lock().unwrap() = Some(Lost::Unanswered);
            let life = Life::begin(dir.path(), &world, Some("one"));
            soon("it is held", || message(&life, "db") == "cannot start yet: no answer");
            world.away.send_replace(true);
            soon("its runtime is away", || message(&life, "db") == "cannot start yet: the engine is away");
            life
        } else {
            let db = dies_while_it_asks(dir.path(), &world);
            let life = Life::begin(dir.path(), &world, None);
            assert!(world.live().contains(&db));
            life
        };
        world.end("seed", Exit::Code(0));
        let left = life.block(async {
            let down = life.engine.down().await.unwrap();
            let told = async {
                down.done().await.unwrap();
                world.live()
            };
            let back = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                world.away.send_replace(false);
            };
            tokio::join!(told, back).0
        });
        assert_eq!(left, [], "same engine: {same_engine}");
        life.kill();
    }
}
