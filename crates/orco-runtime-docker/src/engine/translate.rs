//! What the library's errors mean.

use std::{io, time::Duration};

use bollard::errors::Error;

use crate::find::Host;

use super::{call::Call, error::EngineError, manners};

/// Longest message of an engine that is passed on, in characters.
const LONGEST: usize = 1000;

/// What our transport knows better than the library: it passes through it inside of an I/O error.
#[derive(thiserror::Error, Debug)]
pub(super) enum Fault {
    /// Nobody could be asked.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// Nobody accepted the connection in time.
    #[error("no connection in time")]
    ConnectLate(Duration),
    /// A stream that did not begin in time.
    #[error("no answer in time")]
    OpenLate(Duration),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::IOError { err: io::Error::other(fault) }
    }
}

/// The error in our own words.
pub(super) fn translate(what: &Call, host: &Host, error: &Error) -> EngineError {
    let what = what.clone();
    let status = |code: u16, text: &str| {
        let message = tidy(text);
        EngineError::Status { code: manners::status(code, &message), message, what: what.clone() }
    };
    let broken = |why: String| EngineError::Broken { what: what.clone(), why };
    match error {
        Error::DockerResponseServerError { status_code, message } => status(*status_code, message),
        Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => status(200, error),
        Error::IOError { err } => match err.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(Fault::Connect(cause)) => unconnected(host, cause),
            Some(Fault::ConnectLate(after)) => EngineError::NoAnswer { what, after: *after, sent: false },
            Some(Fault::OpenLate(after)) => EngineError::NoAnswer { what, after: *after, sent: true },
            None => broken(format!("the engine's answer was cut off ({})", chain(err))),
        },
        Error::HyperResponseError { err } => broken(format!("the engine's answer was cut off ({})", chain(err))),
        Error::JsonDataError { message, .. } => broken(format!("the engine's answer is not understood: {message}")),
        Error::JsonSerdeError { err } => broken(format!("the engine's answer is not understood: {err}")),
        other => broken(chain(other)),
    }
}

/// Why there is no connection.
pub(super) fn unconnected(host: &Host, cause: &io::Error) -> EngineError {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => EngineError::Denied { host: host.clone() },
        io::ErrorKind::NotFound => EngineError::Unreachable { host: host.clone(), why: "no such socket".to_owned() },
        io::ErrorKind::ConnectionRefused => {
            EngineError::Unreachable { host: host.clone(), why: "connection refused".to_owned() }
        }
        _ => EngineError::Unreachable { host: host.clone(), why: cause.to_string() },
    }
}

/// On one line, and not without end.
fn tidy(text: &str) -> String {
    let own: Option<serde_json::Value> = serde_json::from_str(text).ok();
    // Our own requests have the whole answer, of which only this is for people.
    let text = own.as_ref().and_then(|answer| answer.get("message")?.as_str()).unwrap_or(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        // Transparent errors repeat what is below them.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text
}
