//! The daemon: who starts it, what it does, and how its engine is replaced.
//!
//! A stack under the daemon has two processes: the keeper (`orco_keeper::daemon`), which holds the services, the lock
//! and the control socket, and its child, the [`engine`]. Whoever starts them ([`launch`]) has read the stack file,
//! takes the lock, opens the socket and writes down what is to be done first ([`incoming`]).

mod engine;
pub mod holder;
mod incoming;
mod launch;
pub mod leftover;
mod limits;
mod log_file;
mod notify;
mod preflight;
mod run;
pub mod start;
mod unit;
mod upgrade;
pub mod wait;

pub use engine::engine;
pub use limits::raise_descriptors;
pub use notify::VARIABLES as SERVICE_MANAGER_VARIABLES;
pub use unit::systemd_unit;

use super::Failure;
use crate::{
    args::{Daemon, StackArgs},
    exit::Exit,
};

/// `daemon …`.
pub fn daemon(command: Daemon, outer: &StackArgs) -> Result<Exit, Failure> {
    match command {
        Daemon::Run(args) => run::run(args, outer),
        Daemon::Upgrade(args) => super::wait(upgrade::upgrade(args, outer)),
        Daemon::Engine(args) => engine(args),
    }
}
