//! The command line as a whole: which stack, which command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[cfg(feature = "tui")]
use super::Tui;
use super::{
    OutputFormat,
    commands::{
        Apply, Completions, Config, Daemon, Down, Events, Exec, Graph, Later, Logs, Ls, Man, Scale, Services, Signal,
        Status, SystemdUnit, Up, Validate, Why,
    },
};
use crate::exit;

/// Runs stacks of services: in dependency order, gated on their own probes, restarted when they die
#[derive(Parser, Debug)]
#[command(name = "orco", version, after_help = exit::HELP, disable_help_subcommand = true)]
pub struct Cli {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which stack.
#[derive(Args, Clone, Debug, Default)]
pub struct StackArgs {
    /// The stack file [default: stack.yaml, here or in a folder above]
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "stack")]
    pub file: Option<PathBuf>,
    /// The name of a running stack, instead of its file
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
}

impl StackArgs {
    /// What stands after the subcommand wins over what stands before it.
    pub fn or(self, outer: &Self) -> Self {
        if self.file.is_none() && self.stack.is_none() { outer.clone() } else { self }
    }
}

/// The same where `-f` means something else.
#[derive(Args, Clone, Debug, Default)]
pub struct LongStackArgs {
    /// The stack file [default: stack.yaml, here or in a folder above]
    #[arg(long, value_name = "FILE", conflicts_with = "stack")]
    pub file: Option<PathBuf>,
    /// The name of a running stack, instead of its file
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
}

impl From<LongStackArgs> for StackArgs {
    fn from(LongStackArgs { file, stack }: LongStackArgs) -> Self {
        Self { file, stack }
    }
}

/// `-o text|json`.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputArgs {
    /// How to print
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = OutputFormat::Text)]
    pub output: OutputFormat,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Start the stack, or some services with what they need, and stay with it
    Up(Up),
    /// Stop everything in reverse order
    Down(Down),
    /// Start services
    Start(Services),
    /// Stop services; what depends on them stays
    Stop(Services),
    /// Replace services, one replica at a time
    Restart(Services),
    /// Show the services and what they wait for
    Status(Status),
    /// Show output of services, also of a stack that is down
    Logs(Logs),
    /// Show the typed event stream as NDJSON
    Events(Events),
    /// Show the dependency graph, with live state where the stack runs
    Graph(Graph),
    /// Explain what keeps a service from being ready
    Why(Why),
    /// Make the running stack match its file, and print what changes
    Apply(Apply),
    /// List the stacks that run on this machine
    Ls(Ls),
    /// Set replicas until the next `apply`
    Scale(Scale),
    /// Send a signal to a service
    Signal(Signal),
    /// Run a command beside (or inside) a service
    Exec(Exec),
    /// Run the stack under service managers and in containers, or replace its engine
    Daemon {
        /// What about it.
        #[command(subcommand)]
        command: Daemon,
    },
    /// Print a unit for systemd that runs the stack
    SystemdUnit(SystemdUnit),
    /// Check the stack file and print what is wrong with it
    Validate(Validate),
    /// `config lint`: the same as `validate`
    #[command(hide = true)]
    Config {
        /// What about it.
        #[command(subcommand)]
        command: Config,
    },
    /// Print the JSON Schema of the stack file, for editors
    Schema,
    /// Print a shell completion script
    Completions(Completions),
    /// Print a manual page
    Man(Man),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Promote(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Abort(Later),
    /// Show a running stack in the terminal, live
    #[cfg(feature = "tui")]
    Tui(Tui),
    /// This build has none.
    #[cfg(not(feature = "tui"))]
    #[command(hide = true, disable_help_flag = true)]
    Tui(Later),
}
