//! The keeper process.

mod adopt;
mod capture;
mod cgroup;
mod cleaner;
mod detached;
mod engine;
mod foster;
mod guard;
mod job;
mod leave;
mod orders;
mod reap;
mod retry;
mod search;
mod signals;
mod spawn;
mod strays;
mod talk;
mod tend;
mod token;
mod turn;
mod vigil;

pub(crate) use detached::{CORE, DETACH, DETACHED, LISTENER, OOM, TAKEOVER, UMASK};
pub(crate) use guard::{LEDGER, LOCK, SWEPT, WITH_LOCK, WITHOUT_LOCK, run};
