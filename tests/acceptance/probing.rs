//! G17: probes end in time with everything they started, delay nobody, and speak of their own instance alone.

use std::{fs, time::Duration};

use orco::{
    model::EventKind,
    spec::{Check, CheckBuilder},
};

use crate::world::{World, eventually, figure, marked, rounds, sh, tag, within};

fn cmd(script: &str) -> CheckBuilder {
    Check::cmd(["/bin/sh".to_owned(), "-c".to_owned(), script.replace('$', "$$")])
}

/// Microseconds between two events of a service.
fn between(world: &World, service: &str, from: EventKind, to: EventKind) -> u64 {
    let first = |kind| world.events_of(service, kind).first().expect("it happened").ts;
    first(to).saturating_sub(first(from))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_command_ends_at_its_timeout_with_its_tree() {
    let timeout = Duration::from_millis(400);
    let (mut least, mut most) = (u64::MAX, 0);
    for _ in 0..rounds(2) {
        let tag = tag();
        // The first question hangs, and has hidden somebody who ignores the signals; the second is answered.
        let probe = format!(
            "mkdir asked 2>/dev/null || exit 0
             setsid sh -c 'setsid sh -c \"trap : TERM HUP INT; while :; do sleep 1; done; : {tag}\" &' &
             while :; do sleep 1; done; : {tag}"
        );
        let world = World::new([sh("a", "exec sleep 1000").health(cmd(&probe).timeout(timeout))]);
        world.begin().await;
        eventually("the probe hangs", || marked(&tag).len() >= 2).await;
        within(world.engine.ready()).await.unwrap();
        assert_eq!(marked(&tag), Vec::<String>::new());
        let took = between(&world, "a", EventKind::ServiceStarted, EventKind::ServiceReady);
        (least, most) = (least.min(took / 1000), most.max(took / 1000));
        // Not before its time; on a busy machine a little after it.
        assert!((399_000..1_400_000).contains(&took), "{took} us");
        world.end().await;
    }
    figure(&format!("G17: a hung command with timeout {timeout:?}: asked again and ready after {least} to {most} ms"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_hung_probes_do_not_delay_another() {
    let (tag, mut worst) = (tag(), 0);
    let hung = cmd(&format!("sleep 1000; : {tag}")).timeout(Duration::from_secs(50));
    let world = World::new([
        sh("hung", "exec sleep 1000").replicas(100).health(hung),
        sh("quick", "exec sleep 1000").health(cmd("exit 0")),
    ]);
    let _ = world.engine.start("hung").await.unwrap();
    eventually("all hang", || marked(&tag).len() >= 100).await;
    for _ in 0..rounds(5) {
        within(world.engine.start("quick").await.unwrap().done()).await.unwrap();
        let last = |kind| world.events_of("quick", kind).last().unwrap().ts;
        worst = worst.max(last(EventKind::ServiceReady) - last(EventKind::ServiceStarted));
        within(world.engine.stop("quick").await.unwrap().done()).await.unwrap();
    }
    figure(&format!("G17: ready {} ms after its start beside 100 hung probes, at most", worst / 1000));
    assert!(worst < 1_000_000, "{worst} us");
    world.engine.kill().await.unwrap().done().await.unwrap();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_of_one_instance_is_nothing_to_the_next() {
    for _ in 0..rounds(2) {
        // The first instance's probe is about to pass when that instance dies; the second's never passes.
        let probe = "echo $ORCO_INSTANCE >>asked; mkdir first 2>/dev/null || exit 1; : >slow; sleep 0.3; exit 0";
        let health = cmd(probe).timeout(Duration::from_secs(5)).interval(Duration::from_millis(50));
        let service = sh("a", "exec sleep 1000").health(health);
        let world = World::new([service.backoff(Duration::from_millis(1), Duration::from_millis(1), 1.0)]);
        world.begin().await;
        eventually("the first is being asked", || world.dir.path().join("slow").exists()).await;
        world.engine.signal("a", None, 9).await.unwrap();
        // 300 ms and more: twelve questions to the second, 50 ms apart, most of them.
        let asked = || fs::read_to_string(world.dir.path().join("asked")).unwrap();
        eventually("the second is asked many times", || asked().lines().count() > 14).await;
        assert_eq!(world.events_of("a", EventKind::ServiceStarted).len(), 2);
        assert!(world.events_of("a", EventKind::ServiceReady).is_empty());
        let view = world.service("a").await;
        assert!(!view.ready && view.message.contains("cmd exit code 1"), "{}", view.message);
        world.end().await;
    }
}
