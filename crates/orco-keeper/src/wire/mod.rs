//! What engine and keeper say to each other.

mod codec;
mod frames;
mod order;
mod report;
mod welcome;

pub(crate) use codec::{Malformed, Wire, wire_enum};
pub(crate) use frames::{Frames, MAX_FRAME, frame};
pub(crate) use order::{Adopt, Exec, Hello, Order};
pub use order::{Backend, Change, Credentials, Launch, Spawn};
pub use report::Stage;
pub(crate) use report::{Ending, Report};
pub(crate) use welcome::Welcome;

/// Both sides must agree on it; a keeper of another version is refused.
pub(crate) const VERSION: u8 = 4;

#[cfg(test)]
mod tests;
