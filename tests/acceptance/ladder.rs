//! G19: the stop ladder: signal, timeout, kill.

use std::time::{Duration, Instant};

use orco::{process::ProcessRuntime, spec::Check};

use crate::world::{World, backends, figure, marked, rounds, sh};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_ignores_the_signal_is_gone_at_the_timeout_and_not_before() {
    let timeout = Duration::from_millis(700);
    let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    for backend in backends().await {
        let stubborn = sh("stubborn", script).health(Check::log("^ready")).stop(15, timeout);
        let world = World::on(ProcessRuntime::builder().kill_backend(backend).build(), [stubborn]);
        let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
        for _ in 0..rounds(2) {
            world.up().await;
            let begun = Instant::now();
            let _ = world.engine.stop("stubborn").await.unwrap();
            while !marked(&world.tag).is_empty() {
                // On a busy machine everything may be late; never early.
                assert!(begun.elapsed() < timeout + Duration::from_millis(800), "still there");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let took = begun.elapsed();
            assert!(took >= timeout, "killed after {took:?}");
            (least, most) = (least.min(took), most.max(took));
        }
        figure(&format!("G19 {backend:?}: timeout {timeout:?}, gone after {least:?} to {most:?}"));
        world.end().await;
    }
}

#[tokio::test]
async fn who_heeds_the_signal_is_not_killed() {
    let script = "trap 'sleep 0.3; echo in peace; exit 0' TERM; echo ready; sleep 1000 & wait";
    let world = World::new([sh("a", script).health(Check::log("^ready"))]);
    world.up().await;
    world.engine.stop("a").await.unwrap().done().await.unwrap();
    assert_eq!(world.said_by("a").await.last().unwrap(), "in peace");
    world.end().await;
}
