//! The thread that moves output into segments. It decides nothing and waits for no reader.

mod front;
mod log;
mod mailbox;
mod resume;
mod segment;
mod task;
mod thread;

pub(crate) use front::{Logger, start};
pub(crate) use task::{Limits, LogReport, Task};

#[cfg(test)]
mod tests;
