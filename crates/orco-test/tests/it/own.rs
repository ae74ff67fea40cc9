//! A stack per test.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use orco_core::spec::{Check, Need, RetryLimit, ServiceBuilder, Stack};
use orco_test::{Error, Logs, Running, Services, Shared, TestStack};

use crate::{
    actor::{stack, stuck},
    world::{Actor, eventually, failure, kill, mark, marked, rooms},
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn handles_are_cheap_and_go_anywhere() {
    const fn anywhere<T: Clone + Send + Sync + 'static>() {}
    anywhere::<Running>();
    anywhere::<Shared>();
    anywhere::<Services>();
    anywhere::<Logs>();
    fn sent<T: Send>(_: &T) {}
    sent(&TestStack::new(stack("never started")).start());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_at_once_do_not_clash() {
    let mark = mark();
    let starts = (0..10).map(|_| tokio::spawn(TestStack::new(stack(&mark)).start()));
    let mut all = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        all.push(start.await.unwrap().unwrap());
    }
    let mut addresses = BTreeSet::new();
    for running in &all {
        let server = running.endpoint("server").await.unwrap();
        let said = running.logs("server").wait_for("^port", SOON).await.unwrap();
        assert_eq!(said.msg, format!("port {}", server.port()));
        addresses.extend([server, running.endpoint_of("server", "metrics").await.unwrap()]);
        assert_eq!(running.endpoints("server").await.unwrap(), [server]);
        assert!(matches!(running.endpoint_of("server", "other").await, Err(Error::Command(_))));
        assert!(matches!(running.endpoint("nobody").await, Err(Error::Command(_))));
    }
    assert_eq!(addresses.len(), 20);
    for running in &all {
        running.shutdown().await.unwrap();
    }
    assert_eq!(marked(&mark), [0_u32; 0]);
}

#[tokio::test]
async fn a_failed_start_says_all_that_is_needed() {
    let mark = mark();
    let never = |restart: &mut orco_core::spec::Restart| restart.max_retries = RetryLimit::Limited(0);
    let script = "for i in $(seq 60); do echo line $i; done; echo no space >&2; exit 3";
    let db = ServiceBuilder::new("db", "process").shell(script).health(Check::log("^ready")).restart(never);
    let api = ServiceBuilder::new("api", "process").shell("sleep 1000").depends_on("db");
    let other = ServiceBuilder::new("other", "process").shell("exec sleep 1000").env("MARK", &mark);
    let stack = Stack::builder("shop").workdir("/").services([db.env("MARK", &mark), api, other]).build().unwrap();
    let result = TestStack::new(stack).start().await;
    let text = result.as_ref().unwrap_err().to_string();
    let failure = failure(result);
    assert_eq!((failure.stack.as_str(), failure.service.as_str()), ("shop", "db"));
    assert_eq!(failure.exit.as_deref(), Some("exit code 3"), "{failure:?}");
    assert_eq!(failure.log.len(), 50, "{failure:?}");
    assert_eq!(failure.log.last().unwrap(), "stderr no space");
    assert!(text.contains("exit code 3") && text.contains("no space") && text.contains("line 60"), "{text}");
    assert_eq!(marked(&mark), [0_u32; 0], "what had started is gone");
}

#[tokio::test]
async fn what_a_probe_said_is_in_the_failure() {
    let api = ServiceBuilder::new("api", "process").shell("echo up; exec sleep 1000");
    let api = api.env("PORT", "${port}").health(Check::tcp("localhost:${port}"));
    let web = ServiceBuilder::new("web", "process").shell("exec sleep 1000").depends_on(Need::new("api"));
    let stack = Stack::builder("shop").workdir("/").services([web, api]).build().unwrap();
    let begun = Instant::now();
    let failure = failure(TestStack::new(stack).within(Duration::from_millis(1500)).start().await);
    assert!(begun.elapsed() < SOON);
    assert_eq!((failure.service.as_str(), failure.waiting.as_slice()), ("api", &["web".to_owned()][..]), "{failure:?}");
    assert!(failure.message.contains("not ready within 1.5s"), "{failure}");
    assert!(failure.probes.iter().any(|said| said.contains("refused")), "{failure:?}");
    assert_eq!(failure.log, ["stdout up"]);
}

#[tokio::test]
async fn a_stack_file_is_started_or_its_mistakes_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stack.yaml");
    let text = "stack: {name: app}\nservices:\n  one: {runtime: process, kind: oneshot, command: [echo, done]}\n";
    std::fs::write(&file, text).unwrap();
    let running = TestStack::from_file(&file).unwrap().start().await.unwrap();
    assert_eq!(running.logs("one").count("^done$").await.unwrap(), 1);
    running.shutdown().await.unwrap();
    std::fs::write(&file, text.replace("runtime", "runtme")).unwrap();
    let error = TestStack::from_file(&file).unwrap_err();
    assert!(matches!(&error, Error::Invalid { .. }) && error.to_string().contains("runtme"), "{error}");
}

