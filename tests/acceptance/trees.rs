//! G6: a stop removes the whole tree, whatever it does against that, with both ways of killing.

use std::{
    fs,
    time::{Duration, Instant},
};

use orco::{process::ProcessRuntime, spec::Check};

use crate::world::{World, backends, eventually, figure, marked, rounds, sh, tag};

/// Fifty that hide in sessions of their own, ignore what a shell can ignore, and live on in a new process four times
/// a second each. They end by themselves after a while, should the test fail to end them.
const HOP: &str = "trap '' TERM INT HUP QUIT; sleep 0.25; [ $2 -gt 0 ] && setsid sh hop.sh $1 $(($2 - 1)) & exit";
const HOSTILE: &str = "trap '' TERM INT HUP QUIT; i=0
    while [ $i -lt 50 ]; do setsid sh -c 'setsid sh hop.sh TAG 200 &' & i=$((i+1)); done
    echo ready; while :; do sleep 0.2; done";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_tree_is_gone_a_second_after_the_stop_timeout() {
    let stop = Duration::from_millis(300);
    for backend in backends().await {
        let tag = tag();
        let script = HOSTILE.replace("TAG", &tag);
        let hostile = sh("hostile", &script).health(Check::log("^ready")).stop(15, stop);
        let world = World::on(ProcessRuntime::builder().kill_backend(backend).build(), [hostile]);
        fs::write(world.dir.path().join("hop.sh"), HOP).unwrap();
        let mut worst = Duration::ZERO;
        for _ in 0..rounds(2) {
            world.up().await;
            eventually("the tree stands", || marked(&tag).len() > 50).await;
            let begun = Instant::now();
            let ticket = world.engine.stop("hostile").await.unwrap();
            ticket.done().await.unwrap();
            assert_eq!(marked(&tag), Vec::<String>::new(), "{backend:?}");
            let took = begun.elapsed();
            assert!((stop..stop + Duration::from_secs(1)).contains(&took), "{backend:?}: {took:?}");
            worst = worst.max(took);
        }
        figure(&format!("G6 {backend:?}: gone {worst:?} after the stop began, at most"));
        world.end().await;
    }
}
