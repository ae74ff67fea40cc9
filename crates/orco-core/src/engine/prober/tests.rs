#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::mpsc, time::Instant};

use super::*;
use crate::{
    model::{Gen, InstanceId, ServiceIx, ServiceName, SlotKey},
    probe::Exec,
    runtime::{ExecResult, RuntimeError},
    spec::{Check, Tally, expr::Expr},
};

#[derive(Debug)]
struct NoExec;

#[async_trait]
impl Exec for NoExec {
    async fn exec(&self, _: Vec<String>, _: Duration) -> Result<ExecResult, RuntimeError> {
        Err(RuntimeError::refused("no exec here"))
    }
}

/// Answers by its script, then with the last answer for ever.
#[derive(Debug)]
struct Scripted {
    kind: ProbeKind,
    script: Vec<Says>,
    asked: AtomicUsize,
    at: Mutex<Vec<Instant>>,
    busy: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Pass,
    Fail,
    Panic,
    Hang,
    After(u64),
    /// Time passes while nobody runs, and it has failed.
    Held(u64),
    /// Time passes while nobody runs, and then it takes so long.
    Paused(u64, u64),
}

impl Scripted {
    fn new(kind: ProbeKind, script: &[Says]) -> Arc<Self> {
        Arc::new(Self {
            kind,
            script: script.to_vec(),
            asked: AtomicUsize::new(0),
            at: Mutex::default(),
            busy: AtomicUsize::new(0),
        })
    }

    fn poll(script: &[Says]) -> Arc<Self> {
        Self::new(ProbeKind::Poll, script)
    }
}

struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Probe for Scripted {
    fn kind(&self) -> ProbeKind {
        self.kind
    }

    async fn check(&self, _: &Target) -> Verdict {
        assert_eq!(self.busy.fetch_add(1, Ordering::SeqCst), 0, "asked twice at once");
        let _busy = Busy(&self.busy);
        self.at.lock().unwrap().push(Instant::now());
        let n = self.asked.fetch_add(1, Ordering::SeqCst).min(self.script.len() - 1);
        match self.script[n] {
            Says::Pass => Verdict::Pass,
            Says::Fail => Verdict::Fail("refused".into()),
            Says::Panic => panic!("a bad probe"),
            Says::Hang => std::future::pending().await,
            Says::Held(ms) => {
                tokio::time::advance(Duration::from_millis(ms)).await;
                Verdict::Fail("timeout".into())
            }
            Says::Paused(ms, then) => {
                tokio::time::advance(Duration::from_millis(ms)).await;
                sleep(Duration::from_millis(then)).await;
                Verdict::Pass
            }
            Says::After(ms) => {
                sleep(Duration::from_millis(ms)).await;
                Verdict::Pass
            }
        }
    }
}

fn check(probes: &[Arc<Scripted>], expression: Expr) -> (Prober, mpsc::Receiver<Report>) {
    let spec = ProbeSpec::Custom { name: "scripted".into(), config: serde_json::Value::Null };
    let (tx, rx) = mpsc::channel(4096);
    let tally = Tally {
        grace_period: Duration::ZERO,
        interval: Duration::from_millis(100),
        timeout: Duration::from_millis(50),
        success_threshold: 1,
        failure_threshold: 3,
        start_timeout: Duration::from_secs(60),
    };
    let health = Health { tally, check: Arc::new(Check { probes: vec![spec; probes.len()], expression }) };
    let at = Seat { service: ServiceIx(0), slot: SlotKey { generation: Gen(1), replica: 0 } };
    let target = Target::new(ServiceName::new("api").unwrap(), 0, InstanceId(500), Arc::new(NoExec));
    let probes = probes.iter().map(|p| Arc::clone(p) as Arc<dyn Probe>).collect();
    let prober = Prober {
        at,
        role: Role::Readiness,
        version: ProbeVersion(1),
        health,
        probes,
        target,
        reports: Reports(tx),
        clock: Clock::start(),
        resumed: false,
    };
    (prober, rx)
}

/// What was told within so many milliseconds, with the time of each.
async fn told(prober: Prober, mut rx: mpsc::Receiver<Report>, ms: u64) -> Vec<(u64, Verdict)> {
    let start = Instant::now();
    let task = tokio::spawn(async move { prober.run().await });
    let mut found = Vec::new();
    while let Ok(Some(report)) = tokio::time::timeout_at(start + Duration::from_millis(ms), rx.recv()).await {
        let Report::Fact(Fact::Probed { verdict, .. }) = report else { panic!("not a verdict: {report:?}") };
        found.push((u64::try_from(start.elapsed().as_millis()).unwrap(), verdict));
    }
    task.abort();
    found
}

fn fail() -> Verdict {
    Verdict::Fail("refused".into())
}

#[tokio::test(start_paused = true)]
async fn asks_at_once_then_after_doubling_pauses_then_every_interval() {
    let probe = Scripted::poll(&[Says::Fail, Says::Fail, Says::Fail, Says::Fail, Says::Pass]);
    let (prober, rx) = check(&[Arc::clone(&probe)], Expr::Probe(0));
    let all = told(prober, rx, 420).await;
    let times: Vec<u64> = all.iter().map(|(at, _)| *at).collect();
    // 1 + 2 + 4 + 8 ms while it fails; then half an interval plus a phase of its own (500/2000), then intervals.
    assert_eq!(times, [0, 1, 3, 7, 15, 90, 190, 290, 390]);
    assert_eq!(all[3].1, fail());
    assert!(all[4..].iter().all(|(_, v)| *v == Verdict::Pass));
}

