//! A server closes, because another engine takes over: nobody who speaks with it is left without an answer.

use std::time::Duration;

use orco_api::wire::{Outcome, State, Wait};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{raw::request, stage};

#[tokio::test]
async fn who_has_just_connected_is_heard() {
    let stage = stage().await;
    let mut early = UnixStream::connect(stage.place.socket()).await.unwrap();
    // Connections are taken one after the other.
    stage.client.status().await.unwrap();
    let (closed, asked) = (stage.server.close(), async {
        // While it waits for those whom it has taken.
        tokio::time::sleep(Duration::from_millis(20)).await;
        early.write_all(b"GET /api/v1/status HTTP/1.1\r\nhost: orco\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        early.read_to_string(&mut answer).await.unwrap();
        answer
    });
    let ((), answer) = tokio::join!(closed, asked);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Who says nothing delays nobody for long; this one came too late.
    assert!(UnixStream::connect(stage.place.socket()).await.is_err());
    stage.engine.shutdown().await;
}

#[tokio::test]
async fn who_waits_for_a_command_is_sent_to_the_next_engine() {
    let stage = stage().await;
    let wait = Wait { wait: true };
    for service in ["api", "db"] {
        assert!(stage.client.stop(service, &wait).await.unwrap().done);
    }
    // It waits for `db`, which nobody starts.
    let head = [("Content-Type", "application/json")];
    let asked = request(&stage.place, "POST", "/api/v1/services/api/start", &head, "{\"wait\":true}");
    let closed = async {
        while stage.client.service("api").await.unwrap().state == State::Stopped {
            tokio::task::yield_now().await;
        }
        let begun = std::time::Instant::now();
        stage.server.close().await;
        begun.elapsed()
    };
    let (answer, took) = tokio::join!(asked, closed);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(serde_json::from_slice::<Outcome>(&answer.body).unwrap(), Outcome::TAKEN);
    assert!(took < Duration::from_secs(2), "it waited for the command: {took:?}");
    stage.engine.shutdown().await;
}
