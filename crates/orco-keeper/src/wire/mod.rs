//! What engine and keeper say to each other.

mod codec;
mod frames;
mod report;
mod order;

pub(crate) use codec::{Malformed, Wire};
pub(crate) use frames::{Frames, MAX_FRAME, frame};
pub(crate) use order::{Exec, Hello, Order};
pub use order::{Backend, Credentials, Launch, Spawn};
pub(crate) use report::{Ending, Report};
pub use report::Stage;

/// Both sides must agree on it; a keeper of another version is refused.
pub(crate) const VERSION: u8 = 1;

#[cfg(test)]
mod tests;
