//! An engine dies, and the next one on the same state goes on with what runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod away;
mod lives;
mod world;
