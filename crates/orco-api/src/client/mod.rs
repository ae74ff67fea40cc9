//! The client: typed calls and streams over a stack's control socket.

mod absent;
mod again;
mod away;
mod call;
mod connect;
mod error;
mod log_bytes;
mod position;
mod raw;
mod resume;
mod stream;

pub use call::Client;
pub use error::ClientError;
pub use log_bytes::LogBytes;
pub use position::{EventPosition, LogPosition, StatusPosition};
pub use resume::{Position, Resuming};
pub use stream::{Bodies, Lines};
