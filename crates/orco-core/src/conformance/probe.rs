//! The kit for probes.

use std::{
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::future::join_all;
use tokio::time::timeout;

use super::report::{Report, Stop, ensure, fail};
use crate::{
    model::Verdict,
    probe::{Probe, ProbeKind, Target},
};

/// No question may take longer than the caller lets it, and this.
const SLACK: Duration = Duration::from_secs(5);
/// Questions are dropped after so many polls, from none on.
const DROPS: u32 = 40;

/// What the kit must be told about a probe. A target must be good, bad or hung for as long as the
/// fixture lives; each call may make a new one.
#[async_trait]
pub trait ProbeFixture: Send + Sync {
    /// The probe.
    fn probe(&self) -> Arc<dyn Probe>;

    /// An instance for which it passes.
    async fn good(&self) -> Target;

    /// An instance for which it fails; `None` if there is none.
    async fn bad(&self) -> Option<Target>;

    /// An instance that never answers; `None` if there is none.
    async fn hung(&self) -> Option<Target>;
}

/// Runs every clause of the contract of [`Probe`](crate::probe::Probe) against the fixture's.
pub async fn probe(fixture: &dyn ProbeFixture) -> Report {
    let probe = &*fixture.probe();
    let mut report = Report::default();
    report.check("passes when the target is fine, again and again", passes(fixture, probe)).await;
    report.check("fails with a reason when it is not", fails(fixture, probe)).await;
    report.check("a bad target does not spoil a good one", recovers(fixture, probe)).await;
    report.check("may be dropped at any time", dropped(fixture, probe)).await;
    report.check("a hung target is left at the caller's timeout", hung(fixture, probe)).await;
    report.check("a hung target delays no other", delays(fixture, probe)).await;
    report.check("asks many targets at once", concurrent(fixture, probe)).await;
    report.check("keeps its kind", kind(fixture, probe)).await;
    report
}

async fn ask(probe: &dyn Probe, target: &Target) -> Result<Verdict, Stop> {
    let limit = target.timeout + SLACK;
    match timeout(limit, probe.check(target)).await {
        Ok(verdict) => Ok(verdict),
        Err(_) => fail(format!("no answer within {limit:?}")),
    }
}

async fn passes(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let target = fixture.good().await;
    for _ in 0..3 {
        let verdict = ask(probe, &target).await?;
        ensure(verdict == Verdict::Pass, || format!("said {verdict:?}"))?;
    }
    Ok(())
}

async fn fails(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let Some(target) = fixture.bad().await else { return Err(Stop::Skip("no bad target".to_owned())) };
    for _ in 0..3 {
        match ask(probe, &target).await? {
            Verdict::Fail(why) => is_fragment(&why)?,
            verdict @ (Verdict::Pass | Verdict::Unknown(_)) => return fail(format!("said {verdict:?}")),
        }
    }
    Ok(())
}

fn is_fragment(why: &str) -> Result<(), Stop> {
    let lower = why.chars().next().is_some_and(|c| !c.is_uppercase());
    let short = why.chars().count() <= 300;
    let clean = !why.ends_with('.') && !why.chars().any(char::is_control);
    ensure(lower && short && clean, || format!("its reason is no short lower-case fragment: {why:?}"))
}

async fn recovers(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    if let Some(bad) = fixture.bad().await {
        ask(probe, &bad).await?;
    }
    passes(fixture, probe).await
}

async fn dropped(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let mut targets = vec![fixture.good().await];
    targets.extend(fixture.bad().await);
    targets.extend(fixture.hung().await);
    for target in &targets {
        for polls in 0..DROPS {
            let mut question = probe.check(target);
            let mut left = polls;
            let some = poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                question.as_mut().poll(cx).map(|_| ())
            });
            // A hung one is not polled again by itself; then this is where it is dropped.
            let _ = timeout(Duration::from_millis(10), some).await;
        }
    }
    passes(fixture, probe).await
}

async fn hung(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let Some(mut target) = fixture.hung().await else { return Err(Stop::Skip("no hung target".to_owned())) };
    target.timeout = Duration::from_millis(100);
    let begun = Instant::now();
    // What the caller does: it drops the question. This must not take long, whatever the probe does.
    let answer = timeout(target.timeout * 2, probe.check(&target)).await;
    let took = begun.elapsed();
    ensure(took < SLACK, || format!("it held its thread for {took:?}"))?;
    match answer {
        Ok(Verdict::Pass) => fail("it passed"),
        Ok(Verdict::Fail(why) | Verdict::Unknown(why)) => is_fragment(&why),
        Err(_) => Ok(()),
    }
}

async fn delays(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let Some(mut hung) = fixture.hung().await else { return Err(Stop::Skip("no hung target".to_owned())) };
    hung.timeout = SLACK * 2;
    let good = fixture.good().await;
    tokio::select! {
        biased;
        verdict = probe.check(&hung) => fail(format!("the hung target answered: {verdict:?}")),
        verdict = ask(probe, &good) => {
            let verdict = verdict?;
            ensure(verdict == Verdict::Pass, || format!("said {verdict:?}"))
        }
    }
}

async fn concurrent(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let target = fixture.good().await;
    let targets: Vec<_> = (0..16).map(|_| target.clone()).collect();
    for verdict in join_all(targets.iter().map(|target| ask(probe, target))).await {
        let verdict = verdict?;
        ensure(verdict == Verdict::Pass, || format!("said {verdict:?}"))?;
    }
    Ok(())
}

async fn kind(fixture: &dyn ProbeFixture, probe: &dyn Probe) -> Result<(), Stop> {
    let before = probe.kind();
    let _ = ask(probe, &fixture.good().await).await?;
    let is_same =
        matches!((before, probe.kind()), (ProbeKind::Poll, ProbeKind::Poll) | (ProbeKind::Stream, ProbeKind::Stream));
    ensure(is_same, || "it changed".to_owned())
}
