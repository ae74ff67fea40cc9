//! `tui`: the terminal UI of a running stack.

use std::{
    io::{self, IsTerminal, stdin},
    thread,
    time::Duration,
};

use orco_api::client::Client;
use tokio::{sync::oneshot, time::timeout};

use super::{Failure, target};
use crate::{
    args::{StackArgs, ThemeArgs, Tui},
    exit::Exit,
    signals::{Signal, Signals},
    terminal,
    tui::{Ended, Home, Options, Theme, abandon, run},
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

/// Shows it in a thread of its own, so that a signal ends the program also while the terminal takes nothing.
async fn show(options: Options, mut signals: Signals) -> Result<Ended, Failure> {
    let (done, mut ended) = oneshot::channel();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (end, runtime) = match runtime {
            // It hears the same signals.
            Ok(runtime) => {
                let shown = async { run(options, Some(Signals::catch()?), None).await };
                (runtime.block_on(shown), Some(runtime))
            }
            Err(error) => (Err(error), None),
        };
        // Nobody may be waiting any more.
        let _: Result<(), io::Result<Ended>> = done.send(end);
        // A file that is being written may lie where nothing answers.
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    };
    let thread = thread::Builder::new().name("tui".to_owned()).spawn(work);
    thread.map_err(|e| Failure::internal("cannot start a thread", e))?;
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
