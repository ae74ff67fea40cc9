//! The fake runtime keeps the contract of runtimes, under a paused clock.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use orco_core::{
    brain::samples,
    model::{Exit, InstanceId, StackId, Verdict},
    probe::{Exec, Probe as _, Target},
    runtime::{ExecRequest, ExecResult, Handle, How, LogSource, LogTarget, Runtime as _, RuntimeError, StartRequest},
    sim::FakeRuntime,
};
use tokio::time::{Instant, timeout};

const STACK: StackId = StackId::from_bits(1);

fn request(instance: u128, env: &[(&str, &str)]) -> StartRequest {
    let mut service = samples::service("api");
    service.env = env.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
    StartRequest::new(STACK, InstanceId(instance), Arc::new(service), LogTarget::new("/nowhere", "0.1"))
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Debug)]
struct NoExec;

#[async_trait::async_trait]
impl Exec for NoExec {
    async fn exec(&self, _: Vec<String>, _: Duration) -> Result<ExecResult, RuntimeError> {
        Err(RuntimeError::refused("not here"))
    }
}

/// Variables, how it is stopped, and after how many milliseconds it ends how.
type Case = (&'static [(&'static str, &'static str)], Option<How>, u64, Exit);

#[tokio::test(start_paused = true)]
async fn it_ends_by_itself_or_when_it_is_told() {
    let table: [Case; 6] = [
        (&[("FAKE_EXIT_AFTER", "2s"), ("FAKE_EXIT_CODE", "7")], None, 2000, Exit::Code(7)),
        (&[], Some(How::Graceful(15)), 0, Exit::Signal(15)),
        (&[("FAKE_STOP_AFTER", "300ms")], Some(How::Graceful(2)), 300, Exit::Signal(2)),
        (&[("FAKE_IGNORE_STOP", "1"), ("FAKE_EXIT_AFTER", "9s")], Some(How::Graceful(15)), 9000, Exit::Code(0)),
        (&[("FAKE_IGNORE_STOP", "1")], Some(How::Kill), 0, Exit::Signal(9)),
        (&[("FAKE_EXIT_AFTER", "1s"), ("FAKE_STOP_AFTER", "5s")], Some(How::Graceful(15)), 1000, Exit::Code(0)),
    ];
    for (n, (env, how, after, exit)) in table.into_iter().enumerate() {
        let runtime = FakeRuntime::new();
        let handle = runtime.start(request(n as u128, env)).await.unwrap();
        let began = Instant::now();
        if let Some(how) = how {
            runtime.stop(&handle, how).await.unwrap();
        }
        // Dropped half-way and asked again, by two at once.
        let _ = timeout(ms(1), runtime.wait(&handle)).await;
        let (one, two) = tokio::join!(runtime.wait(&handle), runtime.wait(&handle));
        assert_eq!((one.unwrap(), two.unwrap()), (exit, exit), "{env:?} {how:?}");
        assert!((began.elapsed().as_millis() as i128 - i128::from(after)).abs() <= 2, "{env:?} {how:?}");
        // Its end has not been recorded yet.
        assert_eq!(runtime.list(&STACK, &[]).await.unwrap().len(), 1);
        // After the end everything still succeeds.
        runtime.stop(&handle, How::Kill).await.unwrap();
        assert_eq!(runtime.wait(&handle).await.unwrap(), exit);
        runtime.remove(&handle).await.unwrap();
        runtime.remove(&handle).await.unwrap();
        assert!(runtime.list(&STACK, &[]).await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_wakes_whoever_waits_already() {
    let runtime = FakeRuntime::new();
    let handle = runtime.start(request(1, &[])).await.unwrap();
    let waiter = tokio::spawn({
        let (runtime, handle) = (runtime.clone(), handle.clone());
        async move { runtime.wait(&handle).await }
    });
    tokio::task::yield_now().await;
    runtime.stop(&handle, How::Graceful(15)).await.unwrap();
    assert_eq!(timeout(ms(10), waiter).await.unwrap().unwrap().unwrap(), Exit::Signal(15));
}

#[tokio::test(start_paused = true)]
async fn starts_take_their_time_and_may_be_refused() {
    let runtime = FakeRuntime::new();
    let began = Instant::now();
    runtime.start(request(1, &[("FAKE_START_AFTER", "40ms")])).await.unwrap();
    assert!(began.elapsed() >= ms(40));
    assert_eq!(runtime.list(&STACK, &[]).await.unwrap().len(), 1);
    assert!(runtime.list(&StackId::from_bits(2), &[]).await.unwrap().is_empty());
    let refused = runtime.start(request(2, &[("FAKE_START_ERROR", "no such file")])).await.unwrap_err();
    assert!(refused.is_certain());
    assert_eq!(refused.to_string(), "no such file");
    // Given up half-way: nothing of it is left.
    let half = timeout(ms(5), runtime.start(request(3, &[("FAKE_START_AFTER", "1s")]))).await;
    assert!(half.is_err());
    runtime.reap(InstanceId(3)).await.unwrap();
    assert_eq!(runtime.list(&STACK, &[]).await.unwrap().len(), 1);
    runtime.reap(InstanceId(1)).await.unwrap();
    assert!(runtime.list(&STACK, &[]).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn probes_pass_when_it_is_ready_and_only_then() {
    let runtime = FakeRuntime::new();
    let handle = runtime.start(request(1, &[("FAKE_READY_AFTER", "2s")])).await.unwrap();
    let probe = runtime.probe();
    let target = Target::new(samples::name("api"), 0, InstanceId(1), Arc::new(NoExec));
    let ready = async || {
        let start = Arc::new(request(1, &[]));
        let asked = ExecRequest::new(&start, vec!["fake-ready".to_owned()], ms(10));
        runtime.exec(asked).await.unwrap().exit == Some(Exit::Code(0))
    };
    assert!(matches!(probe.check(&target).await, Verdict::Fail(_)));
    assert!(!ready().await);
    tokio::time::advance(ms(2000)).await;
    assert_eq!(probe.check(&target).await, Verdict::Pass);
    assert!(ready().await);
    assert!(runtime.crash(InstanceId(1), Exit::Code(1)));
    assert!(matches!(probe.check(&target).await, Verdict::Fail(_)));
    assert!(!ready().await);
    assert!(!runtime.crash(InstanceId(1), Exit::Code(1)));
    runtime.remove(&handle).await.unwrap();
    assert!(matches!(probe.check(&target).await, Verdict::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn its_output_ends_with_it() {
    let runtime = FakeRuntime::new();
    let handle = runtime.start(request(1, &[("FAKE_LOG", "hello"), ("FAKE_EXIT_AFTER", "1s")])).await.unwrap();
    let LogSource::Stream(stream) = runtime.logs(&handle, None) else { panic!("a stream") };
    let chunks: Vec<_> = stream.collect().await;
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].bytes, b"hello\n");
    let stranger = Handle::new(InstanceId(9), "9");
    assert_eq!(runtime.wait(&stranger).await.unwrap(), Exit::Unknown);
}

#[test]
fn bad_variables_are_diagnostics() {
    let mut service = samples::service("api");
    for (name, value) in [("FAKE_READY_AFTER", "soon"), ("FAKE_EXIT_CODE", "x"), ("FAKE_STOP_AFTER", "5")] {
        service.env.insert(name.to_owned(), Some(value.to_owned()));
    }
    let said: Vec<_> = FakeRuntime::new().validate(&service).into_iter().map(|d| d.message).collect();
    assert_eq!(
        said,
        [
            "FAKE_READY_AFTER: `soon` is no duration",
            "FAKE_STOP_AFTER: `5` is no duration",
            "FAKE_EXIT_CODE: `x` is no exit code"
        ]
    );
}
