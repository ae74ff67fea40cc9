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
use orco_core::engine::EventQuery;
use serde::Serialize;

use super::{answer::Failure, app::App, body::Params};
use crate::wire::{Code, Event, EventsQuery, LogsQuery, no_service};

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
        .take_until(app.cutting.clone().cancelled_owned())
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

pub(super) async fn events(
    State(app): State<App>,
    Params(query): Params<EventsQuery>,
    head: HeaderMap,
) -> Result<Response, Failure> {
    let mut wanted = if query.follow { EventQuery::following() } else { EventQuery::all() };
    wanted.since = query.since_micros().map_err(|e| Failure::new(Code::BadRequest, e.to_string()))?;
    wanted.after = query.after;
    wanted.tail = query.tail;
    let lines = app.engine.events(wanted).map(|event| line(&Event::from(&*event)));
    Ok(answer(&app, &head, lines))
}

pub(super) async fn logs(
    State(app): State<App>,
    Params(query): Params<LogsQuery>,
    head: HeaderMap,
) -> Result<Response, Failure> {
    let wanted = query.to_core().map_err(|why| Failure::new(Code::BadRequest, why))?;
    // A misspelt name would otherwise wait for ever for its first line. One that was removed may have left some.
    let stack = app.engine.stack();
    if let Some(unknown) = wanted.services.iter().find(|n| stack.service(n.as_str()).is_none())
        && !app.engine.has_logs_of(unknown).await
    {
        let known = stack.services().iter().map(|service| service.name.as_str());
        return Err(Failure::new(Code::UnknownService, no_service(unknown.as_str(), known)));
    }
    Ok(answer(&app, &head, app.engine.logs_ndjson(wanted, query.follow)))
}
