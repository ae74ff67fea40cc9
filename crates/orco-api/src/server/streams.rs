//! Answers that go on: NDJSON, or server-sent events where the client asks for them.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use orco_core::{engine::EventQuery, log::Query, model::ServiceName};
use serde::Serialize;

use super::{answer::Failure, app::App, body::Params};
use crate::wire::{Code, Event, EventsQuery, LogsQuery, Timestamp, parse_duration};

/// One document as a line.
pub(super) fn line(document: &impl Serialize) -> Vec<u8> {
    // Wire types have string keys only, so this cannot fail; if it did, the line is left out.
    let mut line = serde_json::to_vec(document).unwrap_or_default();
    if !line.is_empty() {
        line.push(b'\n');
    }
    line
}

/// Streams chunks of whole lines until they or the server end.
pub(super) fn answer(app: &App, head: &HeaderMap, lines: impl Stream<Item = Vec<u8>> + Send + 'static) -> Response {
    let accept = head.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let sse = accept.split(',').any(|a| a.split(';').next().is_some_and(|a| a.trim() == "text/event-stream"));
    let kind = if sse { "text/event-stream" } else { "application/x-ndjson" };
    let chunks = lines
        .take_until(app.closing.clone().cancelled_owned())
        .map(move |lines| Ok::<_, Infallible>(Bytes::from(if sse { as_events(&lines) } else { lines })));
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], Body::from_stream(chunks)).into_response()
}

/// Each line of JSON becomes one event; JSON has no raw end of line inside.
fn as_events(lines: &[u8]) -> Vec<u8> {
    let mut events = Vec::with_capacity(lines.len() + 16);
    for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        events.extend_from_slice(b"data: ");
        events.extend_from_slice(line);
        events.extend_from_slice(b"\n\n");
    }
    events
}

/// Unix microseconds so long ago.
fn ago(text: Option<&str>) -> Result<Option<u64>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let age = parse_duration(text).map_err(|e| Failure::new(Code::BadRequest, e.to_string()))?;
    let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
    Ok(Some(Timestamp::now().unix_micros().saturating_sub(age)))
}

pub(super) async fn events(
    State(app): State<App>,
    Params(query): Params<EventsQuery>,
    head: HeaderMap,
) -> Result<Response, Failure> {
    let mut wanted = if query.follow { EventQuery::following() } else { EventQuery::all() };
    wanted.since = ago(query.since.as_deref())?;
    wanted.tail = query.tail;
    let lines = app.engine.events(wanted).map(|event| line(&Event::from(&*event)));
    Ok(answer(&app, &head, lines))
}
