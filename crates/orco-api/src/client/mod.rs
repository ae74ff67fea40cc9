//! The client: typed calls and streams over a stack's control socket.

mod call;
mod connect;
mod error;
mod stream;

pub use call::Client;
pub use error::ClientError;
pub use stream::{Bodies, Lines};
