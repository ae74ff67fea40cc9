//! What the engine tells for as long as one listens: events and output.

use bollard::{
    container::LogOutput,
    models::EventMessage,
    query_parameters::{EventsOptionsBuilder, LogsOptionsBuilder},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use super::{Call, Client, EngineError};

/// Something happened to a container.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) container: String,
    pub(crate) what: Happened,
    /// In seconds since 1970, by the engine's clock.
    pub(crate) time: i64,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Happened {
    /// Its main process has ended with this code, if the engine says.
    Died(Option<i64>),
    /// The kernel killed something of it for want of memory.
    Oom,
    /// It was removed.
    Removed,
}

/// A piece of output, with the engine's timestamp before it.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) stderr: bool,
    pub(crate) bytes: Bytes,
}

/// What happens to containers with the label, from `since` on (seconds since 1970, by the engine's clock).
pub(crate) async fn events(
    client: &Client,
    label: String,
    since: Option<i64>,
) -> Result<impl Stream<Item = Result<Event, EngineError>> + Send + use<>, EngineError> {
    let docker = client.docker().await?;
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let filters = [
        ("type".to_owned(), list(&["container"])),
        ("event".to_owned(), list(client.manners().await?.events())),
        ("label".to_owned(), vec![label]),
    ];
    let mut options = EventsOptionsBuilder::default().filters(&filters.into());
    if let Some(since) = since {
        options = options.since(&since.to_string());
    }
    let (client, call) = (client.clone(), Call::from("listen to events"));
    let events = docker.events(Some(options.build()));
    Ok(events.filter_map(move |item| {
        let item = item.map_err(|error| client.explain(&call, &error)).map(event).transpose();
        std::future::ready(item)
    }))
}

fn event(message: EventMessage) -> Option<Event> {
    let actor = message.actor?;
    let what = match message.action.as_deref()? {
        // Podman has the name of its own command.
        "die" | "died" => {
            let code = actor
                .attributes
                .as_ref()
                .and_then(|told| told.get("exitCode").or_else(|| told.get("containerExitCode")));
            Happened::Died(code.and_then(|code| code.parse().ok()))
        }
        "oom" => Happened::Oom,
        "destroy" | "remove" => Happened::Removed,
        _ => return None,
    };
    Some(Event { container: actor.id?, what, time: message.time.unwrap_or_default() })
}

/// The container's output from `since` on (seconds since 1970; 0: all), until there is no more now, or with `follow`
/// until the container has ended.
pub(crate) async fn output(
    client: &Client,
    id: &str,
    since: i32,
    follow: bool,
) -> Result<impl Stream<Item = Result<Frame, EngineError>> + Send + use<>, EngineError> {
    let docker = client.docker().await?;
    let options =
        LogsOptionsBuilder::default().follow(follow).stdout(true).stderr(true).timestamps(true).since(since).build();
    let (client, call) = (client.clone(), Call::from("read output"));
    let frames = docker.logs(id, Some(options));
    Ok(frames.map(move |item| match item {
        Ok(LogOutput::StdOut { message }) => Ok(Frame { stderr: false, bytes: message }),
        Ok(LogOutput::StdErr { message }) => Ok(Frame { stderr: true, bytes: message }),
        // Without a header: the rest of a frame that was cut, or an error in the engine's own words.
        Ok(LogOutput::Console { .. } | LogOutput::StdIn { .. }) => {
            Err(EngineError::Broken { what: call.clone(), why: "the output was cut within a frame".to_owned() })
        }
        Err(error) => Err(client.explain(&call, &error)),
    }))
}
