//! A pid that has passed to a stranger is never signalled (G7). Needs root, to choose the next pid.

use std::{
    fs,
    io::Write as _,
    process::{Child, Command},
};

use crate::{
    trees::rounds,
    world::{World, alive, eventually, fresh},
};

/// A stranger with exactly this pid, if fate allows.
fn stranger(pid: u32) -> Option<Child> {
    for _ in 0..200 {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        if child.id() == pid {
            return Some(child);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if fs::exists(format!("/proc/{pid}")).unwrap() {
            return None;
        }
    }
    None
}

#[tokio::test]
async fn a_stranger_with_the_main_process_pid_lives_on() {
    // SAFETY: takes nothing.
    if unsafe { libc::geteuid() } != 0 || !fs::exists("/proc/sys/kernel/ns_last_pid").unwrap() {
        // Where tests must not be skipped, that is a failure.
        assert!(std::env::var_os("CI").is_none(), "only root can choose the next pid");
        return;
    }
    let world = World::new().await;
    let mut met = 0;
    for _ in 0..rounds(10) {
        // The child hides in a session of its own, so that the number of its dead parent is free for others.
        let tag = format!("tag-{}", fresh());
        let script = format!(
            "setsid sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.01; done; : {tag}' & exec sleep 1000"
        );
        let (id, pid) = world.start(world.sh(&script)).await;
        world.says(id, "ready").await;
        world.client.stop(id, libc::SIGTERM).await.unwrap();
        eventually(|| !fs::exists(format!("/proc/{pid}")).unwrap()).await;
        let Some(mut stranger) = stranger(pid) else { continue };
        met += 1;
        // The instance is not over: its child lives. Everything that can be done to it must miss the stranger.
        world.client.stop(id, libc::SIGTERM).await.unwrap();
        world.client.signal(id, libc::SIGTERM).await.unwrap();
        world.client.kill(id).await.unwrap();
        world.end_of(id).await;
        world.client.kill(id).await.unwrap();
        assert!(alive(pid), "a stranger was hit");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        assert!(crate::world::called(&tag).is_empty());
    }
    let _ = writeln!(std::io::stderr(), "G7: {met} of {} strangers met and spared", rounds(10));
    assert!(met > rounds(10) / 2, "a pid was reused only {met} times");
}
