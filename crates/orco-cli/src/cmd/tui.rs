//! `tui`: the terminal UI of a running stack.

use std::io::{IsTerminal, stdin};

use super::{Failure, target};
use crate::{
    args::{StackArgs, Tui},
    exit::Exit,
    signals::Signals,
    terminal,
    tui::{Ended, Home, Options, Theme, run},
};

pub async fn tui(args: Tui, outer: &StackArgs) -> Result<Exit, Failure> {
    if !stdin().is_terminal() || !terminal::is_terminal() {
        return Err(Failure::new(Exit::USAGE, "the terminal UI needs a terminal")
            .next("`orco status --watch` and `orco logs -f` do without"));
    }
    let signals = Signals::catch().map_err(|e| Failure::internal("cannot catch signals", e))?;
    let client = target::client(&args.stack.or(outer))?;
    // What is wrong is said before the screen is taken.
    let name = client.brief_status().await?.stack;
    let theme = Theme::of(args.theme.map(Into::into), |name| std::env::var(name).ok());
    let options = Options { client, home: Home::Attached, read_only: args.read_only, theme };
    let end = run(options, Some(signals), None).await;
    Ok(match end.map_err(|e| Failure::internal("the terminal does not obey", e))? {
        Ended::Left | Ended::Signalled => Exit::DONE,
        Ended::Interrupted => Exit::INTERRUPTED,
        Ended::Down(true) => {
            terminal::note(format!("the stack `{name}` is down\n"));
            Exit::DONE
        }
        Ended::Down(false) => {
            let text = format!("the stack `{name}` does not run any more: nobody said good-bye");
            return Err(Failure::new(Exit::NOT_RUNNING, text).next("`orco status` tells what is left of it"));
        }
    })
}
