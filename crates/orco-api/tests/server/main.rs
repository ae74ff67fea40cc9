//! The server over its real socket, with a real engine whose instances are tasks of this process.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod apply;
mod closing;
mod metrics;
mod raw;
mod resume;
mod tasks;

use std::time::Duration;

use orco_api::{
    client::{Client, ClientError},
    place::{Lock, Place, StateRoot},
    server::{Op, Server, openapi},
    wire::{Code, Down, EventsQuery, Exec, LogsQuery, Mode, Scale, State, Status, Wait},
};
use orco_core::{
    engine::Engine,
    model::StackId,
    spec::{ServiceBuilder, Stack},
};
use raw::request;
use tempfile::TempDir;

struct Stage {
    _dir: TempDir,
    lock: Lock,
    place: Place,
    engine: Engine,
    server: Server,
    client: Client,
}

async fn stage() -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
    place.create().unwrap();
    let lock = Lock::take(&place).unwrap();
    let stack = Stack::builder("demo")
        .service(ServiceBuilder::new("db", "tasks").command(["db"]))
        .service(ServiceBuilder::new("api", "tasks").command(["api"]).depends_on("db"))
        .build()
        .unwrap();
    let runtime: std::sync::Arc<dyn orco_core::runtime::Runtime> = std::sync::Arc::new(tasks::Tasks::default());
    let engine = Engine::builder(stack).id(place.id()).runtime(runtime).start().unwrap();
    let server = Server::start(&place, &lock, engine.clone(), Mode::Embedded).unwrap();
    let client = Client::new(&place).unwrap();
    engine.up().await.unwrap().done().await.unwrap();
    Stage { _dir: dir, lock, place, engine, server, client }
}

impl Stage {
    async fn end(self) {
        self.server.close().await;
        assert!(matches!(self.client.status().await, Err(ClientError::NotRunning { .. })));
        self.engine.shutdown().await;
        drop(self.lock);
    }
}

