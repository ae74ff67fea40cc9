//! The engine with a runtime that exists only in memory, in virtual time.
#![cfg(all(feature = "engine", feature = "sim"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use orco_core::{
    engine::{CommandError, Engine, EventQuery, Finished, NotDone, Standing, StartError},
    log::Query,
    model::{EventKind, Exit, State},
    runtime::Runtime,
    sim::FakeRuntime,
    spec::{Check, Need, RetryLimit, ServiceBuilder, Stack},
};
use tokio::time::Instant;

fn fake(name: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "fake")
}

fn probed(name: &str, ready_after: &str) -> ServiceBuilder {
    fake(name).env("FAKE_READY_AFTER", ready_after).health(Check::custom("fake", serde_json::Value::Null))
}

fn engine(services: impl IntoIterator<Item = ServiceBuilder>) -> (Engine, FakeRuntime) {
    let runtime = FakeRuntime::new();
    let stack = Stack::builder("demo").services(services).build().unwrap();
    let builder = Engine::builder(stack).seed(7).runtime(Arc::new(runtime.clone()) as Arc<dyn Runtime>);
    let engine = builder.probe(Arc::new(runtime.probe()) as Arc<_>).state(scratch()).start().unwrap();
    (engine, runtime)
}

/// A directory of its own per engine: tests run side by side with one seed.
fn scratch() -> orco_core::engine::State {
    orco_core::engine::State::Dir(tempfile::tempdir().unwrap().keep())
}

async fn state(engine: &Engine, service: &str) -> State {
    engine.status().await.unwrap().snapshot.service(service).unwrap().state
}

#[tokio::test(start_paused = true)]
async fn up_goes_through_the_gates_and_shutdown_leaves_nothing() {
    let (engine, runtime) =
        engine([probed("db", "3s"), probed("api", "1s").replicas(2).depends_on("db"), fake("web").depends_on("api")]);
    assert_eq!(state(&engine, "db").await, State::Stopped, "nothing starts before `up`");
    let begun = Instant::now();
    engine.up().await.unwrap().done().await.unwrap();
    let took = begun.elapsed();
    // Probes back off to the interval of 2 s at most, so each gate opens within it of the truth.
    assert!((Duration::from_secs(4)..Duration::from_secs(9)).contains(&took), "{took:?}");
    engine.ready().await.unwrap();
    assert_eq!(runtime.running("api").len(), 2);
    let kinds: Vec<_> = engine.events(EventQuery::all()).map(|e| (e.kind, e.service.clone())).collect().await;
    let position =
        |kind, name: &str| kinds.iter().position(|(k, s)| *k == kind && s.as_ref().is_some_and(|s| s == name)).unwrap();
    assert!(position(EventKind::ServiceReady, "db") < position(EventKind::ServiceStarting, "api"));
    assert!(position(EventKind::ServiceReady, "api") < position(EventKind::ServiceStarting, "web"));
    engine.shutdown().await;
    for name in ["db", "api", "web"] {
        assert!(runtime.running(name).is_empty(), "{name} is left");
    }
    assert!(engine.status().await.is_none(), "the engine has ended");
}

