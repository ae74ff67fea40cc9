//! Trees that do not want to be found.

use orco_core::model::Exit;

use crate::world::{World, called, eventually, fresh, stamped};

fn tag() -> String {
    format!("tag-{}", fresh())
}

/// A documented command runs the full count.
pub fn rounds(few: usize) -> usize {
    std::env::var("ORCO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_tree_is_gone_at_the_kill() {
    for world in World::all().await {
        for _ in 0..rounds(4) {
            let tag = tag();
            let (id, _) = world.start(world.role("hostile", &[&tag])).await;
            world.says(id, "ready").await;
            world.client.stop(id, libc::SIGTERM).await.unwrap();
            eventually(|| called(&tag).len() > 40).await;
            world.client.kill(id).await.unwrap();
            assert_eq!(world.end_of(id).await, Exit::Signal(9));
            assert_eq!(called(&tag), Vec::<u32>::new(), "{:?}", world.client.backend());
            assert!(stamped(id).is_empty());
        }
    }
}

#[tokio::test]
async fn a_hostile_tree_is_gone_when_its_main_process_dies() {
    for world in World::all().await {
        let tag = tag();
        let (id, pid) = world.start(world.role("hostile", &[&tag])).await;
        world.says(id, "ready").await;
        crate::world::kill(pid, libc::SIGKILL);
        assert_eq!(world.end_of(id).await, Exit::Signal(9));
        assert_eq!(called(&tag), Vec::<u32>::new());
    }
}

#[tokio::test]
async fn who_cannot_be_attributed_ends_with_the_stack() {
    let world = World::new().await;
    let tag = tag();
    let (id, _) = world.start(world.role("hide", &[&tag])).await;
    // Told although somebody still holds the output open.
    assert_eq!(world.end_of(id).await, Exit::Code(0));
    assert_eq!(world.log_text(id), "hidden\n");
    eventually(|| called(&tag).len() == 1).await;
    world.client.shutdown().await;
    assert!(called(&tag).is_empty());
}

#[tokio::test]
async fn a_control_group_knows_its_own() {
    for world in World::all().await {
        if world.client.backend() == Some(orco_keeper::Backend::Cgroup) {
            let tag = tag();
            let (id, _) = world.start(world.role("hide", &[&tag])).await;
            assert_eq!(world.end_of(id).await, Exit::Code(0));
            assert!(called(&tag).is_empty());
        }
    }
}

#[tokio::test]
async fn a_hidden_child_of_a_living_parent_is_found_by_descent() {
    let world = World::new().await;
    let tag = tag();
    let script = format!("setsid env -i sh -c 'sleep 1000; : {tag}' & echo ready; wait");
    let (id, _) = world.start(world.sh(&script)).await;
    world.says(id, "ready").await;
    eventually(|| called(&tag).len() >= 2).await;
    world.client.kill(id).await.unwrap();
    world.end_of(id).await;
    assert!(called(&tag).is_empty());
}

/// The control group of a world's keeper, where the group of its guard was when it started.
fn stack_group(world: &World) -> std::path::PathBuf {
    let stat = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let field = |stat: &str, at: usize| stat.rsplit(')').next().unwrap().split_whitespace().nth(at).unwrap().to_owned();
    let guard = field(&stat(&world.client.keeper_pid().unwrap().to_string()), 1);
    let start = field(&stat(&guard), 19);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 ")).unwrap().split(' ').nth(4).unwrap();
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
    std::path::PathBuf::from(format!("{mount}{own}/orco-{guard}-{start}"))
}

#[tokio::test]
async fn control_groups_leave_nothing_behind() {
    for world in World::all().await {
        if world.client.backend() != Some(orco_keeper::Backend::Cgroup) {
            continue;
        }
        let dir = stack_group(&world);
        assert!(dir.exists());
        let (id, _) = world.start(world.sh("sleep 1000")).await;
        assert!(dir.join(id.to_string()).exists());
        world.client.kill(id).await.unwrap();
        world.end_of(id).await;
        world.client.shutdown().await;
        assert!(!dir.exists());
    }
}
