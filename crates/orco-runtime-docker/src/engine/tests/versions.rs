//! The version: agreed on, and sent with everything.

use bollard::{
    Docker,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
    models::{ContainerCreateBody, NetworkCreateRequest},
    query_parameters::{
        CreateContainerOptionsBuilder, CreateImageOptionsBuilder, EventsOptions, InspectContainerOptions,
        LogsOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    super::{EngineError, Range},
    LONG, at, client, limits, list,
};
use crate::{
    engine::Client,
    fake_engine::{Answer, FakeEngine, Piece, canned},
};

#[tokio::test]
async fn the_newest_common_version_is_sent() {
    for (min, max, spoken) in [("1.12", "1.41", "1.41"), ("1.24", "1.40", "1.40"), ("1.44", "1.60", "1.53")] {
        let engine = FakeEngine::start().await;
        engine.speaks(min, max);
        let client = client(&engine);
        assert_eq!(list(&client).await, Ok(0), "{min} to {max}");
        assert_eq!(client.info().await.unwrap().agreed.to_string(), spoken);
        let path = format!("GET /v{spoken}/containers/json");
        assert_eq!(engine.requests(), ["GET /version", &path, &format!("GET /v{spoken}/info")]);
    }
}

#[tokio::test]
async fn without_a_common_version_both_ranges_are_named() {
    for (min, max) in [("1.12", "1.39"), ("1.54", "1.60")] {
        let engine = FakeEngine::start().await;
        engine.speaks(min, max);
        let error = list(&client(&engine)).await.unwrap_err();
        let said = format!(
            "no common API version: the engine speaks {min} to {max}, Orco {}; update the older one",
            Range::OURS
        );
        assert_eq!(error.to_string(), said);
        assert!(matches!(error, EngineError::Version { .. }) && error.is_engine_trouble());
        assert_eq!(engine.requests(), ["GET /version"], "nothing else is asked");
    }
}

#[tokio::test]
async fn a_version_that_is_not_understood_is_no_version() {
    for answer in [json!({ "ApiVersion": "new" }), json!({}), json!([1])] {
        let engine = FakeEngine::start().await;
        engine.on("GET /version", Answer::Json(answer.clone()));
        let error = list(&client(&engine)).await.unwrap_err();
        assert!(matches!(error, EngineError::Broken { .. }), "{answer}: {error}");
    }
}

async fn everything(docker: Docker) {
    let create = ContainerCreateBody { image: Some("a:1".into()), ..Default::default() };
    let options = CreateContainerOptionsBuilder::default().name("web").build();
    docker.create_container(Some(options), create).await.unwrap();
    docker.start_container("web", None::<StartContainerOptions>).await.unwrap();
    let seen = docker.inspect_container("web", None::<InspectContainerOptions>).await.unwrap();
    assert_eq!(seen.state.unwrap().exit_code, Some(3));
    let network = NetworkCreateRequest { name: "net".into(), ..Default::default() };
    docker.create_network(network).await.unwrap();
    let logs = LogsOptionsBuilder::default().follow(true).stdout(true).build();
    let logs: Vec<_> = docker.logs("web", Some(logs)).try_collect().await.unwrap();
    assert_eq!(logs.into_iter().map(|log| log.to_string()).collect::<String>(), "out\nerr\n");
    let event = docker.events(None::<EventsOptions>).next().await.unwrap().unwrap();
    assert_eq!(event.action.as_deref(), Some("die"));
    let exit = docker.wait_container("web", None::<WaitContainerOptions>).next().await.unwrap().unwrap();
    assert_eq!(exit.status_code, 0);
    let options = CreateImageOptionsBuilder::default().from_image("a").tag("1").build();
    let pulled: Vec<_> = docker.create_image(Some(options), None, None).try_collect().await.unwrap();
    assert_eq!(pulled.len(), 1);
    let command = CreateExecOptions::<String> { attach_stdin: Some(true), ..Default::default() };
    let exec = docker.create_exec("web", command).await.unwrap();
    let started = docker.start_exec(&exec.id, None::<StartExecOptions>).await.unwrap();
    let StartExecResults::Attached { output, mut input } = started else { panic!("not attached") };
    input.write_all(b"through and back\n").await.unwrap();
    input.shutdown().await.unwrap();
    let back: Vec<_> = output.try_collect().await.unwrap();
    assert_eq!(back.into_iter().map(|log| log.to_string()).collect::<String>(), "through and back\n");
}

/// Streams and upgraded connections too; and each answer has fields that nobody knows.
#[tokio::test]
async fn every_request_names_the_version_and_unknown_fields_hurt_nobody() {
    let engine = FakeEngine::start().await;
    let labels = [("orco.stack", "1")];
    let json = |value| Answer::Json(canned::with_unknown_fields(value));
    engine.on("POST /containers/create", json(json!({ "Id": "c1", "Warnings": [] })));
    engine.on("POST /containers/*/start", Answer::Body(204, Vec::new()));
    engine.on("GET /containers/*/json", Answer::Json(canned::inspect("c1", "web", &labels, Some(3))));
    engine.on("GET /containers/json", Answer::Json(json!([canned::summary("c1", "web", &labels, "exited")])));
    engine.on("POST /networks/create", json(json!({ "Id": "n1", "Warning": "" })));
    let logs = vec![Piece::output(1, b"out\n"), Piece::output(2, b"err\n")];
    engine.on("GET /containers/*/logs", Answer::Stream(logs));
    let event = canned::event("die", "c1", &[("exitCode", "3")], 1_700_000_000_000_000_001);
    engine.on("GET /events", Answer::Stream(vec![Piece::line(&event), Piece::Open]));
    let over = canned::with_unknown_fields(json!({ "StatusCode": 0 }));
    engine.on("POST /containers/*/wait", Answer::Stream(vec![Piece::line(&over)]));
    let progress =
        canned::with_unknown_fields(json!({ "status": "Downloading", "id": "l1", "progressDetail": { "current": 1 } }));
    engine.on("POST /images/create", Answer::Stream(vec![Piece::line(&progress)]));
    engine.on("POST /containers/*/exec", json(json!({ "Id": "e1" })));
    engine.on("POST /exec/*/start", Answer::Echo);

    let client = client(&engine);
    assert_eq!(list(&client).await, Ok(1));
    everything(client.docker().await.unwrap()).await;
    let info = client.info().await.unwrap();
    assert_eq!((info.server.as_str(), info.podman, info.rootless, info.local), ("20.10.24+dfsg1", false, false, true));

    let requests = engine.requests();
    assert_eq!(requests[0], "GET /version");
    let without: Vec<&String> = requests[1..].iter().filter(|line| !line.contains(" /v1.41/")).collect();
    assert!(without.is_empty() && requests.len() == 13, "{requests:?}");
    assert!(requests.iter().any(|line| line.starts_with("POST /v1.41/containers/create?name=web")), "{requests:?}");
    client.close().await;
}

#[tokio::test]
async fn podman_and_rootless_engines_are_recognised() {
    let engine = FakeEngine::start().await;
    engine.on("GET /version", Answer::Json(canned::version_of_podman()));
    engine.on("GET /info", Answer::Json(canned::info(&["name=seccomp,profile=default", "name=rootless"])));
    let info = client(&engine).info().await.unwrap();
    assert!(info.podman && info.rootless && info.local);
}

#[tokio::test]
async fn tcp_works_like_a_socket() {
    let (engine, address) = FakeEngine::start_tcp().await;
    let client = Client::new(at(format!("tcp://{address}")), limits(LONG, LONG));
    assert_eq!(list(&client).await, Ok(0));
    assert_eq!(engine.requests()[1], "GET /v1.41/containers/json");
    assert!(client.info().await.unwrap().local);
}

/// Half-closing too: that the other side still answers after our end is what stdin of a command needs.
#[tokio::test]
async fn an_upgraded_connection_passes_large_data_both_ways() {
    let engine = FakeEngine::start().await;
    engine.on("POST /exec/*/start", Answer::Echo);
    let docker = client(&engine).docker().await.unwrap();
    let started = docker.start_exec("e1", None::<StartExecOptions>).await.unwrap();
    let StartExecResults::Attached { output, mut input } = started else { panic!("not attached") };
    let sent = vec![b'x'; 1 << 20];
    let (back, ()) = tokio::join!(output.try_collect::<Vec<_>>(), async {
        input.write_all(&sent).await.unwrap();
        input.shutdown().await.unwrap();
    });
    let mut bytes = Vec::new();
    for log in back.unwrap() {
        log.into_bytes().as_ref().read_to_end(&mut bytes).await.unwrap();
    }
    assert!(bytes == sent, "{} bytes came back", bytes.len());
}
