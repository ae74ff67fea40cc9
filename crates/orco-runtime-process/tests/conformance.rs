//! The process runtime passes the kit, on each way to kill a tree.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{fs, path::PathBuf, sync::Arc};

use orco_core::{
    conformance::{Behaviour, Exec, Fixture, MARK, Outcome, runtime},
    model::InstanceId,
    runtime::Runtime,
    spec::ServiceBuilder,
};
use orco_runtime_process::{KillBackend, ProcessRuntime};

struct Processes {
    runtime: Arc<ProcessRuntime>,
    scratch: tempfile::TempDir,
}

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

fn missing() -> Vec<String> {
    vec!["/no/such/program".to_owned()]
}

impl Fixture for Processes {
    fn runtime(&self) -> Arc<dyn Runtime> {
        self.runtime.clone()
    }

    fn service(&self, behaviour: Behaviour) -> Option<ServiceBuilder> {
        let argv = match behaviour {
            Behaviour::FailsToStart => missing(),
            other => shell(&other.script()?),
        };
        Some(ServiceBuilder::process("api", argv))
    }

    fn scratch(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    fn command(&self, exec: Exec) -> Option<Vec<String>> {
        Some(match exec {
            Exec::Exits(code) => shell(&format!("echo hello; exit {code}")),
            Exec::Hangs => shell("setsid sleep 1000 & sleep 1000"),
            Exec::Fails => missing(),
            _ => return None,
        })
    }

    fn alive(&self, instance: InstanceId) -> Option<usize> {
        let mark = format!("{MARK}={instance}").into_bytes();
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let carries = |path: PathBuf| {
            let variables = fs::read(path.join("environ")).unwrap_or_default();
            variables.split(|&b| b == 0).any(|variable| variable == mark)
        };
        Some(processes.filter(|process| carries(process.path())).count())
    }
}

async fn passes(backend: KillBackend) {
    let started = ProcessRuntime::builder().kill_backend(backend).start().await;
    let fixture = Processes { runtime: Arc::new(started.unwrap()), scratch: tempfile::tempdir().unwrap() };
    let report = runtime(&fixture).await;
    fixture.runtime.shutdown().await;
    report.assert();
    let skipped = report.checks().iter().filter(|c| matches!(c.outcome, Outcome::Skipped(_))).map(|c| c.name);
    // With the engine everything ends: another one has nothing to find.
    assert_eq!(skipped.collect::<Vec<_>>(), ["a second client finds what runs and what has ended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_with_the_sweep() {
    passes(KillBackend::Sweep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_with_whatever_works_here() {
    passes(KillBackend::default()).await;
}
