//! `runtime: fake` and its probe keep the contract that real ones keep.
#![cfg(all(feature = "conformance", feature = "sim"))]
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use orco_core::{
    conformance::{Behaviour, Fixture, NoExec, Outcome, ProbeFixture, probe, runtime},
    model::InstanceId,
    probe::{Probe, Target},
    runtime::{LogTarget, Runtime, StartRequest},
    sim::FakeRuntime,
    spec::{ServiceBuilder, Stack},
};

struct Fakes {
    runtime: FakeRuntime,
    scratch: tempfile::TempDir,
}

fn service() -> ServiceBuilder {
    ServiceBuilder::new("fake", "fake").command(["none"])
}

impl Fixture for Fakes {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    fn service(&self, behaviour: Behaviour) -> Option<ServiceBuilder> {
        let fake = service();
        Some(match behaviour {
            Behaviour::Exits(code) => fake.env("FAKE_EXIT_AFTER", "1ms").env("FAKE_EXIT_CODE", code.to_string()),
            Behaviour::Runs => fake.env("FAKE_LOG", "ready").env("FAKE_STOP_AFTER", "2ms"),
            Behaviour::IgnoresStop => fake.env("FAKE_LOG", "ready").env("FAKE_IGNORE_STOP", "1"),
            Behaviour::FailsToStart => fake.env("FAKE_START_ERROR", "no such fake"),
            _ => return None,
        })
    }

    fn scratch(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }
}

#[tokio::test]
async fn the_runtime_passes() {
    let report = runtime(&Fakes { runtime: FakeRuntime::new(), scratch: tempfile::tempdir().unwrap() }).await;
    report.assert();
    let passed = report.checks().iter().filter(|check| check.outcome == Outcome::Passed).count();
    assert!(passed >= 14, "{report}");
}

struct Ages {
    runtime: FakeRuntime,
}

impl Ages {
    async fn target(&self, instance: u128, ready_after: &str) -> Target {
        let service = service().env("FAKE_READY_AFTER", ready_after);
        let stack = Stack::builder("test").service(service).build().unwrap();
        let (stack_id, service) = (orco_core::model::StackId::from_bits(1), Arc::clone(&stack.services()[0]));
        let request = StartRequest::new(stack_id, InstanceId(instance), service, LogTarget::new("/", "0.1"));
        self.runtime.start(request).await.unwrap();
        Target::new("fake".parse().unwrap(), 0, InstanceId(instance), Arc::new(NoExec))
    }
}

#[async_trait]
impl ProbeFixture for Ages {
    fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(self.runtime.probe())
    }

    async fn good(&self) -> Target {
        self.target(1, "0ms").await
    }

    async fn bad(&self) -> Option<Target> {
        Some(self.target(2, "1h").await)
    }

    async fn hung(&self) -> Option<Target> {
        None
    }
}

#[tokio::test]
async fn the_probe_passes() {
    probe(&Ages { runtime: FakeRuntime::new() }).await.assert();
}
