//! The typed event stream.

mod event;
mod file;
mod stream;
mod text;

pub use event::{Event, EventQuery};
pub(super) use file::EventFile;
pub(super) use stream::EventLog;
