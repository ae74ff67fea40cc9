//! What holders and a host say to each other: a line of JSON each, every question with one answer.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Failure;

/// What the host is to run, left for it in its directory.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The resolved stack.
    pub(crate) stack: serde_json::Value,
    /// To be ready within this time.
    pub(crate) within: Duration,
    /// It goes on for so long without holders.
    pub(crate) linger: Duration,
}

impl Order {
    pub(crate) fn new(stack: &orco_core::spec::Stack, within: Duration, linger: Duration) -> Self {
        // It is JSON that we have just written.
        let stack = serde_json::from_slice(&stack.to_json()).unwrap_or_default();
        Self { stack, within, linger }
    }
}

/// From a holder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The first line: to be told once everything is ready. If it fails: keep what runs for so long.
    Hold { keep: Option<Duration> },
    /// Where a service (or one of its named ports) is reached.
    Endpoints { service: String, port: Option<String> },
    /// To go on for so long though nobody holds it.
    Keep { time: Duration },
    /// To start, stop or restart a service, and to be told when that is done.
    Change { service: String, change: Change },
    /// To end everything, and to be told when it has.
    End,
}

/// What is done to a service.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Change {
    Start,
    Stop,
    Restart,
}

/// From the host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// Everything is ready.
    Ready(About),
    /// It did not become so.
    Failed(Box<Failure>, About),
    /// The addresses.
    Endpoints(Vec<SocketAddr>),
    /// It is done.
    Done,
    /// It cannot be done.
    Refused(String),
}

/// Of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) pid: u32,
    pub(crate) logs: PathBuf,
    /// `SERVICE ADDRESS` of all that can be reached, for people.
    pub(crate) endpoints: Vec<String>,
}

/// A line of it.
pub(crate) fn line(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}
