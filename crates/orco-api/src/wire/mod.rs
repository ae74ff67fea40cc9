//! What goes over the wire: plain data with the names and JSON fields of the contract. The core's own types
//! are not serialisable on purpose; everything that leaves the process is one of these.

mod apply;
mod bytes;
mod command;
mod convert;
mod duration;
mod error;
mod event;
mod graph;
mod log;
mod moment;
mod query;
mod status;
mod suggest;
mod time;
mod waiting;
mod why;

pub use apply::{Applied, Apply, Change, Plan, PlanService, PlanStep, Reason, Replicas, Step};
pub use bytes::Bytes;
pub use command::{Down, Exec, ExecReply, Outcome, STDIN_LIMIT, Scale, Signal, Upgrade, Upgrading, Wait};
pub use duration::{InvalidDuration, parse_duration};
pub use error::{Code, ErrorBody};
pub use event::Event;
pub use graph::{Graph, GraphEdge, GraphNode};
pub use log::{Level, LogRecord, Source};
pub use moment::{InvalidMoment, Moment};
pub use query::{EventsQuery, LogsQuery, StatusQuery};
pub use status::{Exit, Instance, Kind, Mode, Resources, Service, State, Status};
pub use suggest::no_service;
pub use time::Timestamp;
pub use waiting::Waiting;
pub use why::Why;
