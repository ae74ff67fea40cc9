//! Bad manners: absent, gone and back, cut off, in pieces.

use std::{collections::BTreeMap, io, path::Path};

use bollard::query_parameters::{EventsOptions, LogsOptionsBuilder};
use futures::StreamExt;
use serde_json::json;

use super::{
    super::{Call, Certainty, Client, EngineError, client::refusal, translate::Fault},
    LONG, at, client, limits, list,
};
use crate::{
    fake_engine::{Answer, FakeEngine, Piece, canned},
    find::{Find, Flavour, Host, Surroundings},
};

fn around(root: &Path) -> Surroundings {
    Surroundings {
        vars: BTreeMap::new(),
        home: Some(root.join("home")),
        runtime_dir: Some(root.join("run-user")),
        root: root.to_path_buf(),
    }
}

#[tokio::test]
async fn failing_lists_each_place_and_why() {
    let world = tempfile::tempdir().unwrap();
    let root = world.path();
    // A socket that nobody serves any more, a file that is no socket, and nothing at all.
    std::fs::create_dir_all(root.join("run-user")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(root.join("run-user/docker.sock")).unwrap());
    let find = Find { flavour: Flavour::Docker, host: None };
    let client = Client::within(find, limits(LONG, LONG), around(root));
    let error = list(&client).await.unwrap_err();
    let said = error.to_string().replace(root.to_str().unwrap(), "");
    assert_eq!(
        said,
        "no container engine found: rootless socket unix:///run-user/docker.sock: connection refused; socket of Docker \
         Desktop unix:///home/.docker/run/docker.sock: no such socket; system socket unix:///var/run/docker.sock: no \
         such socket"
    );
    assert_eq!((error.happened(), error.is_engine_trouble()), (Certainty::No, true));
    assert_eq!(client.host(), None);
}

#[tokio::test]
async fn a_chosen_engine_that_is_absent_is_named() {
    let client = Client::new(at("unix:///nowhere/docker.sock".into()), limits(LONG, LONG));
    let error = list(&client).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "engine not reachable at unix:///nowhere/docker.sock: no such socket; is it running?"
    );
    let client = Client::new(at("ssh://me@there".into()), limits(LONG, LONG));
    let error = list(&client).await.unwrap_err();
    assert!(error.to_string().contains("the configured address: `ssh://me@there`: ssh is not supported"), "{error}");
}

/// Another engine would know none of our containers: we would take them for gone and start them again there.
#[tokio::test]
async fn an_engine_that_was_found_is_never_exchanged_for_another() {
    let world = tempfile::tempdir().unwrap();
    let (mut first, second) = (FakeEngine::start().await, FakeEngine::start().await);
    first.link_to(&world.path().join("run-user/docker.sock"));
    second.link_to(&world.path().join("var/run/docker.sock"));
    let find = Find { flavour: Flavour::Docker, host: None };
    let client = Client::within(find, limits(LONG, LONG), around(world.path()));
    assert_eq!(list(&client).await, Ok(0));
    first.go_away().await;
    let error = list(&client).await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error}");
    assert!(list(&client).await.unwrap_err().to_string().contains("run-user/docker.sock: connection refused"));
    assert_eq!(second.requests(), Vec::<String>::new());
    first.come_back();
    assert_eq!(list(&client).await, Ok(0));
    assert_eq!(client.host(), Some(Host::Unix(world.path().join("run-user/docker.sock"))));
}

#[tokio::test]
async fn gone_and_back_as_another_version() {
    let mut engine = FakeEngine::start().await;
    let client = client(&engine);
    assert_eq!(list(&client).await, Ok(0));
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    let (event, ()) = tokio::join!(events.next(), async {
        engine.until_asked("/events").await;
        engine.go_away().await;
    });
    assert!(event.is_none_or(|event| event.is_err()), "a cut stream is no event");
    for _ in 0..3 {
        let error = list(&client).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("engine not reachable at {}: connection refused; is it running?", engine.host())
        );
        assert_eq!(error.happened(), Certainty::No);
    }
    engine.speaks("1.44", "1.52");
    engine.come_back();
    assert_eq!(list(&client).await, Ok(0));
    assert_eq!(engine.requests().last().unwrap(), "GET /v1.52/containers/json");
}

