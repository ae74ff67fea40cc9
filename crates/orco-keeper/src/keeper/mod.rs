//! The keeper process.

mod cgroup;
mod guard;
mod capture;
mod job;
mod leave;
mod orders;
mod reap;
mod spawn;
mod strays;
mod talk;
mod turn;

pub(crate) use guard::{LOCK, SWEPT, WITHOUT_LOCK, WITH_LOCK, run};
