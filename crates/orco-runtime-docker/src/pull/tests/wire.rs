//! What an engine may send: errors among the lines of a pull, and none of its own at all.

use std::time::Duration;

use orco_core::runtime::Stage;
use serde_json::{Value, json};

use crate::{
    credentials::Credentials,
    engine::{Client, Limits},
    fake_engine::{Answer, FakeEngine, Piece},
    find::{Find, Flavour},
    pull::{PullPolicy::Missing, Pulls},
};

use super::bench::{Told, until};

const PULL: &str = "POST /images/create";
const LOOK: &str = "GET /images/*/json";

fn lines(lines: &[Value]) -> Answer {
    Answer::Stream(lines.iter().map(Piece::line).collect())
}

/// As Docker and Podman end a pull that has begun well.
fn ends_in(error: &str) -> Answer {
    let begin = json!({"status": "Pulling from library/redis", "id": "7"});
    let layer = json!({"status": "Downloading", "id": "a", "progressDetail": {"current": 5, "total": 10}, "new": [1]});
    lines(&[begin, layer, json!({"errorDetail": {"message": error}, "error": error})])
}

async fn engine() -> (FakeEngine, Pulls, Told) {
    let (engine, told) = (FakeEngine::start().await, Told::default());
    engine.on(LOOK, Answer::refuse(404, "No such image: redis:7"));
    let limits = Limits { pull_idle: Duration::from_millis(300), ..Limits::default() };
    let client = Client::new(Find { flavour: Flavour::Docker, host: Some(engine.host()) }, limits);
    let pulls = Pulls::new(client, Credentials::default(), told.report());
    (engine, pulls, told)
}

#[tokio::test]
async fn a_full_disk_is_told_and_heals_when_there_is_room() {
    let (engine, pulls, told) = engine().await;
    engine.on(PULL, ends_in("write /tmp/GetImageBlob1: no space left on device"));
    let healed = async {
        until("it waits", || !told.waits().is_empty()).await;
        engine.on(PULL, lines(&[json!({"status": "Status: Downloaded newer image"})]));
        engine.on(LOOK, Answer::Json(json!({"Os": "linux", "Architecture": "amd64"})));
    };
    let (outcome, ()) = tokio::join!(pulls.ensure("redis:7", Missing, None), healed);
    outcome.unwrap();
    let why = "cannot pull redis:7 from docker.io: the engine's disk is full (write /tmp/GetImageBlob1: no space left \
               on device)";
    assert_eq!(told.waits(), [why]);
    assert_eq!(told.stages().get(1), Some(&Stage::Running { done: 5, total: Some(10) }));
    assert_eq!(told.stages().last(), Some(&Stage::Done));
    let pulled = engine.requests().into_iter().filter(|line| line.contains("/images/create")).collect::<Vec<_>>();
    assert!(pulled.iter().all(|line| line.contains("fromImage=redis&") && line.contains("tag=7")), "{pulled:?}");
}

#[tokio::test]
async fn an_error_among_the_lines_counts() {
    let (engine, pulls, _) = engine().await;
    engine.on(PULL, ends_in("manifest unknown: manifest unknown"));
    let error = pulls.ensure("redis:7", Missing, None).await.unwrap_err();
    assert!(!error.is_unavailable() && error.is_certain());
    assert_eq!(
        error.to_string(),
        "cannot pull redis:7 from docker.io: no such image or no access to it (manifest unknown: manifest unknown; asked \
         without a login)"
    );
}

#[tokio::test]
async fn an_engine_in_trouble_is_not_a_fault_of_the_service() {
    let cases = [
        (Answer::refuse(500, "oh"), "the engine answered 500: oh"),
        (Answer::Hang, "nothing has come for 0.3 s"),
        (Answer::Stream(vec![Piece::line(&json!({"status": "x"})), Piece::Open]), "nothing has come for 0.3 s"),
        (Answer::Stream(vec![Piece::line(&json!({"status": "x"})), Piece::Cut]), "cut off"),
        (lines(&[json!({"status": "x"})]), "does not have it"),
    ];
    let all = cases.map(|(answer, why)| async move {
        let (engine, pulls, told) = engine().await;
        engine.on(PULL, answer);
        let error = pulls.ensure("redis:7", Missing, None).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(error.to_string().starts_with("cannot pull redis:7 from docker.io: "), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(told.waits().len(), 4, "{told:?}");
        // Nothing of it goes on.
        engine.until_open(0).await;
    });
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn without_an_engine_nothing_is_pulled_and_it_heals() {
    let (mut engine, pulls, _) = engine().await;
    engine.go_away().await;
    let error = pulls.ensure("redis:7", Missing, None).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("engine not reachable"), "{error}");
    engine.come_back();
    engine.on(LOOK, Answer::Json(json!({})));
    pulls.ensure("redis:7", Missing, None).await.unwrap();
}