#[tokio::test]
async fn every_operation_of_the_document_answers_and_no_other() {
    let stage = stage().await;
    let document: serde_json::Value = request(&stage.place, "GET", "/api/v1/openapi.json", &[], "").await.json();
    assert_eq!(document, openapi());
    let paths = document["paths"].as_object().unwrap();
    let mut operations = 0;
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            operations += 1;
            // An empty body is never enough for a command, but the route must be there.
            let answer = request(&stage.place, &method.to_uppercase(), &path.replace("{name}", "db"), &[], "").await;
            assert!(!matches!(answer.status, 404 | 405), "{method} {path}: {answer:?}");
        }
    }
    assert_eq!(operations, Op::ALL.len());
    for op in Op::ALL {
        let method = if op.is_command() { "post" } else { "get" };
        assert!(paths[op.path()][method].is_object(), "{op:?}");
    }
    // References inside the document lead somewhere.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    for (method, path, status, code) in [
        ("GET", "/", 404, "not_found"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v2/status", 404, "not_found"),
        ("POST", "/api/v1/status", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/services/db", 405, "method_not_allowed"),
        ("GET", "/api/v1/services/nobody", 404, "unknown_service"),
        ("GET", "/api/v1/services/nobody/why", 404, "unknown_service"),
    ] {
        let answer = request(&stage.place, method, path, &[], "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        let error = answer.json();
        assert_eq!(error["code"], code, "{method} {path}");
        assert!(error["message"].is_string() && error.get("details").is_some(), "{error}");
    }
    stage.end().await;
}

#[tokio::test]
async fn requests_are_read_strictly() {
    let stage = stage().await;
    let json = [("Content-Type", "application/json")];
    let stop = "/api/v1/services/db/stop";
    let large = format!("{{\"wait\": true, \"x\": \"{}\"}}", "x".repeat(2 << 20));
    let stdin = format!("{{\"argv\": [\"x\"], \"stdin\": \"{}\"}}", "AAAA".repeat((4 << 20) / 3 + 1));
    for (path, headers, body, status) in [
        (stop, &[][..], "{}", 415),
        (stop, &[("Content-Type", "text/plain")], "{}", 415),
        (stop, &[("Content-Type", "application/x-www-form-urlencoded")], "wait=true", 415),
        (stop, &json, "", 400),
        (stop, &json, "{\"wat\": true}", 400),
        (stop, &json, "{\"wait\": 1}", 400),
        (stop, &json, &large, 413),
        ("/api/v1/services/db/scale", &json, "{\"replicas\": -1}", 400),
        ("/api/v1/services/db/signal", &json, "{\"signal\": \"NO\"}", 400),
        ("/api/v1/services/db/exec", &json, "{\"argv\": []}", 400),
        ("/api/v1/services/db/exec", &json, "{\"argv\": [\"x\"], \"stdin\": \"no Base64\"}", 400),
        ("/api/v1/services/db/exec", &json, &stdin, 413),
        ("/api/v1/services/DB/stop", &json, "{}", 404),
        ("/api/v1/services/..%2f/stop", &json, "{}", 404),
        ("/api/v1/down", &json, "{\"timeout\": \"5\"}", 400),
    ] {
        let answer = request(&stage.place, "POST", path, headers, body).await;
        assert_eq!(answer.status, status, "{path} {body:.40}: {answer:?}");
    }
    for path in ["status?watch=maybe", "status?wat=true", "events?since=5", "logs?grep=(", "logs?level=loud"] {
        let answer = request(&stage.place, "GET", &format!("/api/v1/{path}"), &[], "").await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
    }
    // Nothing of this has stopped anything.
    assert_eq!(stage.client.service("db").await.unwrap().state, State::Running);
    stage.end().await;
}

#[tokio::test]
async fn commands_are_carried_out() {
    let Stage { client, .. } = &stage().await;
    let wait = Wait { wait: true };
    let before = client.service("db").await.unwrap();
    assert!(before.ready && before.waiting.is_none(), "{before:?}");
    assert!(client.restart("db", &wait).await.unwrap().done);
    assert_ne!(client.service("db").await.unwrap().instances[0].id, before.instances[0].id);

    assert!(client.stop("db", &wait).await.unwrap().done);
    assert_eq!(client.service("db").await.unwrap().state, State::Stopped);
    assert_eq!(client.service("api").await.unwrap().state, State::Running);
    let taken = client.start("db", &Wait { wait: false }).await.unwrap();
    assert!(!taken.done && taken.why.is_none());
    assert!(client.start("db", &wait).await.unwrap().done);

    assert!(client.scale("api", &Scale { replicas: 3, wait: true }).await.unwrap().done);
    let status: Status = client.status().await.unwrap();
    assert_eq!(status.services["api"].ready_replicas, 3);
    assert_eq!(status.services.keys().collect::<Vec<_>>(), ["db", "api"]);
    let graph = client.graph().await.unwrap();
    assert_eq!((graph.nodes[1].layer, graph.nodes[1].state), (1, Some(State::Running)));
    assert!(client.why("api").await.unwrap().ready);

    let Err(ClientError::Api(error)) = client.stop("dbb", &wait).await else { panic!("taken") };
    assert_eq!((error.code, &error.details["near"]), (Code::UnknownService, &"db".into()));
    let argv = Exec { replica: Some(9), ..Exec::new(vec!["x".into()]) };
    let Err(ClientError::Api(error)) = client.exec("db", &argv).await else { panic!("taken") };
    assert_eq!(error.code, Code::NoInstance);

    assert!(client.down(&Down { wait: true, timeout: None }).await.unwrap().done);
    let status = client.status().await.unwrap();
    assert!(status.services.values().all(|s| s.state == State::Stopped), "{status:?}");
}

#[tokio::test]
async fn streams_follow_and_end_with_the_server() {
    let stage = stage().await;
    let client = &stage.client;
    let mut watch = client.watch().await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().services["db"].state, State::Running);
    let mut events =
        client.events(&EventsQuery { follow: true, tail: Some(0), ..EventsQuery::default() }).await.unwrap();
    let mut logs = client.logs(&LogsQuery { follow: true, ..LogsQuery::default() }).await.unwrap();

    client.stop("api", &Wait { wait: true }).await.unwrap();
    let first = events.next().await.unwrap().unwrap();
    assert_eq!(first.service.as_deref(), Some("api"));
    loop {
        let status = watch.next().await.unwrap().unwrap();
        if status.services["api"].state == State::Stopped {
            break;
        }
    }
    let past = client.events(&EventsQuery { tail: Some(2), ..EventsQuery::default() }).await;
    let mut past = past.unwrap();
    let (one, two) = (past.next().await.unwrap().unwrap(), past.next().await.unwrap().unwrap());
    assert_eq!(one.seq + 1, two.seq);
    assert!(past.next().await.is_none());

    let head = [("Accept", "text/event-stream")];
    let sse = request(&stage.place, "GET", "/api/v1/events?tail=1", &head, "").await;
    assert!(sse.head.contains("text/event-stream"), "{sse:?}");
    let text = String::from_utf8(sse.body).unwrap();
    assert!(text.starts_with("data: {") && text.ends_with("}\n\n"), "{text}");

    stage.end().await;
    let rest = async {
        while watch.next().await.is_some_and(|u| u.is_ok()) {}
        while events.next().await.is_some_and(|e| e.is_ok()) {}
        while logs.next().await.is_some_and(|l| l.is_ok()) {}
    };
    tokio::time::timeout(Duration::from_secs(10), rest).await.expect("streams end with the server");
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_wait_their_turn() {
    let stage = stage().await;
    let calls = (0..200).map(|_| stage.client.status());
    for status in futures::future::join_all(calls).await {
        assert_eq!(status.unwrap().stack, "demo");
    }
    stage.end().await;
}