#[tokio::test]
async fn logs_are_asserted_on_from_the_first_byte_and_after_the_end() {
    let script = "echo first; sleep 0.2; echo second >&2; echo second again; printf unfinished";
    let talker = ServiceBuilder::new("talker", "process").shell(format!("{script}; exec sleep 1000"));
    let stack = Stack::builder("app").workdir("/").service(talker).build().unwrap();
    let running = TestStack::new(stack).start().await.unwrap();
    let logs = running.logs("talker");
    assert_eq!(logs.wait_for("^second", SOON).await.unwrap().msg, "second");
    assert_eq!(logs.wait_for_count("^second", 2, SOON).await.unwrap()[1].msg, "second again");
    let errors = logs.clone().source(orco_core::log::Source::Stderr);
    assert_eq!(errors.count("").await.unwrap(), 1);

    let missing = logs.wait_for("^third", Duration::from_millis(200)).await.unwrap_err().to_string();
    assert!(missing.starts_with("talker: 0 of 1 lines match `^third` after 200ms; its last line: "), "{missing}");
    assert!(matches!(logs.count("(").await, Err(Error::Pattern { .. })));
    assert!(matches!(running.logs("no such name!").count("x").await, Err(Error::Refused(_))));

    let now = logs.clone().from_now();
    let before = Duration::from_millis(200);
    assert!(now.wait_for("^second", before).await.is_err(), "that was before");
    running.restart("talker").await.unwrap();
    now.wait_for("^second", SOON).await.unwrap();
    logs.wait_for_count("^second again", 2, SOON).await.unwrap();
    assert_eq!(logs.clone().since_start().count("^second again").await.unwrap(), 1);

    running.shutdown().await.unwrap();
    assert_eq!(logs.count("^first").await.unwrap(), 2, "kept after the instances are gone");
    assert_eq!(logs.wait_for_count("^unfinished$", 2, Duration::from_millis(100)).await.unwrap().len(), 2);
    let folder = running.log_dir();
    drop(running);
    assert!(folder.exists(), "the logs are held");
    drop((logs, now, errors));
    assert!(!folder.exists());
}

#[test]
fn dropped_in_any_runtime_it_blocks_nobody_and_leaves_nothing() {
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let multi = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for (name, runtime) in [("current thread", current), ("multi thread", multi)] {
        let mark = mark();
        // Inside the runtime.
        runtime.block_on(async {
            let running = TestStack::new(stack(&mark)).start().await.unwrap();
            assert_ne!(marked(&mark).len(), 0);
            let begun = Instant::now();
            drop(running);
            assert!(begun.elapsed() < Duration::from_secs(1), "{name}");
        });
        // Outside, after its runtime has gone.
        let running = runtime.block_on(TestStack::new(stack(&mark)).start()).unwrap();
        drop(runtime);
        drop(running);
        eventually(name, SOON, || marked(&mark).is_empty());
    }
}

#[tokio::test]
async fn a_start_that_is_cancelled_leaves_nothing() {
    let mark = mark();
    for delay in [0, 1, 5, 20, 50, 100] {
        let start = TestStack::new(stuck(&mark)).start();
        assert!(tokio::time::timeout(Duration::from_millis(delay), start).await.is_err());
    }
    tokio::task::spawn_blocking(move || eventually("gone", SOON, || marked(&mark).is_empty())).await.unwrap();
}

#[test]
fn a_test_process_that_is_killed_takes_everything_with_it() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut all: Vec<_> = (0..3).map(|_| Actor::start("own", temp.path(), &mark)).collect();
    all.iter_mut().for_each(|actor| drop(actor.says("ready")));
    assert_eq!(marked(&mark).len(), 6, "a shell and its child each");
    all.iter_mut().for_each(Actor::kill);
    eventually("no service is left", SOON, || marked(&mark).is_empty());
    // The next test takes away the directories of those that were killed.
    let mut next = Actor::start("own", temp.path(), &mark);
    next.says("ready");
    assert_eq!(rooms(temp.path()).len(), 1);
    next.end();
    eventually("nothing is left", SOON, || marked(&mark).is_empty());
}

#[test]
fn a_service_that_is_killed_comes_again_and_the_log_goes_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mark = mark();
    runtime.block_on(async {
        let running = TestStack::new(stack(&mark)).start().await.unwrap();
        let engine = running.engine().unwrap().clone();
        let status = engine.status().await.unwrap();
        kill(status.overlays.values().find_map(|instance| instance.pid).unwrap());
        running.logs("server").wait_for_count("^ready", 2, SOON).await.unwrap();
        engine.ready().await.unwrap();
        running.shutdown().await.unwrap();
    });
    assert_eq!(marked(&mark), [0_u32; 0]);
}
