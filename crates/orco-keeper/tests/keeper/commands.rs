//! Commands beside instances.

use std::time::{Duration, Instant};

use orco_core::model::Exit;

use crate::world::{World, called, eventually, fresh, within};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn end_and_output_come_back() {
    for world in World::all().await {
        let done = within(world.client.exec(world.sh("echo a; echo b >&2; exit 9").launch, LONG)).await.unwrap();
        assert_eq!((done.exit, done.output), (Some(Exit::Code(9)), b"a\nb\n".to_vec()));
        let done = within(world.client.exec(world.sh("kill -9 $$").launch, LONG)).await.unwrap();
        assert_eq!(done.exit, Some(Exit::Signal(9)));
    }
}

#[tokio::test]
async fn it_reads_what_it_is_given_to_the_end() {
    for world in World::all().await {
        let much = vec![7; 5 << 20];
        for stdin in [&b"a\nb"[..], b"", &much] {
            let launch = world.sh("cat | cksum; ls -l /proc/self/fd | grep -c memfd").launch;
            let done = within(world.client.exec_with(launch, stdin.to_vec(), LONG)).await.unwrap();
            let text = String::from_utf8(done.output).unwrap();
            let (cksum, own) = text.trim().split_once('\n').unwrap();
            assert!(cksum.ends_with(&format!(" {}", stdin.len())), "{text}");
            // Its input and nothing else; and who is started next has none of it.
            assert_eq!(own, if stdin.is_empty() { "0" } else { "1" });
        }
        // One that does not read it ends all the same.
        let done = within(world.client.exec_with(world.sh("exit 3").launch, much.clone(), LONG)).await.unwrap();
        assert_eq!(done.exit, Some(Exit::Code(3)));
        assert!(within(world.client.exec_with(world.sh("cat").launch, vec![7; 9 << 20], LONG)).await.is_err());
    }
}

#[tokio::test]
async fn of_much_output_the_end_is_kept() {
    let world = World::new().await;
    let script = "head -c 5000000 /dev/zero | tr '\\0' x; echo end";
    let done = within(world.client.exec(world.sh(script).launch, LONG)).await.unwrap();
    assert_eq!(done.output.len(), 64 << 10);
    assert!(done.output.ends_with(b"xend\n"));
    assert_eq!(done.omitted, 5_000_004 - (64 << 10));
}

#[tokio::test]
async fn the_timeout_takes_the_whole_tree() {
    for world in World::all().await {
        let tag = format!("tag-{}", fresh());
        let script = format!("setsid sh -c 'trap \"\" TERM; sleep 1000; : {tag}' & echo begun; sleep 1000; : {tag}");
        let begun = Instant::now();
        let done = within(world.client.exec(world.sh(&script).launch, Duration::from_millis(200))).await.unwrap();
        assert_eq!((done.exit, done.output), (None, b"begun\n".to_vec()));
        assert!(begun.elapsed() < Duration::from_millis(1200));
        assert!(called(&tag).is_empty());
    }
}

#[tokio::test]
async fn dropped_it_is_killed() {
    let world = World::new().await;
    let tag = format!("tag-{}", fresh());
    let launch = world.sh(&format!("sleep 1000 & sleep 1000; : {tag}")).launch;
    let mut exec = Box::pin(world.client.exec(launch, LONG));
    tokio::select! {
        _ = &mut exec => panic!("it ended"),
        () = eventually(|| !called(&tag).is_empty()) => {}
    }
    drop(exec);
    eventually(|| called(&tag).is_empty()).await;
}

#[tokio::test]
async fn what_it_leaves_behind_is_killed_and_the_service_is_not() {
    for world in World::all().await {
        let (service, _) = world.start(world.sh("exec sleep 1000")).await;
        let tag = format!("tag-{}", fresh());
        let script = format!("sh -c 'sleep 1000; : {tag}' & exit 0");
        let done = within(world.client.exec(world.sh(&script).launch, LONG)).await.unwrap();
        assert_eq!(done.exit, Some(Exit::Code(0)));
        assert!(called(&tag).is_empty());
        assert_eq!(world.client.live().len(), 1);
        world.client.kill(service).await.unwrap();
        world.end_of(service).await;
    }
}

#[tokio::test]
async fn a_hung_one_delays_no_other() {
    let world = World::new().await;
    let hung: Vec<_> = (0..50)
        .map(|_| {
            let (client, launch) = (world.client.clone(), world.sh("exec sleep 1000").launch);
            tokio::spawn(async move { client.exec(launch, Duration::from_millis(800)).await })
        })
        .collect();
    for _ in 0..20 {
        let done = within(world.client.exec(world.sh("exit 0").launch, LONG)).await.unwrap();
        assert_eq!(done.exit, Some(Exit::Code(0)));
    }
    for task in hung {
        assert_eq!(within(task).await.unwrap().unwrap().exit, None);
    }
}
