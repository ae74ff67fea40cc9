//! The `orco` command: a thin client of `orco-core`, `orco-api` and the plug-ins.
//!
//! [`args`] is what was typed, [`cmd`] what it means, [`render`] how answers look, [`exit`] how it ends.

mod args;
mod cmd;
mod exit;
mod render;
mod signals;
mod terminal;
#[cfg(feature = "tui")]
mod tui;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Some(engine) = args::DaemonEngine::of_a_keeper(std::env::args_os()) {
        terminal::listen_to_ourselves();
        return cmd::engine(engine).unwrap_or_else(|failure| failure.report()).into();
    }
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no error; a reader that has gone is none either.
            let _ = error.print();
            return if error.use_stderr() { exit::Exit::USAGE.into() } else { exit::Exit::DONE.into() };
        }
    };
    terminal::listen_to_ourselves();
    let result = cmd::run(cli);
    result.unwrap_or_else(|failure| failure.report()).into()
}