#[tokio::test(start_paused = true)]
async fn where_the_stack_stands_is_told_without_publishing_statuses() {
    let (engine, runtime) = engine([fake("db"), fake("api").depends_on("db")]);
    let mut standing = engine.standing().await.unwrap();
    engine.up().await.unwrap().done().await.unwrap();
    assert_eq!(standing.other_than(Standing::GoingDown).await, Some(Standing::Wanted));
    let version = engine.status().await.unwrap().version;
    assert!(runtime.crash(runtime.running("api")[0], Exit::Code(1)));
    while runtime.running("api").is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(engine.status().await.unwrap().version, version + 1, "nobody watches, so only the asked one was made");
    let ticket = engine.down().await.unwrap();
    // Whoever looks late sees the last only.
    let first = standing.other_than(Standing::Wanted).await;
    assert!(matches!(first, Some(Standing::GoingDown | Standing::Down)), "{first:?}");
    assert_eq!(standing.other_than(Standing::GoingDown).await, Some(Standing::Down));
    assert!(engine.status().await.unwrap().snapshot.all_down());
    ticket.done().await.unwrap();
    engine.shutdown().await;
    assert_eq!(standing.other_than(Standing::Down).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_seen_and_the_service_comes_back() {
    let (engine, runtime) = engine([probed("api", "0s")]);
    engine.up().await.unwrap().done().await.unwrap();
    let first = runtime.running("api");
    assert!(runtime.crash(first[0], Exit::Signal(9)));
    let mut watch = engine.watch().await.unwrap();
    let back =
        watch.until(|s| s.snapshot.service("api").filter(|a| a.restarts == 1 && a.ready).cloned()).await.unwrap();
    assert_eq!(back.exit.unwrap().exit, Exit::Signal(9));
    assert_ne!(runtime.running("api"), first);
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_service_is_named_with_its_evidence() {
    let doomed = fake("db").env("FAKE_EXIT_AFTER", "1s").env("FAKE_EXIT_CODE", "3").env("FAKE_LOG", "no disk");
    let never = doomed
        .health(Check::custom("fake", serde_json::Value::Null))
        .env("FAKE_READY_AFTER", "1h")
        .restart(|r| r.max_retries = RetryLimit::Limited(1));
    let (engine, _) = engine([never, fake("api").depends_on("db"), probed("solo", "0s")]);
    let _ = engine.up().await.unwrap();
    let error = engine.ready().await.unwrap_err().to_string();
    for part in ["db is Failed", "exit code 3", "no disk"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(state(&engine, "solo").await, State::Running, "the rest runs");
    let why = engine.why("api").await.unwrap();
    assert!(why.message.contains("dependency db not Ready"), "{}", why.message);
    assert_eq!(why.root().log.last().unwrap().msg, "no disk");
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn oneshots_finish_the_stack() {
    let task = |name| fake(name).oneshot().env("FAKE_EXIT_AFTER", "1s");
    let (engine, _) = engine([task("seed"), task("check").depends_on(Need::completed("seed"))]);
    let ticket = engine.up().await.unwrap();
    assert_eq!(engine.finished().await, Some(Finished::Completed));
    ticket.done().await.unwrap();
    engine.shutdown().await;

    let bad = task("bad").env("FAKE_EXIT_CODE", "1").restart(|r| r.max_retries = RetryLimit::Limited(0));
    let (engine, _) = self::engine([bad, fake("api").depends_on(Need::completed("bad"))]);
    let ticket = engine.up().await.unwrap();
    let Some(Finished::Failed(names)) = engine.finished().await else { panic!("it finished well") };
    assert_eq!(names.iter().map(|n| n.as_str()).collect::<Vec<_>>(), ["bad", "api"]);
    assert!(matches!(ticket.done().await, Err(NotDone::Failed { service, .. }) if service == "bad"));
    let why = engine.why("api").await.unwrap();
    assert_eq!(why.root().service, "bad");
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn tickets_tell_of_the_end() {
    let (engine, runtime) = engine([probed("db", "0s").env("FAKE_STOP_AFTER", "2s"), fake("api").depends_on("db")]);
    engine.up().await.unwrap().done().await.unwrap();
    let before = runtime.running("db");
    let begun = Instant::now();
    engine.restart("db").await.unwrap().done().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "a restart is over when the new one is ready");
    assert_ne!(runtime.running("db"), before);
    engine.stop("db").await.unwrap().done().await.unwrap();
    assert_eq!(state(&engine, "db").await, State::Stopped);
    assert_eq!(runtime.running("api").len(), 1, "what depends on it stays");
    engine.start("db").await.unwrap().done().await.unwrap();
    engine.scale("api", 3).await.unwrap().done().await.unwrap();
    assert_eq!(runtime.running("api").len(), 3);
    engine.scale("api", 1).await.unwrap().done().await.unwrap();
    assert_eq!(runtime.running("api").len(), 1);
    let unknown = engine.restart("dbb").await.err();
    assert!(matches!(unknown, Some(CommandError::Refused(_))), "{unknown:?}");
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_without_handles_kills_and_ends() {
    let (engine, runtime) = engine([fake("api").env("FAKE_IGNORE_STOP", "1")]);
    engine.up().await.unwrap().done().await.unwrap();
    let mut events = std::pin::pin!(engine.events(EventQuery::following()));
    drop(engine);
    // The stream of events ends with the engine.
    while events.next().await.is_some() {}
    assert!(runtime.running("api").is_empty());
}

#[tokio::test(start_paused = true)]
async fn logs_of_a_streaming_runtime_are_stored_and_followed() {
    let (engine, runtime) = engine([fake("api").env("FAKE_LOG", "hello")]);
    engine.up().await.unwrap().done().await.unwrap();
    let mut follow = std::pin::pin!(engine.logs(Query::default(), true));
    let first = follow.next().await.unwrap();
    assert_eq!((first[0].msg.as_str(), first[0].run, first[0].seq), ("hello", 1, 0));
    runtime.crash(runtime.running("api")[0], Exit::Code(1));
    let second = follow.next().await.unwrap();
    assert_eq!((second[0].msg.as_str(), second[0].run, second[0].seq), ("hello", 2, 0), "followed over a restart");
    let past: Vec<_> = engine.logs(Query::default(), false).collect().await;
    assert_eq!(past.concat().len(), 2);
    engine.shutdown().await;
    assert!(follow.next().await.is_none(), "a follower ends with the engine");
}

#[tokio::test(start_paused = true)]
async fn who_comes_and_goes_between_two_looks_is_followed_too() {
    let quick = |n: u32| fake(&format!("t{n}")).oneshot().env("FAKE_LOG", "said").env("FAKE_EXIT_AFTER", "0s");
    let (engine, _) = engine((0..50).map(quick));
    let follow = tokio::spawn(engine.logs(Query::default(), true).collect::<Vec<_>>());
    engine.up().await.unwrap().done().await.unwrap();
    engine.shutdown().await;
    let all = follow.await.unwrap().concat();
    let services: std::collections::BTreeSet<_> = all.iter().map(|r| r.service.clone()).collect();
    assert_eq!((all.len(), services.len()), (50, 50));
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_does_not_fit_its_plugins_starts_nothing() {
    let stack = Stack::builder("demo")
        .service(fake("api"))
        .service(fake("db").health(Check::tcp("localhost:1")))
        .build()
        .unwrap();
    let error = Engine::builder(stack).start().unwrap_err();
    let StartError::Invalid(all) = &error else { panic!("{error}") };
    assert_eq!(all.len(), 2, "{error}");
    assert!(error.to_string().contains("runtime `fake` is not registered"), "{error}");
}
