//! On a real engine, where there is one; in CI there must be.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use bollard::{
    Docker,
    container::LogOutput,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
    models::{ContainerCreateBody, HostConfig},
    query_parameters::{
        CreateContainerOptionsBuilder, InspectContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
        StartContainerOptions,
    },
};
use futures::{FutureExt, StreamExt, TryStreamExt};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout},
};

use super::{
    super::{Client, EngineError, Limits, Range},
    LONG, list,
};
use crate::find::{Find, Flavour};

const IMAGE: &str = "orco-test/busybox:1";

/// A client of an engine that answers, or `None` with a printed word.
async fn engine() -> Option<Client> {
    let client = Client::new(Find { flavour: Flavour::Docker, host: None }, Limits::default());
    let missing =
        match client.call("look for the image", |docker| async move { docker.inspect_image(IMAGE).await }).await {
            Ok(_) => return Some(client),
            Err(error) => error,
        };
    assert!(std::env::var("CI").is_err(), "{missing}");
    eprintln!("skipped: {missing}");
    None
}

/// A container that sleeps, removed whatever the test says.
async fn with_container<T>(client: &Client, name: &str, test: impl AsyncFnOnce(&str) -> T) -> T {
    let name = format!("orco-engine-test-{name}-{}", std::process::id());
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), "echo up; exec sleep 1000".to_owned()]),
        labels: Some(HashMap::from([("orco-engine-test".to_owned(), name.clone())])),
        host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let create = |docker: Docker| async move { docker.create_container(Some(options), body).await };
    client.call("create", create).await.unwrap();
    let start = |docker: Docker| {
        let name = name.clone();
        async move { docker.start_container(&name, None::<StartContainerOptions>).await }
    };
    let started = client.call("start", start).await;
    let result = match &started {
        Ok(()) => Some(AssertUnwindSafe(timeout(LONG, test(&name))).catch_unwind().await),
        Err(_) => None,
    };
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let remove = |docker: Docker| async move { docker.remove_container(&name, Some(options)).await };
    client.call("remove", remove).await.unwrap();
    started.unwrap();
    match result.unwrap() {
        Ok(result) => result.expect("the test took too long"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[tokio::test]
async fn exec_with_stdin_goes_through_the_versioned_way() {
    let Some(client) = engine().await else { return };
    let test = async |name: &str| {
        let docker = client.docker().await.unwrap();
        let command = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(vec!["sh", "-c", "cat; echo done >&2; exit 7"]),
            ..Default::default()
        };
        let exec = docker.create_exec(name, command).await.unwrap();
        let started = docker.start_exec(&exec.id, None::<StartExecOptions>).await.unwrap();
        let StartExecResults::Attached { output, mut input } = started else { panic!("not attached") };
        input.write_all(b"through and back\n").await.unwrap();
        // Its end is told, and what follows still comes: a half-closed connection.
        input.shutdown().await.unwrap();
        let output: Vec<LogOutput> = output.try_collect().await.unwrap();
        // Two pipes: their order among each other is not told.
        let of = |error: bool| output.iter().filter(move |log| matches!(log, LogOutput::StdErr { .. }) == error);
        assert_eq!(of(false).map(LogOutput::to_string).collect::<String>(), "through and back\n");
        assert_eq!(of(true).map(LogOutput::to_string).collect::<String>(), "done\n");
        assert_eq!(docker.inspect_exec(&exec.id).await.unwrap().exit_code, Some(7));
    };
    with_container(&client, "exec", test).await;
}

#[tokio::test]
async fn a_real_engine_says_who_it_is_and_gets_a_version_it_knows() {
    let Some(client) = engine().await else { return };
    let info = client.info().await.unwrap();
    assert!(!info.server.is_empty() && info.local, "{info:?}");
    assert_eq!(Some(info.agreed), Range::OURS.agree(info.range), "{info:?}");
    println!("{info:?}");
}

#[tokio::test]
async fn streams_and_refusals_of_a_real_engine() {
    let Some(client) = engine().await else { return };
    let test = async |name: &str| {
        let options = LogsOptionsBuilder::default().follow(true).stdout(true).build();
        let mut logs = client.docker().await.unwrap().logs(name, Some(options));
        assert_eq!(logs.next().await.unwrap().unwrap().to_string(), "up\n");
        drop(logs);
        let ask = |docker: Docker| async move {
            docker.inspect_container("orco-none", None::<InspectContainerOptions>).await
        };
        let error = client.call("inspect", ask).await.unwrap_err();
        assert_eq!(error.status(), Some(404), "{error}");
        assert!(matches!(error, EngineError::Status { .. }) && !error.is_engine_trouble());
    };
    with_container(&client, "streams", test).await;
    client.close().await;
}

/// What a connection per request costs. Printed; asserted only roughly.
#[tokio::test]
async fn a_call_takes_a_few_milliseconds() {
    let Some(client) = engine().await else { return };
    let mut times = Vec::new();
    for _ in 0..100 {
        let begin = Instant::now();
        list(&client).await.unwrap();
        times.push(begin.elapsed());
    }
    times.sort();
    println!("list: p50 {:?}, p95 {:?}", times[50], times[95]);
    assert!(times[50].as_millis() < 500, "{:?}", times[50]);
}
