//! `tcp`, `cmd` and `log`.
#![allow(clippy::unwrap_used)]

mod support;

use std::{sync::Arc, time::Duration};

use orco_core::{
    conformance::{CannedExec, CannedLogs},
    log::{Level, Source},
    model::{Exit, Verdict},
    probe::{ProbeFactory as _, ProbeKind, Target},
    runtime::{ExecResult, RuntimeError},
    spec::{Check, ProbeSpec},
};
use orco_probes::{Cmd, Log, Tcp};
use support::{build, nobody, serve_on, silent, spec, target, target_at, target_with};

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail(why) => why.to_string(),
        Verdict::Unknown(why) => format!("unknown {why}"),
    }
}

async fn tcp(address: &str, target: &Target) -> String {
    said(&build(&Tcp, &spec(Check::tcp(address))).check(target).await)
}

#[tokio::test]
async fn tcp_connects() {
    let up = silent().await;
    assert_eq!(tcp("localhost:8080", &target_at(up)).await, "pass");
    assert_eq!(tcp(&up.to_string(), &target()).await, "pass");
    let down = nobody().await;
    assert_eq!(tcp("localhost:8080", &target_at(down)).await, "tcp connect: connection refused");
    assert_eq!(tcp(&down.to_string(), &target()).await, "tcp connect: connection refused");
    let v6 = serve_on("[::1]:0", |_| async {}).await;
    assert_eq!(tcp(&format!("localhost:{}", v6.port()), &target()).await, "pass");
    assert_eq!(tcp("no-such-host.invalid:80", &target()).await, "tcp connect: no address for `no-such-host.invalid`");
    let by_port = ProbeSpec::Tcp { address: None, port: None };
    assert_eq!(said(&build(&Tcp, &by_port).check(&target_at(up)).await), "pass");
    assert_eq!(said(&build(&Tcp, &by_port).check(&target()).await), "unknown tcp: no port to connect to");
    assert!(Tcp.build(&ProbeSpec::Tcp { address: Some("nonsense".to_owned()), port: None }).is_err());
}

/// A connect to a dead port of the ephemeral range may reach itself; that is no pass.
#[tokio::test]
async fn tcp_does_not_connect_to_itself() {
    let down = nobody().await;
    let probe = build(&Tcp, &spec(Check::tcp(down.to_string())));
    for _ in 0..30_000 {
        assert_ne!(probe.check(&target()).await, Verdict::Pass);
    }
}

async fn cmd(answer: Result<ExecResult, RuntimeError>) -> String {
    let target = target_with(Arc::new(CannedExec::new(answer)));
    said(&build(&Cmd, &spec(Check::cmd(["pg_isready"]))).check(&target).await)
}

#[tokio::test]
async fn cmd_reads_the_exit_code() {
    let ended = |exit, output: &str| Ok(ExecResult::new(exit, output.as_bytes().to_vec()));
    assert_eq!(cmd(ended(Some(Exit::Code(0)), "noise")).await, "pass");
    assert_eq!(cmd(ended(Some(Exit::Code(2)), "one\nno response\n")).await, "cmd exit code 2: no response");
    assert_eq!(cmd(ended(Some(Exit::Signal(9)), "")).await, "cmd killed by SIGKILL");
    assert_eq!(cmd(ended(None, "")).await, "cmd timeout");
    assert_eq!(cmd(Err(RuntimeError::refused("no program `pg_isready`"))).await, "cmd: no program `pg_isready`");
    for cannot_tell in [RuntimeError::unknown, RuntimeError::unavailable, RuntimeError::unanswered] {
        assert_eq!(cmd(Err(cannot_tell("the engine is gone"))).await, "unknown cmd: the engine is gone");
    }
}

