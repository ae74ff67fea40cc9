//! The terminal UI of a foreground stack: in a thread of its own, so that a terminal that takes nothing holds up
//! nothing else, and over the control socket like any other.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use orco_api::{client::Client, place::Place};
use tokio::sync::{mpsc, oneshot};

use crate::{
    args::{OutputFormat, ThemeArgs, Up},
    cmd::{Failure, tui},
    terminal,
    tui::{Ended, Home, Options, Word, abandon, begin},
};

/// Whether there is a terminal for it, and nobody wants something else.
pub fn wanted(args: &Up) -> bool {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    // Our own diagnostics would be written across the picture.
    let quiet = variable("ORCO_LOG").is_none() || !io::stderr().is_terminal();
    let terminals = io::stdin().is_terminal() && terminal::is_terminal();
    !args.no_tui && args.output.output == OutputFormat::Text && terminal::draws() && quiet && terminals
}

/// The running terminal UI.
pub struct Screen {
    words: mpsc::Sender<Word>,
    /// `None`: it has ended.
    ended: Option<oneshot::Receiver<io::Result<Ended>>>,
    /// What is told when the terminal is free again.
    said: String,
}

impl Screen {
    /// Starts it.
    pub fn start(place: &Place, look: ThemeArgs) -> Result<Self, Failure> {
        // A word for each signal; who sends more says nothing new.
        let (words, heard) = mpsc::channel(4);
        let theme = tui::theme(look);
        let options = Options { client: Client::new(place)?, home: Home::Here, read_only: false, theme };
        let ended = begin(options, Some(heard)).map_err(|e| Failure::internal("cannot start a thread", e))?;
        Ok(Self { words, ended: Some(ended), said: String::new() })
    }

    pub fn say(&mut self, text: String) {
        self.said.push_str(&text);
    }

    pub fn stopping(&self) {
        let _ = self.words.try_send(Word::Stopping);
    }

    /// Cancel-safe: the end stays the end.
    pub async fn gone(&mut self) -> String {
        let Some(ended) = &mut self.ended else { return std::future::pending().await };
        let end = ended.await;
        self.ended = None;
        match end {
            Ok(Ok(_)) => "the terminal UI has ended".to_owned(),
            Ok(Err(error)) => format!("the terminal UI has ended: {error}"),
            Err(_) => "the terminal UI has crashed".to_owned(),
        }
    }

    /// Lets it end and tells what was to be told.
    pub async fn finish(self, patience: Duration) {
        let _ = self.words.send(Word::Over).await;
        if let Some(ended) = self.ended
            && tokio::time::timeout(patience, ended).await.is_err()
        {
            // To tell it anything would take as long as it does.
            abandon();
            return;
        }
        terminal::note(self.said);
    }
}
