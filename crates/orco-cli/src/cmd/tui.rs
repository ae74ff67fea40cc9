//! `tui`: the terminal UI of a running stack.

use std::{
    io::{IsTerminal, stdin},
    time::Duration,
};

use orco_api::client::Client;
use tokio::time::timeout;

use super::{Failure, target};
use crate::{
    args::{StackArgs, ThemeArgs, Tui},
    exit::Exit,
    signals::{Signal, Signals},
    terminal,
    tui::{Ended, Home, Options, Theme, abandon, begin},
};

/// So long a terminal that takes nothing holds up the end.
const PATIENCE: Duration = Duration::from_secs(1);

pub async fn tui(args: Tui, outer: &StackArgs) -> Result<Exit, Failure> {
    let terminals = stdin().is_terminal() && terminal::is_terminal();
    if !terminals || !terminal::draws() {
        let why = if terminals { " that can be drawn on; TERM says that this one cannot" } else { "" };
        return Err(Failure::new(Exit::USAGE, format!("the terminal UI needs a terminal{why}"))
            .next("`orco status --watch` and `orco logs -f` do without"));
    }
    let signals = catch()?;
    let client = target::client(&args.stack.or(outer))?;
    // What is wrong is said before the screen is taken.
    let name = client.brief_status().await?.stack;
    let client = Client::new(client.place())?;
    let options = Options { client, home: Home::Attached, read_only: args.read_only, theme: theme(args.look) };
    Ok(match show(options, signals).await? {
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

/// What was asked for; where nothing was, what the environment says.
pub fn theme(look: ThemeArgs) -> Theme {
    Theme::of(look.theme.map(Into::into), |name| std::env::var(name).ok())
}

fn catch() -> Result<Signals, Failure> {
    Signals::catch().map_err(|e| Failure::internal("cannot catch signals", e))
}

/// A signal ends the program also while the terminal takes nothing.
async fn show(options: Options, mut signals: Signals) -> Result<Ended, Failure> {
    let mut ended = begin(options, None).map_err(|e| Failure::internal("cannot start a thread", e))?;
    // Both arms are cancel-safe: the end stays the end, a signal that is not taken stays pending.
    let end = tokio::select! {
        end = &mut ended => end,
        signal = signals.next() => match timeout(PATIENCE, &mut ended).await {
            Ok(end) => end,
            Err(_) => {
                abandon();
                return Ok(if signal == Signal::Interrupt { Ended::Interrupted } else { Ended::Signalled });
            }
        },
    };
    match end {
        Ok(end) => end.map_err(|e| Failure::internal("the terminal does not obey", e)),
        Err(_) => Err(Failure::new(Exit::INTERNAL, "the terminal UI has crashed")),
    }
}