#[tokio::test(start_paused = true)]
async fn the_pause_never_grows_over_the_interval() {
    let (prober, rx) = check(&[Scripted::poll(&[Says::Fail])], Expr::Probe(0));
    let all = told(prober, rx, 1000).await;
    let gaps: Vec<u64> = all.windows(2).map(|w| w[1].0 - w[0].0).collect();
    assert_eq!(gaps[..9], [1, 2, 4, 8, 16, 32, 64, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn a_hung_probe_delays_no_other_and_ends_at_its_timeout() {
    let (hung, good) = (Scripted::poll(&[Says::Hang]), Scripted::poll(&[Says::Pass]));
    let or = Expr::Or(vec![Expr::Probe(0), Expr::Probe(1)]);
    let (prober, rx) = check(&[Arc::clone(&hung), good], or);
    assert_eq!(told(prober, rx, 40).await[0], (0, Verdict::Pass));

    let (prober, rx) = check(&[hung], Expr::Probe(0));
    let all = told(prober, rx, 60).await;
    assert_eq!(all, [(50, Verdict::Fail("scripted timeout after 50ms".into()))]);
}

/// A command is ended by its runtime: one that does not say so cannot tell, and that is no failure of the service.
#[tokio::test(start_paused = true)]
async fn a_runtime_that_hangs_is_no_verdict_on_its_commands() {
    for (script, expected) in [
        (&[Says::Hang][..], (15_050, Verdict::Unknown("the runtime does not say how the command went".into()))),
        // Who was held up is asked again; then a failure counts, or nobody could tell.
        (&[Says::Held(120), Says::Held(130)], (250, Verdict::Fail("timeout".into()))),
        (&[Says::Held(120), Says::Held(1300)], (1420, Verdict::Unknown("the engine was held up".into()))),
    ] {
        let (mut prober, rx) = check(&[Scripted::poll(script)], Expr::Probe(0));
        let command = ProbeSpec::Cmd { command: crate::spec::Command { argv: vec!["x".into()] }, timeout: None };
        prober.health.check = Arc::new(Check { probes: vec![command], expression: Expr::Probe(0) });
        assert_eq!(told(prober, rx, 20_000).await[0], expected, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_no_verdict() {
    let (prober, rx) = check(&[Scripted::poll(&[Says::Panic, Says::Pass])], Expr::Probe(0));
    let all = told(prober, rx, 10).await;
    assert_eq!(all, [(0, Verdict::Unknown("the probe panicked".into())), (1, Verdict::Pass)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_probe_is_asked_once_and_its_pass_holds() {
    let log = Scripted::new(ProbeKind::Stream, &[Says::After(30)]);
    let (mut prober, rx) = check(&[Arc::clone(&log)], Expr::Probe(0));
    prober.health.tally.success_threshold = 2;
    let all = told(prober, rx, 10_000).await;
    // No period: nothing is told between the beginning and the match, nor after it.
    assert_eq!(all, [(0, Verdict::Fail("not seen yet".into())), (30, Verdict::Pass), (30, Verdict::Pass)]);
    assert_eq!(log.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_match_is_told_between_two_polls() {
    let (poll, log) = (Scripted::poll(&[Says::Pass]), Scripted::new(ProbeKind::Stream, &[Says::After(30)]));
    let both = Expr::And(vec![Expr::Probe(0), Expr::Probe(1)]);
    let (mut prober, rx) = check(&[poll, log], both);
    prober.health.tally.interval = Duration::from_secs(3600);
    let all = told(prober, rx, 40).await;
    assert_eq!(all.last().unwrap(), &(30, Verdict::Pass));
}

#[tokio::test(start_paused = true)]
async fn who_was_held_up_asks_again() {
    for (script, expected) in [
        (&[Says::Held(120), Says::Pass][..], (120, Verdict::Pass)),
        (&[Says::Held(120), Says::Fail], (120, fail())),
        (&[Says::Held(120), Says::Held(1300)], (1420, Verdict::Unknown("the engine was held up".into()))),
        (&[Says::Held(120), Says::Held(70)], (190, fail())),
        // Also where it did not take longer than it may.
        (&[Says::Held(40), Says::Pass], (40, Verdict::Pass)),
        (&[Says::Held(40), Says::After(40)], (80, Verdict::Pass)),
        (&[Says::Held(40), Says::Hang], (90, fail())),
        (&[Says::Held(6), Says::Pass], (6, fail())),
        // What it was held up for does not count.
        (&[Says::Paused(40, 40)], (80, Verdict::Pass)),
        (&[Says::Paused(3000, 40)], (3040, Verdict::Pass)),
        // The slice in which it was held up is over.
        (&[Says::Paused(3000, 60), Says::Fail], (3045, fail())),
    ] {
        let (prober, rx) = check(&[Scripted::poll(script)], Expr::Probe(0));
        let first = told(prober, rx, 4000).await.swap_remove(0);
        assert_eq!(first.0, expected.0, "{script:?}");
        match (&first.1, &expected.1) {
            // Which of the two clocks fires first is not our business.
            (Verdict::Fail(_), Verdict::Fail(_)) => {}
            (told, expected) => assert_eq!(told, expected, "{script:?}"),
        }
    }
}
