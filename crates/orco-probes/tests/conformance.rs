//! All probes pass the kit.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use orco_core::{
    conformance::{CannedExec, CannedLogs, ProbeFixture, probe},
    model::Exit,
    probe::{Probe, ProbeFactory, Target},
    runtime::ExecResult,
    spec::{Check, ProbeSpec},
};
use support::{answering, build, nobody, silent, spec, target, target_at, target_with};

/// A probe and its three targets, ready made.
struct Ready {
    probe: Arc<dyn Probe>,
    good: Target,
    bad: Target,
    hung: Option<Target>,
}

#[async_trait]
impl ProbeFixture for Ready {
    fn probe(&self) -> Arc<dyn Probe> {
        Arc::clone(&self.probe)
    }

    async fn good(&self) -> Target {
        self.good.clone()
    }

    async fn bad(&self) -> Option<Target> {
        Some(self.bad.clone())
    }

    async fn hung(&self) -> Option<Target> {
        self.hung.clone()
    }
}

async fn passes(factory: &dyn ProbeFactory, spec: &ProbeSpec, good: Target, bad: Target, hung: Option<Target>) {
    probe(&Ready { probe: build(factory, spec), good, bad, hung }).await.assert();
}

#[tokio::test]
async fn http_passes() {
    let good = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let spec = spec(Check::http("http://localhost:8080/health"));
    let bad = answering("HTTP/1.1 503 No\r\n\r\n").await;
    let (good, bad, hung) = (target_at(good), target_at(bad), target_at(silent().await));
    passes(&orco_probes::Http, &spec, good.clone(), bad, Some(hung)).await;
    passes(&orco_probes::Http, &spec, good, target_at(nobody().await), None).await;
}

#[tokio::test]
async fn tcp_passes() {
    let spec = spec(Check::tcp("localhost:8080"));
    passes(&orco_probes::Tcp, &spec, target_at(silent().await), target_at(nobody().await), None).await;
}

#[tokio::test]
async fn cmd_passes() {
    let ends =
        |code| target_with(Arc::new(CannedExec::new(Ok(ExecResult::new(Some(Exit::Code(code)), b"Oh\n".to_vec())))));
    let hung = target_with(Arc::new(CannedExec::hung()));
    passes(&orco_probes::Cmd, &spec(Check::cmd(["true"])), ends(0), ends(1), Some(hung)).await;
}

#[tokio::test]
async fn log_passes() {
    let prints = |lines: &[&str], ends| {
        let mut target = target();
        target.logs = Some(Arc::new(CannedLogs::new(&target.service, lines.iter().copied(), ends)));
        target
    };
    let (good, bad, hung) = (prints(&["boot", "ready"], false), prints(&["boot"], true), prints(&["boot"], false));
    passes(&orco_probes::Log, &spec(Check::log("^ready$")), good, bad, Some(hung)).await;
}

/// The kit finds what it is for.
#[tokio::test]
async fn a_broken_probe_is_found() {
    #[derive(Debug)]
    struct AlwaysFine;

    #[async_trait]
    impl Probe for AlwaysFine {
        async fn check(&self, _target: &Target) -> orco_core::model::Verdict {
            orco_core::model::Verdict::Pass
        }
    }

    let report =
        probe(&Ready { probe: Arc::new(AlwaysFine), good: target(), bad: target(), hung: Some(target()) }).await;
    let failed = report.to_string().lines().filter(|line| line.starts_with("FAILED")).count();
    assert_eq!(failed, 3, "{report}");
}
