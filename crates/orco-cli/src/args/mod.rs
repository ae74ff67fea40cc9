//! What the user typed. No I/O and no meaning: that is `cmd`'s.

mod cli;
mod commands;
mod log_args;
mod output;
#[cfg(test)]
mod tests;
#[cfg(feature = "tui")]
mod tui;
mod values;

pub use cli::{Cli, Command, LongStackArgs, OutputArgs, StackArgs};
pub use commands::{
    Apply, Completions, Config, Daemon, DaemonEngine, DaemonRun, DaemonUpgrade, Down, Events, Exec, Graph, Logs, Ls,
    Man, Scale, Services, Signal, Status, SystemdUnit, Up, Validate, Why,
};
pub use log_args::LogArgs;
pub use output::{GraphFormat, LogFormat, OutputFormat};
#[cfg(feature = "tui")]
pub use tui::{ThemeArgs, Tui};
pub use values::{ServiceReplicas, Tail};
