//! What must be remembered, on its way to the journal.
//!
//! One thread owns the journal and the file of events: a slow disk delays neither decisions nor other services. The
//! driver hands over what a turn changed and goes on; a hand waits until the intent behind its effect is written.
//! Engines without a journal have a ledger that counts everything as written.

mod book;
mod thread;

pub(super) use book::{Ledger, Mark};
pub(super) use thread::Files;
