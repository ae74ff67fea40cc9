//! What the user typed. No I/O and no meaning: that is `cmd`'s.

mod output;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
pub use output::{GraphFormat, LogFormat, OutputFormat};
pub use values::ServiceReplicas;

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
    /// Set replicas until the next `apply`
    Scale(Scale),
    /// Send a signal to a service
    Signal(Signal),
    /// Run a command beside (or inside) a service
    Exec(Exec),
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
    Apply(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Promote(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Abort(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Ls(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Tui(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    Daemon(Later),
    /// A command of a later issue.
    #[command(hide = true, disable_help_flag = true)]
    SystemdUnit(Later),
}

/// `up`.
#[derive(Args, Debug)]
pub struct Up {
    /// Only these, with everything they depend on
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Only the named services, not what they depend on
    #[arg(long, requires = "services")]
    pub no_deps: bool,
    /// Print log lines even where there is a terminal UI
    #[arg(long)]
    pub no_tui: bool,
    /// Stop everything and fail if not all is ready after this long
    #[arg(long, value_name = "T", value_parser = orco_api::wire::parse_duration)]
    pub timeout: Option<std::time::Duration>,
    /// Under the daemon.
    #[arg(short, long, hide = true)]
    pub detach: bool,
    /// Until all is ready.
    #[arg(long, hide = true, requires = "detach")]
    pub wait: bool,
    /// `-o json`: log lines as NDJSON.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `down`.
#[derive(Args, Debug)]
pub struct Down {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Kill what is left after this long
    #[arg(long, value_name = "T", value_parser = orco_api::wire::parse_duration)]
    pub timeout: Option<std::time::Duration>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `start`, `stop`, `restart`.
#[derive(Args, Debug)]
pub struct Services {
    /// Which services
    #[arg(value_name = "SERVICE", required = true)]
    pub services: Vec<String>,
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Print again after each change (NDJSON with `-o json`)
    #[arg(short, long)]
    pub watch: bool,
}

/// `logs`.
#[derive(Args, Debug)]
pub struct Logs {
    /// Only of these
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Which stack.
    #[command(flatten)]
    pub stack: LongStackArgs,
    /// Go on with new lines
    #[arg(short, long)]
    pub follow: bool,
    /// Only what is younger than this (`5m`)
    #[arg(long, value_name = "D", value_parser = orco_api::wire::parse_duration)]
    pub since: Option<std::time::Duration>,
    /// Only what is older than this
    #[arg(long, value_name = "D", value_parser = orco_api::wire::parse_duration)]
    pub until: Option<std::time::Duration>,
    /// Only the last so many lines of the past
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// This level and worse: trace, debug, info, warn, error, fatal
    #[arg(long, value_name = "L", value_parser = values::level)]
    pub level: Option<orco_api::wire::Level>,
    /// Only lines in which this regular expression matches
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
    /// Only lines in which it does not match
    #[arg(long, requires = "grep")]
    pub invert: bool,
    /// Only this replica
    #[arg(long, value_name = "N")]
    pub replica: Option<u32>,
    /// Only this incarnation
    #[arg(long, value_name = "N")]
    pub run: Option<u32>,
    /// Only lines from there: stdout, stderr, system
    #[arg(long, value_name = "S", value_parser = values::source)]
    pub source: Option<orco_api::wire::Source>,
    /// How to print
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub output: LogFormat,
}

/// `events`.
#[derive(Args, Debug)]
pub struct Events {
    /// Which stack.
    #[command(flatten)]
    pub stack: LongStackArgs,
    /// Go on with new events
    #[arg(short, long)]
    pub follow: bool,
    /// Only what is younger than this (`5m`)
    #[arg(long, value_name = "D", value_parser = orco_api::wire::parse_duration)]
    pub since: Option<std::time::Duration>,
    /// Only the last so many of the past [default: 10000]
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// How to print
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = OutputFormat::Json)]
    pub output: OutputFormat,
}

/// `graph`.
#[derive(Args, Debug)]
pub struct Graph {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Short for `-o dot`
    #[arg(long, conflicts_with = "output")]
    pub dot: bool,
    /// How to print
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = GraphFormat::Text)]
    pub output: GraphFormat,
}

/// `why`.
#[derive(Args, Debug)]
pub struct Why {
    /// Which service
    pub service: String,
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `scale`.
#[derive(Args, Debug)]
pub struct Scale {
    /// Which service to how many replicas
    #[arg(value_name = "SERVICE=N", required = true)]
    pub targets: Vec<ServiceReplicas>,
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `signal`.
#[derive(Args, Debug)]
pub struct Signal {
    /// Which service
    pub service: String,
    /// `SIGHUP`, `HUP` or `1`
    #[arg(value_name = "SIG")]
    pub signal: String,
    /// One replica, instead of all
    #[arg(long, value_name = "N")]
    pub replica: Option<u32>,
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `exec`.
#[derive(Args, Debug)]
pub struct Exec {
    /// Which service
    pub service: String,
    /// One replica, instead of all
    #[arg(long, value_name = "N")]
    pub replica: Option<u32>,
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The program and its arguments
    #[arg(value_name = "ARGV", required = true, last = true)]
    pub argv: Vec<String>,
}

/// `validate`.
#[derive(Args, Debug)]
pub struct Validate {
    /// The stack file [default: stack.yaml, here or in a folder above]
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `config …`.
#[derive(Subcommand, Debug)]
pub enum Config {
    /// Check the stack file and print what is wrong with it
    Lint(Validate),
}

/// `completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// For which shell
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Args, Debug)]
pub struct Man {
    /// Of this command, instead of `orco` itself
    pub command: Option<String>,
}

/// Whatever stands after a command that does not exist yet.
#[derive(Args, Debug)]
pub struct Later {
    /// Anything.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests;
