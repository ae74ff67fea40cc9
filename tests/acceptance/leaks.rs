//! G9: starting and stopping leaves no descriptor and no thread behind in the embedding program.
//! (`keeper::the_keeper_leaks_nothing` counts those of the keeper.)

use std::{fs, process::Command};

use crate::world::{World, eventually, figure, rounds, sh};

fn count(of: &str) -> usize {
    fs::read_dir(format!("/proc/self/{of}")).unwrap().count()
}

#[test]
fn the_program_leaks_nothing() {
    // In a process of its own: other tests open and close as they like.
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["leaks::inner_program", "--exact", "--ignored", "--nocapture"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above"]
async fn inner_program() {
    let world = World::new([sh("a", "echo here; exec sleep 1000"), sh("b", "exit 0").oneshot()]);
    let round = async || {
        world.up().await;
        world.engine.down().await.unwrap().done().await.unwrap();
    };
    for _ in 0..5 {
        round().await;
    }
    let (files, threads) = (count("fd"), count("task"));
    for _ in 0..rounds(60) {
        round().await;
    }
    eventually("as many descriptors as before", || count("fd") <= files + 2).await;
    eventually("as many threads as before", || count("task") <= threads + 2).await;
    figure(&format!("G9: descriptors {files} -> {}, threads {threads} -> {}", count("fd"), count("task")));
    world.end().await;
}
