//! One request, one answer, on a connection of its own.

use std::{
    error::Error,
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::Poll,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;

use crate::{
    address::Place,
    connect::{connect, reason},
};

/// So much of a body is looked at.
const BODY_BYTES: usize = 64 << 10;
/// So much of a head is read.
const HEAD_BYTES: usize = 64 << 10;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The expected text is in the body, or none was expected.
    pub(super) body_matches: bool,
}

/// Asks. `Err` has a short lower-case reason. The connection is closed when this returns or is dropped.
pub(super) async fn exchange(
    place: &Place,
    request: Request<Empty<Bytes>>,
    expect_body: Option<&str>,
) -> Result<Answer, String> {
    let stream = connect(place).await.map_err(|why| format!("connect: {why}"))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| explain(&e))?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(|e| explain(&e))?;
        let status = response.status().as_u16();
        let body_matches = match expect_body {
            None => true,
            Some(text) => contains(response.into_body(), text.as_bytes()).await?,
        };
        Ok(Answer { status, body_matches })
    };
    // Both on this task: whoever drops it drops the connection.
    let (mut talk, mut connection) = (pin!(talk), pin!(connection));
    let mut is_open = true;
    poll_fn(|cx| {
        if let Poll::Ready(answer) = talk.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        // Its error reaches the talk too.
        if is_open && connection.as_mut().poll(cx).is_ready() {
            is_open = false;
            return talk.as_mut().poll(cx);
        }
        Poll::Pending
    })
    .await
}

/// Whether the text is in the body's first bytes. Ends as soon as it is seen.
async fn contains(mut body: Incoming, text: &[u8]) -> Result<bool, String> {
    if text.is_empty() {
        return Ok(true);
    }
    let mut seen = Vec::new();
    // Windows that begin before here do not match: a body that comes byte by byte is scanned once.
    let mut from = 0;
    loop {
        if seen[from..].windows(text.len()).any(|window| window == text) {
            return Ok(true);
        }
        from = seen.len().saturating_sub(text.len() - 1);
        if seen.len() >= BODY_BYTES {
            return Ok(false);
        }
        match body.frame().await {
            None => return Ok(false),
            Some(Err(error)) => return Err(explain(&error)),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let room = BODY_BYTES - seen.len();
                    seen.extend_from_slice(&data[..data.len().min(room)]);
                }
            }
        }
    }
}

/// An error in a few lower-case words.
fn explain(error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return "connection closed before the answer".to_owned();
    }
    if error.is_parse() {
        return "answer is not HTTP".to_owned();
    }
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(error) => reason(error),
        None => error.to_string().to_lowercase(),
    }
}
