//! What is seen of a foreground stack: lines, or the terminal UI.

use std::time::Duration;

use orco_core::engine::{Engine, Finished};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    printer::{self, Printer, Printing},
    pump,
};
use crate::{args::OutputFormat, cmd::Failure, signals::Signal};

/// What is seen of the stack.
pub enum Face {
    /// Log lines on stdout, state changes on stderr.
    Lines(Lines),
    /// The terminal UI.
    #[cfg(feature = "tui")]
    Screen(super::screen::Screen),
}

impl Face {
    /// A note, now or never; under the terminal UI, in the end.
    pub fn say(&mut self, text: String) {
        match self {
            Self::Lines(lines) => lines.printer.say(text),
            #[cfg(feature = "tui")]
            Self::Screen(screen) => screen.say(text),
        }
    }

    /// Everything is being stopped because of a signal, for the first time or (`hurry`) once more.
    pub fn stopping(&mut self, signal: Signal, hurry: bool) {
        let name = signal.as_str();
        match self {
            Self::Lines(lines) if hurry => lines.printer.say(format!("{name} again: killing everything\n")),
            Self::Lines(lines) => {
                lines.printer.say(format!("{name}: stopping everything in order; once more kills\n"));
            }
            #[cfg(feature = "tui")]
            Self::Screen(screen) => screen.stopping(),
        }
    }

    /// Nothing is left to run. Lines have told how that came; the terminal UI takes its picture with it.
    pub fn over(&mut self, end: Option<&Finished>) {
        let word = match end {
            Some(Finished::Completed) => Some("everything has completed\n"),
            Some(Finished::Down) => Some("everything is down\n"),
            // The causes are told instead.
            _ => None,
        };
        match (self, word) {
            (_, None) | (Self::Lines(_), Some(_)) => {}
            #[cfg(feature = "tui")]
            (Self::Screen(screen), Some(word)) => screen.say(word.to_owned()),
        }
    }

    /// Returns when nothing is seen any more although the stack goes on, with the reason. Cancel-safe.
    pub async fn gone(&mut self) -> String {
        match self {
            Self::Lines(_) => std::future::pending().await,
            #[cfg(feature = "tui")]
            Self::Screen(screen) => screen.gone().await,
        }
    }

    /// Everything is over: shows the rest, for at most `patience` and a while.
    pub async fn finish(self) {
        match self {
            Self::Lines(lines) => lines.finish().await,
            #[cfg(feature = "tui")]
            Self::Screen(screen) => screen.finish(PATIENCE).await,
        }
    }
}

/// So long a terminal that takes nothing holds up the end.
#[cfg_attr(not(feature = "tui"), expect(dead_code, reason = "lines have their own"))]
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines for people and pipes.
pub struct Lines {
    printer: Printer,
    printing: Printing,
    pumps: [JoinHandle<()>; 3],
    over: oneshot::Sender<()>,
}

impl Lines {
    /// From now on, until the engine ends.
    pub fn start(engine: &Engine, format: OutputFormat) -> Result<Self, Failure> {
        let (printer, printing) = printer::start().map_err(|e| Failure::internal("cannot start a thread", e))?;
        let (over, ended) = oneshot::channel();
        let pumps = [
            pump::logs(engine, printer.clone(), format),
            pump::events(engine, printer.clone()),
            pump::pulls(engine, printer.clone(), ended),
        ];
        Ok(Self { printer, printing, pumps, over })
    }

    async fn finish(self) {
        drop((self.over, self.printer));
        self.printing.finish(self.pumps).await;
    }
}
