//! The runtime passes the kit on the real engines.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod podman;
#[path = "engine/real.rs"]
mod real;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use orco_core::{
    conformance::{Behaviour, Exec, Fixture, MARK, Outcome, runtime as runtime_kit},
    model::InstanceId,
    runtime::Runtime,
    spec::ServiceBuilder,
};
use orco_runtime_docker::Docker;

struct Containers {
    runtime: Arc<Docker>,
    again: Box<dyn Fn() -> Docker + Send + Sync>,
    scratch: tempfile::TempDir,
    many: usize,
}

fn missing() -> Vec<String> {
    vec!["/no/such/program".to_owned()]
}

impl Containers {
    fn container(&self, image: &str) -> ServiceBuilder {
        ServiceBuilder::new("api", self.runtime.name()).image(image)
    }
}

impl Fixture for Containers {
    fn runtime(&self) -> Arc<dyn Runtime> {
        self.runtime.clone()
    }

    /// As the next engine of a detached stack would: it shares nobody's fate.
    fn again(&self) -> Option<Arc<dyn Runtime>> {
        Some(Arc::new((self.again)()))
    }

    fn service(&self, behaviour: Behaviour) -> Option<ServiceBuilder> {
        // A missing program is no failed start: the small init inside runs, and says so with exit code 127.
        if behaviour == Behaviour::FailsToStart {
            return Some(self.container("orco-test/no-such-image:1"));
        }
        Some(self.container(real::IMAGE).command(real::shell(&behaviour.script()?)))
    }

    fn scratch(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    fn command(&self, exec: Exec) -> Option<Vec<String>> {
        Some(match exec {
            Exec::Exits(code) => real::shell(&format!("echo hello; exit {code}")),
            Exec::Hangs => real::shell("setsid sleep 1000 & sleep 1000"),
            Exec::Fails => missing(),
            _ => return None,
        })
    }

    /// The containers' processes are processes of this machine.
    fn alive(&self, instance: InstanceId) -> Option<usize> {
        let mark = format!("{MARK}={instance}").into_bytes();
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let carries = |path: PathBuf| {
            let variables = fs::read(path.join("environ")).unwrap_or_default();
            variables.split(|&b| b == 0).any(|variable| variable == mark)
        };
        Some(processes.filter(|process| carries(process.path())).count())
    }

    /// Containers are slow, and this machine may be busy.
    fn bound(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn many(&self) -> usize {
        self.many
    }
}

async fn passes(runtime: Docker, again: impl Fn() -> Docker + Send + Sync + 'static, many: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let fixture = Containers { runtime: Arc::new(runtime), again: Box::new(again), scratch, many };
    let report = runtime_kit(&fixture).await;
    fixture.runtime.shutdown().await;
    report.assert();
    let skipped = report.checks().iter().filter(|c| matches!(c.outcome, Outcome::Skipped(_))).map(|c| c.name);
    assert_eq!(skipped.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_on_the_real_engine() {
    if real::engine() {
        passes(Docker::new(), || Docker::builder().detached().build(), 8).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_on_podman() {
    let Some(podman) = podman::Podman::start() else { return };
    let host = podman.host();
    let builder = move || Docker::builder().podman().host(&host);
    passes(builder().build(), move || builder().detached().build(), 4).await;
}
