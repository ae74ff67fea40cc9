//! What the commands do: each is a thin call into a public item of the libraries.

mod apply;
mod ask;
mod change;
mod daemon;
mod events;
mod failure;
mod generate;
mod graph;
mod later;
mod logs;
mod ls;
mod plugins;
mod stack;
mod status;
mod target;
#[cfg(feature = "tui")]
mod tui;
mod up;
mod validate;

use std::future::Future;

pub use daemon::engine;
pub use failure::Failure;

use crate::{
    args::{Cli, Command, Config},
    exit::Exit,
};

/// Runs one command to its end.
///
/// # Errors
/// [`Failure`] says why, what to do next and with which code to exit.
pub fn run(cli: Cli) -> Result<Exit, Failure> {
    let outer = cli.stack;
    match cli.command {
        Command::Up(args) => up::up(args, &outer),
        Command::Down(args) => wait(change::down(args, &outer)),
        Command::Start(args) => wait(change::services(change::Verb::Start, args, &outer)),
        Command::Stop(args) => wait(change::services(change::Verb::Stop, args, &outer)),
        Command::Restart(args) => wait(change::services(change::Verb::Restart, args, &outer)),
        Command::Scale(args) => wait(change::scale(args, &outer)),
        Command::Status(args) => wait(status::status(args, &outer)),
        Command::Logs(args) => wait(logs::logs(args, &outer)),
        Command::Events(args) => wait(events::events(args, &outer)),
        Command::Graph(args) => wait(graph::graph(args, &outer)),
        Command::Why(args) => wait(ask::why(args, &outer)),
        Command::Signal(args) => wait(ask::signal(args, &outer)),
        Command::Exec(args) => wait(ask::exec(args, &outer)),
        Command::Validate(args) | Command::Config { command: Config::Lint(args) } => validate::validate(args, &outer),
        Command::Schema => generate::schema(),
        Command::Daemon { command } => daemon::daemon(command, &outer),
        Command::SystemdUnit(args) => daemon::systemd_unit(args, &outer),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
        Command::Apply(args) => wait(apply::apply(args, &outer)),
        Command::Promote(_) => Err(later::later("promote", "canary and blue/green updates")),
        Command::Abort(_) => Err(later::later("abort", "canary and blue/green updates")),
        Command::Ls(args) => wait(ls::ls(args)),
        #[cfg(feature = "tui")]
        Command::Tui(args) => wait(tui::tui(args, &outer)),
        #[cfg(not(feature = "tui"))]
        Command::Tui(_) => Err(Failure::new(Exit::USAGE, "this `orco` was built without its terminal UI").next(
            "build it with the feature `tui`, which is a default; `orco status --watch` and `orco logs -f` do without",
        )),
    }
}

/// One thread is enough, and small.
fn wait<F: Future<Output = Result<Exit, Failure>>>(command: F) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::internal("cannot start the runtime", e))?.block_on(command)
}

/// A document for people and programs.
fn pretty(document: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(document).unwrap_or_default();
    text.push(b'\n');
    text
}

/// A document on one line.
fn line(document: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(document).unwrap_or_default();
    text.push(b'\n');
    text
}
