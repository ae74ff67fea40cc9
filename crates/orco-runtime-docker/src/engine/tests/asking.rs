//! Limits, concurrency, and what is left of a request.

use std::time::Duration;

use bollard::query_parameters::{EventsOptions, LogsOptionsBuilder};
use futures::StreamExt;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{
    super::{Call, Certainty, Client, EngineError},
    LONG, SHORT, at, client, limits, list,
};
use crate::fake_engine::{Answer, FakeEngine, Piece, canned};

#[tokio::test]
async fn one_hung_call_delays_no_other() {
    let engine = FakeEngine::start().await;
    engine.on("GET /containers/*/json", Answer::Hang);
    let client = client(&engine);
    let hung = {
        let client = client.clone();
        tokio::spawn(async move {
            client.call("inspect", |docker| async move { docker.inspect_container("c1", None).await }).await
        })
    };
    engine.until_asked("/containers/c1/json").await;
    for _ in 0..20 {
        assert_eq!(timeout(LONG / 2, list(&client)).await.expect("delayed"), Ok(0));
    }
    assert!(!hung.is_finished());
    // A caller that goes away takes its connection along.
    hung.abort();
    engine.until_open(0).await;
}

#[tokio::test]
async fn a_call_has_a_limit_and_an_open_stream_has_none() {
    let engine = FakeEngine::start().await;
    let event = canned::event("die", "c1", &[], 1);
    engine.on("GET /events", Answer::Stream(vec![Piece::Pause(SHORT * 5), Piece::line(&event), Piece::Open]));
    engine.on("GET /containers/json", Answer::Hang);
    let client = Client::new(at(engine.host()), limits(SHORT, SHORT * 4));
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    let (event, error) = tokio::join!(events.next(), list(&client));
    assert_eq!(event.unwrap().unwrap().action.as_deref(), Some("die"));
    let error = error.unwrap_err();
    assert_eq!(error, EngineError::NoAnswer { what: Call::from("list containers"), after: SHORT, sent: true });
    assert_eq!(error.to_string(), "no answer from the engine after 0.2 s (list containers)");
    assert_eq!((error.happened(), error.is_engine_trouble()), (Certainty::Unknown, true));
}

#[tokio::test]
async fn a_stream_has_to_begin_in_time_and_a_call_may_take_longer() {
    let engine = FakeEngine::start().await;
    engine.on("GET /containers/*/logs", Answer::Hang);
    engine.on("GET /containers/json", Answer::After(SHORT * 5, Box::new(Answer::Json(json!([])))));
    let open = SHORT * 3;
    let client = Client::new(at(engine.host()), limits(LONG, open));
    let options = LogsOptionsBuilder::default().follow(true).stdout(true).build();
    let mut logs = client.docker().await.unwrap().logs("c1", Some(options));
    let (log, listed) = tokio::join!(timeout(LONG, logs.next()), list(&client));
    let log = log.expect("no limit");
    let what = Call::from("read the logs of web-0");
    let error = client.explain(&what, &log.unwrap().unwrap_err());
    assert_eq!(error, EngineError::NoAnswer { what, after: open, sent: true });
    assert_eq!(listed, Ok(0));
}

/// Podman sends the first line of the answer together with the first log: a quiet container is no hung engine.
#[tokio::test]
async fn logs_of_podman_may_begin_late() {
    let engine = FakeEngine::start().await;
    engine.on("GET /version", Answer::Json(canned::version_of_podman()));
    let late = Answer::Stream(vec![Piece::output(1, b"at last\n")]);
    engine.on("GET /containers/*/logs", Answer::After(SHORT * 5, Box::new(late)));
    let client = Client::new(at(engine.host()), limits(LONG, SHORT * 3));
    let options = LogsOptionsBuilder::default().follow(true).stdout(true).build();
    let mut logs = client.docker().await.unwrap().logs("c1", Some(options));
    assert_eq!(logs.next().await.unwrap().unwrap().to_string(), "at last\n");
}

#[tokio::test]
async fn many_callers_share_one_search() {
    let engine = FakeEngine::start().await;
    engine.once("GET /version", Answer::After(SHORT, Box::new(Answer::Json(canned::version("1.24", "1.41")))));
    let client = client(&engine);
    let calls = futures::future::join_all((0..50).map(|_| list(&client))).await;
    assert!(calls.iter().all(|call| *call == Ok(0)), "{calls:?}");
    assert_eq!(engine.requests().iter().filter(|line| *line == "GET /version").count(), 1);
}

#[tokio::test]
async fn a_hung_engine_costs_each_caller_its_own_limit_and_no_more() {
    let engine = FakeEngine::start().await;
    engine.on("GET /version", Answer::Hang);
    let client = Client::new(at(engine.host()), limits(LONG, SHORT));
    let begin = Instant::now();
    for error in futures::future::join_all((0..30).map(|_| list(&client))).await {
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "no answer from the engine after 0.2 s (agree on an API version)");
        assert_eq!(error.happened(), Certainty::No, "the request itself was never sent");
    }
    assert!(begin.elapsed() < SHORT * 10, "one after the other: {:?}", begin.elapsed());
    // A search that nobody waits for any more does not go on, and does not spoil the next one.
    assert!(timeout(Duration::from_millis(20), list(&client)).await.is_err());
    engine.until_open(0).await;
    engine.on("GET /version", Answer::Json(canned::version("1.24", "1.41")));
    assert_eq!(list(&client).await, Ok(0));
}

#[tokio::test]
async fn nothing_stays_open_between_requests() {
    let engine = FakeEngine::start().await;
    engine.on("GET /events", Answer::Stream(vec![Piece::line(&canned::event("die", "c1", &[], 1)), Piece::Open]));
    let client = client(&engine);
    for _ in 0..10 {
        assert_eq!(list(&client).await, Ok(0));
    }
    engine.until_open(0).await;
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    events.next().await.unwrap().unwrap();
    engine.until_open(1).await;
    drop(events);
    engine.until_open(0).await;
}

#[tokio::test]
async fn closing_ends_streams_and_later_calls() {
    let engine = FakeEngine::start().await;
    let client = client(&engine);
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    let (closed, event) = tokio::join!(
        async {
            engine.until_asked("/events").await;
            timeout(LONG, client.close()).await
        },
        events.next()
    );
    assert!(closed.is_ok());
    assert!(event.is_none_or(|event| event.is_err()));
    let error = list(&client).await.unwrap_err();
    assert!(error.to_string().contains("this client is closed") && error.happened() == Certainty::No, "{error}");
    engine.until_open(0).await;
}
