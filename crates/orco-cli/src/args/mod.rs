//! What the user typed. No I/O and no meaning: that is `cmd`'s.

mod cli;
mod commands;
mod log_args;
mod output;
#[cfg(test)]
mod tests;
mod values;

pub use cli::{Cli, Command, LongStackArgs, OutputArgs, StackArgs};
#[cfg(feature = "tui")]
pub use commands::Tui;
pub use commands::{
    Apply, Completions, Config, Daemon, DaemonEngine, DaemonRun, DaemonUpgrade, Down, Events, Exec, Graph, Logs, Ls,
    Man, Scale, Services, Signal, Status, SystemdUnit, Up, Validate, Why,
};
pub use log_args::LogArgs;
#[cfg(feature = "tui")]
pub use output::ThemeName;
pub use output::{GraphFormat, LogFormat, OutputFormat};
pub use values::{ServiceReplicas, Tail};
