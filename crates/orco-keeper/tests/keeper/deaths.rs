//! kill -9 of engine, keeper, guard, and of several at once.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use orco_core::model::Exit;
use orco_keeper::Event;

use crate::{
    trees::rounds,
    world::{World, alive, called, eventually, fresh, kill, stamped, within},
};

/// An engine in another process, with services that carry the tag in their arguments.
struct Engine {
    process: Child,
    keeper: u32,
    tag: String,
}

fn engine() -> Engine {
    let tag = format!("tag-{}", fresh());
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["deaths::inner_engine", "--exact", "--ignored", "--nocapture"])
        .env("ORCO_TEST_TAG", &tag)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let keeper =
        lines.find_map(|line| line.strip_prefix("keeper ").map(|pid| pid.parse().unwrap())).expect("no keeper");
    Engine { process, keeper, tag }
}

/// An engine with ten plain services, a hostile one and one that has left a hidden process. It waits to be killed.
#[tokio::test]
#[ignore = "run by the tests below, in a process of its own"]
async fn inner_engine() {
    use std::io::Write;
    let Ok(tag) = std::env::var("ORCO_TEST_TAG") else { return };
    let world = World::new().await;
    for _ in 0..10 {
        world.start(world.role("stay", &[&tag])).await;
    }
    let (hostile, _) = world.start(world.role("hostile", &[&tag, "clean"])).await;
    world.says(hostile, "ready").await;
    let (hidden, _) = world.start(world.role("hide", &[&tag])).await;
    world.end_of(hidden).await;
    writeln!(std::io::stdout(), "\nkeeper {}", world.client.keeper_pid().unwrap()).unwrap();
    std::future::pending::<()>().await;
}

impl Engine {
    /// Kills it, and with it others, and returns how long the last of its services lived on.
    fn kill(mut self, others: &[u32]) -> Duration {
        while called(&self.tag).len() < 50 {
            std::thread::sleep(Duration::from_millis(5));
        }
        for other in others {
            kill(*other, libc::SIGKILL);
        }
        let begun = Instant::now();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while !called(&self.tag).is_empty() || alive(self.keeper) {
            assert!(begun.elapsed() < Duration::from_secs(10), "left: {:?}", called(&self.tag));
            std::thread::sleep(Duration::from_millis(5));
        }
        begun.elapsed()
    }
}

#[test]
fn with_the_engine_everything_ends_within_a_second() {
    for _ in 0..rounds(3) {
        let took = engine().kill(&[]);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn with_engine_and_keeper_killed_at_once_nothing_is_left() {
    for _ in 0..rounds(3) {
        let engine = engine();
        let keeper = engine.keeper;
        let took = engine.kill(&[keeper]);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

fn guard_of(keeper: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{keeper}/stat")).unwrap();
    stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_killed_keeper_is_noticed_swept_and_replaced() {
    for world in World::all().await {
        let tag = format!("tag-{}", fresh());
        let (plain, pid) = world.start(world.role("stay", &[&tag])).await;
        let (hidden, _) = world.start(world.role("hide", &[&tag])).await;
        world.end_of(hidden).await;
        let (hostile, _) = world.start(world.role("hostile", &[&tag, "clean"])).await;
        world.says(hostile, "ready").await;
        let keeper = world.client.keeper_pid().unwrap();
        kill(keeper, libc::SIGKILL);
        assert_eq!(world.end_of(plain).await, Exit::Unknown);
        assert_eq!(world.end_of(hostile).await, Exit::Unknown);
        // Nothing is left by the time it is told.
        assert!(!alive(pid) && called(&tag).is_empty());
        let Event::KeeperLost(why) = within(world.client.event()).await else { panic!("another event") };
        assert!(why.contains(&keeper.to_string()));
        assert_eq!(world.run("exit 6").await.1, Exit::Code(6));
        assert_ne!(world.client.keeper_pid(), Some(keeper));
    }
}

#[tokio::test]
async fn what_was_under_way_when_the_keeper_died_fails_and_does_not_run() {
    let world = World::new().await;
    let keeper = world.client.keeper_pid().unwrap();
    kill(keeper, libc::SIGSTOP);
    let spawn = world.sh("sleep 1000");
    let id = spawn.launch.id;
    let exec = world.sh("sleep 1000").launch;
    let (start, command, ()) = within(async {
        tokio::join!(world.client.spawn(spawn), world.client.exec(exec, Duration::from_secs(100)), async {
            tokio::task::yield_now().await;
            kill(keeper, libc::SIGKILL);
        })
    })
    .await;
    assert_eq!(start.unwrap_err().to_string(), "the keeper was lost");
    assert_eq!(command.unwrap_err().to_string(), "the keeper was lost");
    assert_eq!(world.end_of(id).await, Exit::Unknown);
    assert!(stamped(id).is_empty());
}

#[tokio::test]
async fn without_its_guard_the_keeper_goes_on_and_its_loss_is_swept_by_stamp() {
    for world in World::all().await {
        let guard = guard_of(world.client.keeper_pid().unwrap());
        kill(guard, libc::SIGKILL);
        eventually(|| !alive(guard)).await;
        assert_eq!(world.run("exit 2").await.1, Exit::Code(2));
        let tag = format!("tag-{}", fresh());
        let (hostile, _) = world.start(world.role("hostile", &[&tag, "slow"])).await;
        world.says(hostile, "ready").await;
        kill(world.client.keeper_pid().unwrap(), libc::SIGKILL);
        assert_eq!(world.end_of(hostile).await, Exit::Unknown);
        assert_eq!(called(&tag), Vec::<u32>::new());
        assert_eq!(world.run("exit 3").await.1, Exit::Code(3));
    }
}

#[tokio::test]
async fn dropping_the_client_ends_everything() {
    let world = World::new().await;
    let tag = format!("tag-{}", fresh());
    world.start(world.role("stay", &[&tag])).await;
    world.start(world.sh(&format!("trap '' TERM; sleep 1000; : {tag}"))).await;
    let keeper = world.client.keeper_pid().unwrap();
    let begun = Instant::now();
    drop(world);
    eventually(|| called(&tag).is_empty() && !alive(keeper)).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn after_the_shutdown_all_ends_are_told_and_nothing_starts() {
    let world = World::new().await;
    let (id, pid) = world.start(world.sh("exec sleep 1000")).await;
    world.client.shutdown().await;
    assert!(!alive(pid));
    assert_eq!(world.end_of(id).await, Exit::Unknown);
    let error = world.client.spawn(world.sh("true")).await.unwrap_err();
    assert_eq!(error.to_string(), "the keeper has been shut down");
    world.client.shutdown().await;
}

#[tokio::test]
async fn terminal_signals_do_not_touch_the_keeper() {
    let world = World::new().await;
    let keeper = world.client.keeper_pid().unwrap();
    for pid in [keeper, guard_of(keeper)] {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP, libc::SIGUSR1] {
            kill(pid, signal);
        }
    }
    assert_eq!(world.run("exit 1").await.1, Exit::Code(1));
    assert_eq!(world.client.keeper_pid(), Some(keeper));
}