/// Updated between two calls: only the refusal tells.
#[tokio::test]
async fn a_version_that_is_no_longer_spoken_is_agreed_on_anew() {
    let engine = FakeEngine::start().await;
    let client = client(&engine);
    assert_eq!(list(&client).await, Ok(0));
    engine.speaks("1.44", "1.52");
    let error = list(&client).await.unwrap_err();
    assert_eq!((error.is_engine_trouble(), error.happened()), (true, Certainty::No), "{error}");
    assert_eq!(list(&client).await, Ok(0));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_leaves_the_outcome_unknown() {
    let engine = FakeEngine::start().await;
    let client = client(&engine);
    for answer in [
        Answer::Drop,
        Answer::Short(json!([])),
        Answer::Body(200, b"[{".to_vec()),
        Answer::Body(200, b"hello".to_vec()),
    ] {
        engine.once("GET /containers/json", answer.clone());
        let error = list(&client).await.unwrap_err();
        assert!(matches!(error, EngineError::Broken { .. }), "{answer:?}: {error:?}");
        assert_eq!((error.happened(), error.is_engine_trouble()), (Certainty::Unknown, true), "{answer:?}: {error}");
        assert_eq!(list(&client).await, Ok(0), "the next one is not concerned");
    }
}

#[tokio::test]
async fn a_refusal_keeps_the_engines_words() {
    let engine = FakeEngine::start().await;
    let client = client(&engine);
    let cases = [
        (Answer::refuse(404, "No such container: web"), "list containers: No such container: web"),
        (Answer::refuse(500, "something\n  broke"), "the engine answered 500: something broke (list containers)"),
        (Answer::Body(502, b"not json".to_vec()), "the engine answered 502: not json (list containers)"),
        (Answer::Body(503, Vec::new()), "the engine answered 503 (list containers)"),
    ];
    for (answer, said) in cases {
        engine.once("GET /containers/json", answer);
        assert_eq!(list(&client).await.unwrap_err().to_string(), said);
    }
}

/// Half a frame of output is an error, never a line.
#[tokio::test]
async fn a_stream_cut_mid_frame_is_an_error() {
    let engine = FakeEngine::start().await;
    let mut half = crate::fake_engine::frame(1, b"a whole line\n");
    half.truncate(15);
    let pieces = vec![Piece::output(1, b"first\n"), Piece::Bytes(half), Piece::Cut];
    engine.on("GET /containers/*/logs", Answer::Stream(pieces));
    let client = client(&engine);
    let options = LogsOptionsBuilder::default().follow(true).stdout(true).build();
    let mut logs = client.docker().await.unwrap().logs("c1", Some(options));
    assert_eq!(logs.next().await.unwrap().unwrap().to_string(), "first\n");
    let error = client.explain(&Call::from("read logs"), &logs.next().await.unwrap().unwrap_err());
    assert!(matches!(error, EngineError::Broken { .. }), "{error}");
    assert!(error.to_string().starts_with("read logs: the engine's answer was cut off"), "{error}");
}

#[tokio::test]
async fn events_cut_mid_line_are_an_error() {
    let engine = FakeEngine::start().await;
    let event = canned::event("die", "c1", &[], 1);
    let half = event.to_string().into_bytes()[..40].to_vec();
    engine.on("GET /events", Answer::Stream(vec![Piece::line(&event), Piece::Bytes(half), Piece::Cut]));
    let client = client(&engine);
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    events.next().await.unwrap().unwrap();
    assert!(events.next().await.unwrap().is_err());
}

#[test]
fn a_refused_connection_says_what_to_do() {
    let denied = || Fault::Connect(io::Error::from(io::ErrorKind::PermissionDenied));
    let docker = refusal(&Host::Unix("/var/run/docker.sock".into()), denied());
    assert_eq!(
        docker.to_string(),
        "permission denied on unix:///var/run/docker.sock: add yourself to the group `docker` or use a rootless engine"
    );
    let podman = refusal(&Host::Unix("/run/podman/podman.sock".into()), denied());
    assert!(podman.to_string().contains("podman system service"), "{podman}");
    assert_eq!((docker.happened(), docker.is_engine_trouble()), (Certainty::No, true));
}
