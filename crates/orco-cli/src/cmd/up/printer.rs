//! The one thread that writes to the terminal. A reader that has stopped reading (a paused pager, a full pipe)
//! stops this thread and nothing else: logs fall behind in their files, services and signals do not.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

/// Pieces of text under way; beyond them, whoever has more waits.
const QUEUE: usize = 16;
/// At the end, a reader that takes nothing for this long is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A piece of text and where it goes.
#[derive(Debug)]
pub enum Piece {
    /// Log lines.
    Out(Vec<u8>),
    /// State changes and notes.
    Err(Vec<u8>),
}

/// The way to the thread. Clones share it.
#[derive(Clone, Debug)]
pub struct Printer(mpsc::Sender<Piece>);

impl Printer {
    /// Waits for room; gives up silently once nobody prints any more. Cancel-safe: printed whole or not at all.
    pub async fn print(&self, piece: Piece) {
        let _ = self.0.send(piece).await;
    }

    /// A note on stderr.
    pub async fn note(&self, text: String) {
        self.print(Piece::Err(text.into_bytes())).await;
    }
}

/// Tells when everything is written.
#[derive(Debug)]
pub struct Printing(oneshot::Receiver<()>);

impl Printing {
    /// Waits for the last piece, not for ever. To be called when all [`Printer`]s are gone.
    pub async fn finish(self) {
        let _ = tokio::time::timeout(PATIENCE, self.0).await;
    }
}

/// Starts the thread.
///
/// # Errors
/// When there can be no more threads.
pub fn start() -> io::Result<(Printer, Printing)> {
    let (pieces, queue) = mpsc::channel(QUEUE);
    let (done, finished) = oneshot::channel();
    let work = move || {
        write(queue);
        // Nobody may be waiting any more.
        let _ = done.send(());
    };
    thread::Builder::new().name("printer".to_owned()).stack_size(64 << 10).spawn(work)?;
    Ok((Printer(pieces), Printing(finished)))
}

fn write(mut queue: mpsc::Receiver<Piece>) {
    // The end of the reader is no reason to stop the stack: its log is in the files all the same.
    let mut out_is_open = true;
    while let Some(piece) = queue.blocking_recv() {
        match piece {
            Piece::Out(text) if out_is_open => {
                let mut out = io::stdout().lock();
                if out.write_all(&text).and_then(|()| out.flush()).is_err() {
                    out_is_open = false;
                    crate::terminal::note("stdout is closed; the stack goes on, `orco logs` shows its output\n");
                }
            }
            Piece::Out(_) => {}
            Piece::Err(text) => crate::terminal::note(text),
        }
    }
}
