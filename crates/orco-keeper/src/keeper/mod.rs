//! The keeper process.

mod adopt;
mod capture;
mod cgroup;
mod guard;
mod job;
mod leave;
mod orders;
mod reap;
mod spawn;
mod strays;
mod talk;
mod turn;

pub(crate) use guard::{LOCK, SWEPT, WITH_LOCK, WITHOUT_LOCK, run};
