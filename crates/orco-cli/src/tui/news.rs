//! What comes over the connection, and what is asked of it.

use orco_api::wire::{Event, Graph, LogRecord, LogsQuery, Outcome, Status, Why};

use super::{pane::SaveResult, theme::Ground};

/// Something came.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// The stack is so now.
    Status(Box<Status>),
    /// The connection is lost, for this reason; another is tried.
    Stale(String),
    /// The stack has ended. False: nobody said good-bye.
    Down(bool),
    /// Events, in their order.
    Events(Vec<Event>),
    /// A status with what services use.
    Usage(Option<Box<Status>>),
    /// Why a service is not ready.
    Why(String, Result<Box<Why>, String>),
    /// The dependencies.
    Graph(Result<Box<Graph>, String>),
    /// Log records of the subscription with this number.
    Logs(u64, Vec<LogRecord>),
    /// That subscription has ended, for this reason; `None`: with the stack.
    LogsEnded(u64, Option<String>),
    /// What became of a file.
    Saved(Saved),
    /// How a request went.
    Done(Request, Result<Outcome, String>),
}

/// What became of a file.
pub type Saved = SaveResult;

/// A question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// What do services use?
    Usage,
    /// Why is this service not ready?
    Why(String),
    /// Who depends on whom?
    Graph,
}

/// Something that shall be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Starts these services.
    Start(Vec<String>),
    /// Stops them.
    Stop(Vec<String>),
    /// Replaces them.
    Restart(Vec<String>),
    /// Sets the replicas of a service.
    Scale(String, u32),
    /// Sends a signal to a service, or to one replica of it.
    Signal {
        /// The service.
        service: String,
        /// One replica, or all.
        replica: Option<u32>,
        /// `HUP`, `SIGHUP` or `1`.
        signal: String,
    },
}

impl Request {
    /// In a few words: `restart api`.
    pub fn words(&self) -> String {
        let all = |verb: &str, services: &[String]| match services {
            [one] => format!("{verb} {one}"),
            many => format!("{verb} {} services", many.len()),
        };
        match self {
            Self::Start(services) => all("start", services),
            Self::Stop(services) => all("stop", services),
            Self::Restart(services) => all("restart", services),
            Self::Scale(service, replicas) => format!("scale {service} to {replicas}"),
            Self::Signal { service, replica: Some(replica), signal } => format!("send {signal} to {service}/{replica}"),
            Self::Signal { service, replica: None, signal } => format!("send {signal} to {service}"),
        }
    }
}

/// Something that the program shall do for the state.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Ask.
    Ask(Question),
    /// Have it done.
    Do(Request),
    /// Follow these log records from now on, and no others. The number comes back with each of them.
    Follow(u64, Box<LogsQuery>),
    /// Give this text to the terminal's clipboard.
    Copy(String),
    /// Write a file.
    Save {
        /// Where.
        path: String,
        /// What.
        text: String,
        /// Whether one that is there may be replaced.
        replace: bool,
    },
    /// Do as Ctrl-C does without a terminal UI.
    Interrupt,
    /// Back to the shell until `fg`.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// For a dark or a light terminal; `None`: the other one.
    Ground(Option<Ground>),
    /// This is the end.
    End(Ended),
}

/// How a terminal UI ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The user has left.
    Left,
    /// The user has left with Ctrl-C.
    Interrupted,
    /// By SIGTERM or SIGHUP.
    Signalled,
    /// The stack has ended. False: nobody said good-bye.
    Down(bool),
}
