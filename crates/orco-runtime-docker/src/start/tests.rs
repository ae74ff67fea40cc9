//! Starts that an engine refuses for want of an init, as Podman does where its distribution brings none.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use orco_core::{
    model::{InstanceId, StackId},
    runtime::{ExecRequest, LogTarget, Runtime, StartRequest},
    spec::{ServiceBuilder, Stack},
};
use serde_json::json;

use crate::{
    docker::Docker,
    fake_engine::{Answer, FakeEngine, canned},
};

/// Podman 4.3, and as later ones say it; the last is no program that can be executed.
const AT_CREATION: [&str; 2] = [
    "container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit: no such file or \
     directory",
    "container create: lookup init binary: could not find \"catatonit\" in one of [/usr/libexec/podman]",
];
const AT_START: &str = "runc: runc create failed: unable to start container process: exec: \"/run/podman-init\": permission \
                        denied: OCI permission denied";

fn request() -> StartRequest {
    let service = ServiceBuilder::container("db", "orco-test/busybox:1");
    let stack = Stack::builder("shop").workdir("/srv/shop").service(service).build().unwrap();
    let instance = InstanceId(0x1234_5678_0000_0000_0000_0000_0000_0001);
    let (service, log) = (Arc::clone(&stack.services()[0]), LogTarget::new("/tmp", "0.1"));
    let mut request = StartRequest::new(StackId::from_bits(0xabc), instance, service, log);
    request.stack_name = "shop".into();
    request
}

async fn podman() -> (FakeEngine, Docker) {
    let engine = FakeEngine::start().await;
    engine.on("GET /version", Answer::Json(canned::version_of_podman()));
    engine.on("POST /networks/create", Answer::Json(json!({ "Id": "n1", "Warning": "" })));
    engine.on("POST /containers/create", Answer::Json(json!({ "Id": "c1", "Warnings": [] })));
    engine.on("DELETE /containers/*", Answer::Body(204, Vec::new()));
    let docker = Docker::builder().podman().detached().host(engine.host()).build();
    (engine, docker)
}

fn is_helpful(said: &str) {
    for part in ["no usable init", "catatonit", "init_path", "containers.conf", "`init: false`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn without_an_init_a_start_is_refused_with_what_to_do() {
    for text in AT_CREATION {
        let (engine, docker) = podman().await;
        engine.on("POST /containers/create", Answer::refuse(500, text));
        let error = docker.start(request()).await.unwrap_err();
        assert!(error.is_certain() && !error.is_unavailable(), "{error:?}");
        is_helpful(&error.to_string());
        // The engine's own words too: they name the path.
        assert!(error.to_string().contains("catatonit\"") || error.to_string().contains("/usr/libexec"), "{error}");
        let mut hook =
            ExecRequest::new(&Arc::new(request()), vec!["true".to_owned()], std::time::Duration::from_secs(60));
        hook.beside = true;
        is_helpful(&docker.exec(hook).await.unwrap_err().to_string());
        docker.shutdown().await;
    }
}

#[tokio::test]
async fn with_one_that_cannot_be_executed_nothing_is_left() {
    let (engine, docker) = podman().await;
    engine.on("POST /containers/*/start", Answer::refuse(500, AT_START));
    let error = docker.start(request()).await.unwrap_err();
    assert!(error.is_certain() && !error.is_unavailable(), "{error:?}");
    is_helpful(&error.to_string());
    let removed = engine.requests().iter().filter(|line| line.starts_with("DELETE /v1.41/containers/c1")).count();
    assert_eq!(removed, 1);
    docker.shutdown().await;
}
