//! Valid services and stacks without a file, for simulations and tests. Change the public fields of
//! what comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::{
    model::{Revision, ServiceName, StackName},
    spec::{
        Check, Command, Condition, Dependency, Health, Hooks, Kind, Logging, Network, OnFailure, ProbeSpec, PullPolicy,
        Require, Resources, Restart, Service, Stack, Stop, Tally, Update, expr::Expr,
    },
};

/// A service's name.
///
/// # Panics
/// If the text is not a name.
#[must_use]
#[expect(clippy::expect_used, reason = "samples are written by hand")]
pub fn name(text: &str) -> ServiceName {
    ServiceName::new(text).expect("a sample's name")
}

/// A service with the defaults of the stack file: one replica, no health check, revision 1.
#[must_use]
pub fn service(text: &str) -> Service {
    Service {
        name: name(text),
        runtime: "fake".to_owned(),
        kind: Kind::Service,
        image: None,
        command: Some(Command { argv: vec!["true".to_owned()] }),
        entrypoint: None,
        workdir: PathBuf::from("/"),
        container_workdir: None,
        user: None,
        env: BTreeMap::new(),
        inherit_env: true,
        secret: Vec::new(),
        ports: Vec::new(),
        volumes: Vec::new(),
        labels: BTreeMap::new(),
        network: Network::default(),
        pull_policy: PullPolicy::default(),
        platform: None,
        init: true,
        env_from_file: std::collections::BTreeSet::new(),
        mask_secrets: true,
        allow_docker_socket: false,
        replicas: 1,
        depends_on: Vec::new(),
        health: None,
        liveness: None,
        restart: Restart::default(),
        stop: Stop::default(),
        hooks: Hooks::default(),
        resources: Resources::default(),
        update: Update::default(),
        logging: Logging::default(),
        revision: Revision(1),
    }
}

/// A oneshot: as [`service`], but it runs to its end and is retried on failure only.
#[must_use]
pub fn oneshot(text: &str) -> Service {
    let mut service = service(text);
    service.kind = Kind::Oneshot;
    service.restart.condition = Condition::OnFailure;
    service
}

/// A dependency with a timeout of 60 s and `onFailure: ignore`.
#[must_use]
pub fn need(target: &str, require: Require) -> Dependency {
    Dependency { target: name(target), require, timeout: Duration::from_secs(60), on_failure: OnFailure::Ignore }
}

/// A TCP check with the default thresholds: grace 5 s, interval 2 s, 1 pass, 3 failures, start within 5 min.
#[must_use]
pub fn health() -> Health {
    Health {
        tally: Tally::default(),
        check: Arc::new(Check {
            probes: vec![ProbeSpec::Tcp { address: None, port: Some(1) }],
            expression: Expr::Probe(0),
        }),
    }
}

/// A stack of these services, taken as valid: names must resolve, without cycles.
///
/// # Panics
/// If a dependency names no service.
#[must_use]
#[expect(clippy::expect_used, reason = "samples are written by hand")]
pub fn stack(services: Vec<Service>) -> Arc<Stack> {
    let names: BTreeSet<_> = services.iter().map(|s| &s.name).collect();
    for service in &services {
        for dep in &service.depends_on {
            assert!(names.contains(&dep.target), "{} needs {}", service.name, dep.target);
        }
    }
    let name = StackName::new("sample").expect("a name");
    Arc::new(Stack::assume_valid(name, PathBuf::from("/"), services.into_iter().map(Arc::new).collect(), Vec::new()))
}
