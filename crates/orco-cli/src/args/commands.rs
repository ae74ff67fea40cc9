//! What each command takes.

use std::{ffi::OsString, path::PathBuf, str::FromStr as _, time::Duration};

use clap::{Args, Subcommand};
use orco_api::wire::{Level, Moment, Source, parse_duration};

#[cfg(feature = "tui")]
use super::ThemeArgs;
use super::{
    GraphFormat, LogArgs, LogFormat, LongStackArgs, OutputArgs, OutputFormat, ServiceReplicas, StackArgs,
    values::{Tail, level, source},
};

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
    /// How the terminal UI looks.
    #[cfg(feature = "tui")]
    #[command(flatten)]
    pub look: ThemeArgs,
    /// Fail if not all is ready after this long, and stop everything unless it runs under the daemon (with `-d`: waits)
    #[arg(long, value_name = "T", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Under a daemon that outlives this command, and whatever kills it
    #[arg(short, long)]
    pub detach: bool,
    /// With `-d`: return when all is ready, or say what is not
    #[arg(long, requires = "detach")]
    pub wait: bool,
    /// How much of the output is kept.
    #[command(flatten)]
    pub logging: LogArgs,
    /// `-o json`: log lines as NDJSON; with `-d` what `ls` would say about the stack.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `apply`.
#[derive(Args, Debug)]
pub struct Apply {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Only print what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Return when all is as the file says
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    /// Wait no longer than this; what was begun goes on
    #[arg(long, value_name = "T", value_parser = parse_duration, requires = "wait")]
    pub timeout: Option<Duration>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `ls`.
#[derive(Args, Debug)]
pub struct Ls {
    /// How to print.
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
    #[arg(long, value_name = "T", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
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
    /// Only what is younger than this (`5m`, `2h30m`), or not before a time (`2026-01-02T15:04:05Z`)
    #[arg(long, value_name = "D", value_parser = Moment::from_str)]
    pub since: Option<Moment>,
    /// Only what is older than this, or not after a time; with `-f` it ends at one that is to come
    #[arg(long, value_name = "D", value_parser = Moment::from_str)]
    pub until: Option<Moment>,
    /// Only the last so many lines of the past, or `all`
    #[arg(short = 'n', long, value_name = "N", default_value = "all")]
    pub tail: Tail,
    /// This level and worse: trace, debug, info, warn, error, fatal
    #[arg(long, value_name = "L", value_parser = level)]
    pub level: Option<Level>,
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
    #[arg(long, value_name = "S", value_parser = source)]
    pub source: Option<Source>,
    /// With the time of each line (text and raw)
    #[arg(short, long)]
    pub timestamps: bool,
    /// Without the name of the service in front (text)
    #[arg(long)]
    pub no_prefix: bool,
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
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    pub since: Option<Duration>,
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
#[command(
    after_help = "The exit code is the command's own, of several replicas the first that is not 0; 126 and 127: it \
                        cannot be run; 128 + N: killed by signal N.\nIts standard output and error come together, \
                        when it has ended: the last 64 KiB, and how much was left out. With `-i` it is given at most \
                        4 MiB. Nothing is streamed, and there is no terminal."
)]
pub struct Exec {
    /// Which service
    pub service: String,
    /// One replica, instead of all
    #[arg(long, value_name = "N")]
    pub replica: Option<u32>,
    /// Pass the standard input on: all of it, up to its end, then the command starts
    #[arg(short = 'i', long)]
    pub interactive: bool,
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

/// `daemon …`.
#[derive(Subcommand, Debug)]
pub enum Daemon {
    /// Run the stack as `up -d` does, but stay in the foreground: for systemd, containers, and as process 1
    Run(DaemonRun),
    /// Replace the engine of the running stack by the program now on disk; services go on
    Upgrade(DaemonUpgrade),
    /// What the keeper runs.
    #[command(hide = true)]
    Engine(DaemonEngine),
}

/// `daemon run`.
#[derive(Args, Debug)]
pub struct DaemonRun {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// How much of the output is kept.
    #[command(flatten)]
    pub logging: LogArgs,
}

/// `daemon upgrade`.
#[derive(Args, Debug)]
pub struct DaemonUpgrade {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
}

/// `daemon engine`: only a keeper can start it.
#[derive(Args, Debug)]
pub struct DaemonEngine {
    /// The state directory of the stack
    #[arg(value_name = "DIR", required_unless_present = "check")]
    pub dir: Option<PathBuf>,
    /// The program to look at on disk when it is to be upgraded
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Only say what this program can take over
    #[arg(long, conflicts_with = "dir")]
    pub check: bool,
}

impl DaemonEngine {
    /// Exactly what a keeper says, read without the parser for people: what that takes, an engine would keep for ever.
    pub fn of_a_keeper(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        words.next()?;
        let mut word = |expected: &str| words.next().filter(|word| *word == *expected);
        word("daemon")?;
        word("engine")?;
        let dir = words.next().filter(|dir| dir.as_encoded_bytes().starts_with(b"/"))?;
        words.next().filter(|option| option == "--program")?;
        let program = words.next()?;
        words.next().is_none().then(|| Self { dir: Some(dir.into()), program: Some(program.into()), check: false })
    }
}

/// `systemd-unit`.
#[derive(Args, Debug)]
pub struct SystemdUnit {
    /// The stack file [default: stack.yaml, here or in a folder above]
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// For your own service manager, instead of the system's
    #[arg(long)]
    pub user: bool,
}

/// Whatever stands after a command that does not exist yet.
#[derive(Args, Debug)]
pub struct Later {
    /// Anything.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<std::ffi::OsString>,
}
