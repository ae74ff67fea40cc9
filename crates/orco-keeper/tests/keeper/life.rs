//! Starting, ending, stopping.

use orco_core::model::Exit;
use orco_keeper::{Refusal, Stage};

use crate::world::{World, alive, eventually, stamped, within};

#[tokio::test]
async fn codes_and_signals_are_told_apart() {
    for world in World::all().await {
        assert_eq!(world.run("exit 0").await.1, Exit::Code(0));
        assert_eq!(world.run("exit 137").await.1, Exit::Code(137));
        assert_eq!(world.run("kill -9 $$").await.1, Exit::Signal(9));
        assert_eq!(world.run("kill -TERM $$").await.1, Exit::Signal(15));
    }
}

#[tokio::test]
async fn output_is_in_the_log_when_the_end_is_told() {
    let world = World::new().await;
    let (id, exit) = world.run("echo out; echo err >&2; exit 3").await;
    assert_eq!(exit, Exit::Code(3));
    assert!(world.log_text(id).contains("out\n") && world.log_text(id).contains("err\n"));
}

#[tokio::test]
async fn the_end_can_be_asked_for_again_and_by_many() {
    let world = World::new().await;
    let (id, _) = world.start(world.sh("read x; exit 5")).await;
    let (a, b) = within(async { tokio::join!(world.client.wait(id), world.client.wait(id)) }).await;
    assert_eq!((a, b), (Some(Exit::Code(5)), Some(Exit::Code(5))));
    assert_eq!(world.end_of(id).await, Exit::Code(5));
    world.client.forget(id);
    assert_eq!(within(world.client.wait(id)).await, None);
}

#[tokio::test]
async fn a_stop_reaches_the_group_and_a_signal_the_main_process_alone() {
    let world = World::new().await;
    let script = "trap 'echo main; exit 0' TERM; trap 'echo usr1' USR1; \
                  sh -c 'trap \"echo child; exit 0\" TERM; trap \"echo bad\" USR1; echo ready; while :; do sleep 0.01; done' & \
                  while :; do wait; done";
    let (id, _) = world.start(world.sh(script)).await;
    world.says(id, "ready").await;
    world.client.signal(id, libc::SIGUSR1).await.unwrap();
    world.says(id, "usr1").await;
    world.client.stop(id, libc::SIGTERM).await.unwrap();
    world.says(id, "child").await;
    assert_eq!(world.end_of(id).await, Exit::Code(0));
    assert!(!world.log_text(id).contains("bad"));
}

#[tokio::test]
async fn who_ignores_the_stop_signal_dies_at_the_kill() {
    for world in World::all().await {
        let (id, pid) = world.start(world.sh("trap '' TERM; echo ready; while :; do sleep 0.01; done")).await;
        world.says(id, "ready").await;
        world.client.stop(id, libc::SIGTERM).await.unwrap();
        assert!(alive(pid));
        world.client.kill(id).await.unwrap();
        assert_eq!(world.end_of(id).await, Exit::Signal(9));
        assert!(stamped(id).is_empty());
        // Idempotent after the end.
        world.client.kill(id).await.unwrap();
        world.client.stop(id, libc::SIGTERM).await.unwrap();
        world.client.signal(id, libc::SIGTERM).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_main_process_leaves_is_killed_at_once() {
    for world in World::all().await {
        let (id, _) = world.start(world.sh("sleep 1000 & sh -c 'sleep 1000 & sleep 1000' & echo ready; exit 7")).await;
        assert_eq!(world.end_of(id).await, Exit::Code(7));
        assert!(stamped(id).is_empty());
    }
}

#[tokio::test]
async fn after_a_graceful_stop_the_rest_may_live_until_the_kill() {
    for world in World::all().await {
        let script = "sh -c \"trap '' TERM; echo ready; while :; do sleep 0.01; done\" & exec sleep 1000";
        let (id, pid) = world.start(world.sh(script)).await;
        world.says(id, "ready").await;
        world.client.stop(id, libc::SIGTERM).await.unwrap();
        eventually(|| !alive(pid)).await;
        let wait = tokio::time::timeout(std::time::Duration::from_millis(150), world.client.wait(id)).await;
        assert!(wait.is_err(), "over although a child lives");
        assert!(!stamped(id).is_empty());
        world.client.kill(id).await.unwrap();
        assert_eq!(world.end_of(id).await, Exit::Signal(15));
        assert!(stamped(id).is_empty());
    }
}

#[tokio::test]
async fn a_start_that_fails_names_the_step() {
    let world = World::new().await;
    let failure = async |change: &dyn Fn(&mut orco_keeper::Spawn)| {
        let mut spawn = world.sh("true");
        change(&mut spawn);
        match world.client.spawn(spawn).await.unwrap_err().kind() {
            Refusal::System { stage, errno } => (*stage, *errno),
            other => panic!("{other}"),
        }
    };
    assert_eq!(failure(&|s| s.launch.program = (*b"/no/such").into()).await, (Stage::Program, libc::ENOENT));
    assert_eq!(failure(&|s| s.launch.program = (*b"/etc/passwd").into()).await, (Stage::Program, libc::EACCES));
    assert_eq!(failure(&|s| s.launch.workdir = (*b"/no/such").into()).await, (Stage::Workdir, libc::ENOENT));
    assert_eq!(failure(&|s| s.launch.argv.push((*b"a\0b").into())).await, (Stage::Prepare, libc::EINVAL));
    let long = vec![b'x'; 7 << 20];
    assert_eq!(failure(&|s| s.launch.argv.push(long.clone().into())).await, (Stage::Program, libc::E2BIG));
    let mut spawn = world.sh("true");
    spawn.launch.argv.push(vec![b'x'; 9 << 20].into());
    assert_eq!(world.client.spawn(spawn).await.unwrap_err().kind(), &Refusal::TooLong);
    // And the keeper goes on.
    assert_eq!(world.run("exit 4").await.1, Exit::Code(4));
    assert!(world.client.live().is_empty());
}

#[tokio::test]
async fn two_hundred_at_once() {
    for world in World::all().await {
        let starts = (0..200).map(|_| world.client.spawn(world.sh("read x; exit 0")));
        let pids = within(join_all(starts)).await;
        assert!(pids.iter().all(Result::is_ok), "{pids:?}");
        let ids: Vec<_> = world.client.live().into_iter().map(|(id, _)| id).collect();
        for id in ids {
            assert_eq!(world.end_of(id).await, Exit::Code(0));
        }
    }
}

#[tokio::test]
async fn a_dropped_start_can_still_be_ended() {
    let world = World::new().await;
    for _ in 0..20 {
        let spawn = world.sh("sleep 1000");
        let id = spawn.launch.id;
        let mut start = Box::pin(world.client.spawn(spawn));
        // Polled once: the order is on its way.
        assert!(futures_poll_once(start.as_mut()).await.is_none());
        drop(start);
        world.client.kill(id).await.unwrap();
        world.end_of(id).await;
        assert!(stamped(id).is_empty());
    }
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}

async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
