//! A client whose engine is killed and replaced, while the listener stays.

use std::time::{Duration, Instant};

use orco_api::{
    client::{Client, ClientError},
    place::{Lock, Place, StateRoot},
    wire::{EventsQuery, LogsQuery},
};
use orco_core::model::StackId;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

struct Socket {
    _dir: tempfile::TempDir,
    place: Place,
    lock: Lock,
    listener: UnixListener,
    client: Client,
}

fn socket() -> Socket {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
    place.create().unwrap();
    let lock = Lock::take(&place).unwrap();
    let listener = UnixListener::bind(place.socket()).unwrap();
    let client = Client::new(&place).unwrap();
    Socket { _dir: dir, place, lock, listener, client }
}

impl Socket {
    /// The next request's path, and where to answer.
    async fn request(&self) -> (String, UnixStream) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        (head.split(' ').nth(1).unwrap().to_owned(), stream)
    }

    /// Sends these lines of a stream; `end`: in order, else the engine dies.
    async fn stream(&self, lines: &[Value], end: bool) -> String {
        let (path, stream) = self.request().await;
        answer(stream, lines, end).await;
        path
    }

    /// The same, and then the stack is down.
    async fn last(&self, lines: &[Value]) -> String {
        let (path, stream) = self.request().await;
        std::fs::remove_file(self.place.socket()).unwrap();
        answer(stream, lines, true).await;
        path
    }
}

async fn answer(mut stream: UnixStream, lines: &[Value], end: bool) {
    let mut text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for line in lines {
        text.push_str(&format!("{:x}\r\n{line}\n\r\n", line.to_string().len() + 1));
    }
    text.push_str(if end { "0\r\n\r\n" } else { "" });
    stream.write_all(text.as_bytes()).await.unwrap();
}

fn event(seq: u64) -> Value {
    json!({"ts": "2026-01-01T00:00:00Z", "seq": seq, "type": "x", "service": null, "replica": null, "message": "",
           "reason": null, "attempt": null, "data": null})
}

fn record(run: u32, seq: u64) -> Value {
    json!({"ts": "2026-01-01T00:00:00Z", "service": "a", "replica": 0, "level": "info", "msg": format!("{run}.{seq}"),
           "source": "stdout", "seq": seq, "run": run})
}

#[tokio::test]
async fn streams_go_on_without_gap_or_double() {
    let socket = socket();
    let query = EventsQuery { follow: true, ..EventsQuery::default() };
    let mut seen = Vec::new();
    let read = async {
        let mut events = socket.client.follow_events(query).await.unwrap();
        while let Some(event) = events.next().await {
            seen.push(event.unwrap().seq);
        }
    };
    let serve = async {
        socket.stream(&[event(0), event(1)], false).await;
        assert_eq!(socket.stream(&[event(2)], false).await, "/api/v1/events?follow=true&after=1");
        // One that tells too much, and is replaced in good order (an upgrade).
        socket.stream(&[event(2), event(3)], true).await;
        // And the end of the stack.
        assert!(socket.last(&[event(4)]).await.ends_with("after=3"));
    };
    tokio::join!(read, serve);
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn log_records_are_told_apart_by_their_numbers() {
    let socket = socket();
    let query = LogsQuery { follow: true, tail: Some(2), ..LogsQuery::default() };
    let mut seen = Vec::new();
    let read = async {
        let mut logs = socket.client.follow_logs(query).await.unwrap();
        while let Some(record) = logs.next().await {
            seen.push(record.unwrap().msg);
        }
    };
    let serve = async {
        assert!(socket.stream(&[record(1, 8), record(1, 9)], false).await.ends_with("tail=2"));
        let again = socket.last(&[record(1, 7), record(1, 9), record(1, 10), record(2, 0)]).await;
        assert!(again.contains("since=") && !again.contains("tail"), "{again}");
    };
    tokio::join!(read, serve);
    assert_eq!(seen, ["1.8", "1.9", "1.10", "2.0"]);
}

/// With the lock free nobody comes back, and that is said at once and as an error.
#[tokio::test]
async fn the_loss_of_all_is_an_error() {
    let socket = socket();
    let query = EventsQuery { follow: true, ..EventsQuery::default() };
    let first = [event(0)];
    let (events, _) = tokio::join!(socket.client.follow_events(query), socket.stream(&first, false));
    let mut events = events.unwrap();
    let Socket { _dir, lock, listener, .. } = socket;
    drop((lock, listener));
    let begun = Instant::now();
    assert_eq!(events.next().await.unwrap().unwrap().seq, 0);
    assert!(matches!(events.next().await, Some(Err(ClientError::Lost(_)))));
    assert!(events.next().await.is_none());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_may_be_asked_twice_is_asked_again() {
    let socket = socket();
    let serve = async {
        drop(socket.request().await);
        let (path, mut stream) = socket.request().await;
        let body = "{\"done\":true,\"service\":null,\"why\":null}";
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        path
    };
    let wait = orco_api::wire::Wait { wait: true };
    let (outcome, path) = tokio::join!(socket.client.start("db", &wait), serve);
    assert!(outcome.unwrap().done);
    assert_eq!(path, "/api/v1/services/db/start");
    // A restart might already have happened.
    let (outcome, _) = tokio::join!(socket.client.restart("db", &wait), async { drop(socket.request().await) });
    assert!(matches!(outcome, Err(ClientError::Lost(_))));
}