#[tokio::test]
async fn cmd_has_its_own_timeout_and_variables() {
    let exec = Arc::new(CannedExec::new(Ok(ExecResult::new(Some(Exit::Code(0)), Vec::new()))));
    let mut probe = spec(Check::cmd(["check", "${port}", "${replica}"]));
    let mut target = target_with(exec.clone());
    target.default_port = Some(20001);
    for own in [None, Some(Duration::from_millis(300)), Some(Duration::from_secs(99))] {
        if let ProbeSpec::Cmd { timeout, .. } = &mut probe {
            *timeout = own;
        }
        assert_eq!(build(&Cmd, &probe).check(&target).await, Verdict::Pass);
    }
    let argv = || vec!["check".to_owned(), "20001".to_owned(), "3".to_owned()];
    let seconds = [5000, 300, 5000].map(|ms| (argv(), Duration::from_millis(ms)));
    assert_eq!(exec.asked(), seconds);
}

fn log(change: impl FnOnce(&mut Vec<String>, &mut Vec<String>, &mut u32)) -> ProbeSpec {
    let mut spec = spec(Check::log("rea+dy"));
    if let ProbeSpec::Log { sources, levels, count, .. } = &mut spec {
        change(sources, levels, count);
    }
    spec
}

async fn log_of(spec: &ProbeSpec, logs: CannedLogs) -> String {
    let mut target = target();
    target.logs = Some(Arc::new(logs));
    said(&build(&Log, spec).check(&target).await)
}

#[tokio::test]
async fn log_counts_what_matches() {
    let name = target().service;
    let lines = |ends| CannedLogs::new(&name, ["boot", "reaady", "not yet", "ready"], ends);
    assert_eq!(log_of(&log(|_, _, _| ()), lines(false)).await, "pass");
    assert_eq!(log_of(&log(|_, _, count| *count = 2), lines(false)).await, "pass");
    assert_eq!(
        log_of(&log(|_, _, count| *count = 3), lines(true)).await,
        "log `rea+dy` seen 2 of 3 times in all output"
    );
    let stderr = || log(|sources, _, _| sources.push("stderr".to_owned()));
    assert_eq!(log_of(&stderr(), lines(true)).await, "log `rea+dy` seen 0 of 1 times in all output");
    assert_eq!(log_of(&stderr(), lines(true).map(|r| r.source = Source::Stderr)).await, "pass");
    let warn = || log(|_, levels, _| levels.push("warn".to_owned()));
    assert_eq!(log_of(&warn(), lines(true)).await, "log `rea+dy` seen 0 of 1 times in all output");
    assert_eq!(log_of(&warn(), lines(true).map(|r| r.level = Level::Warn)).await, "pass");
    let ours = lines(true).map(|r| r.source = Source::System);
    assert_eq!(log_of(&log(|_, _, _| ()), ours).await, "log `rea+dy` seen 0 of 1 times in all output");
}

#[tokio::test]
async fn log_waits_and_needs_output() {
    let probe = build(&Log, &log(|_, _, _| ()));
    assert_eq!(probe.kind(), ProbeKind::Stream);
    assert_eq!(said(&probe.check(&target()).await), "unknown log: no output to read");
    let mut target = target();
    target.logs = Some(Arc::new(CannedLogs::new(&target.service, ["boot"], false)));
    assert!(tokio::time::timeout(Duration::from_millis(20), probe.check(&target)).await.is_err());
}

#[test]
fn log_refuses_nonsense() {
    let of = |pattern: &str, source: &str, level: &str| ProbeSpec::Log {
        pattern: pattern.to_owned(),
        sources: vec![source.to_owned()],
        levels: vec![level.to_owned()],
        count: 1,
    };
    assert!(Log.build(&of("ok", "stdout", "info")).is_ok());
    for bad in [of("(", "stdout", "info"), of("ok", "system", "info"), of("ok", "stdout", "loud")] {
        assert!(Log.build(&bad).is_err(), "{bad:?}");
    }
    assert!(Log.build(&of("(a{1000}){1000}", "stdout", "info")).is_err());
}
