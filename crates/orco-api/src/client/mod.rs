//! The client: typed calls and streams over a stack's control socket.

mod absent;
mod again;
mod call;
mod connect;
mod error;
mod position;
mod resume;
mod stream;

pub use call::Client;
pub use error::ClientError;
pub use position::{EventPosition, LogPosition, StatusPosition};
pub use resume::{Position, Resuming};
pub use stream::{Bodies, Lines};
