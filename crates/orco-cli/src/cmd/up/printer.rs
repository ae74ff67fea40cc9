//! The one thread that writes to the terminal. A reader that has stopped reading (a paused pager, a full pipe)
//! stops this thread and nothing else: logs fall behind in their files, services and signals do not.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinHandle},
};

/// Pieces of text under way; beyond them, whoever has more waits.
const QUEUE: usize = 16;
/// At the end, a slow reader has this long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A piece of text and where it goes.
#[derive(Debug)]
pub enum Piece {
    /// Log lines.
    Out(Vec<u8>),
    /// State changes and notes.
    Err(Vec<u8>),
    /// What stands on stderr below all else until the next of these: lines that fit the terminal.
    Board(Vec<String>),
}

/// The way to the thread. Clones share it.
#[derive(Clone, Debug)]
pub struct Printer(mpsc::Sender<Piece>);

impl Printer {
    /// Waits for room; gives up silently once nobody prints any more. Cancel-safe: printed whole or not at all.
    pub async fn print(&self, piece: Piece) {
        let _ = self.0.send(piece).await;
    }

    /// A note on stderr, now or never: where there is no room, nobody reads, and nobody waits for that.
    pub fn say(&self, text: String) {
        let _ = self.0.try_send(Piece::Err(text.into_bytes()));
    }
}

/// Tells when everything is written.
#[derive(Debug)]
pub struct Printing(oneshot::Receiver<()>);

impl Printing {
    /// Waits until the sources have ended and the last piece is written, not for ever: what a slow reader has not
    /// taken by then is in the log all the same.
    pub async fn finish<const N: usize>(self, sources: [JoinHandle<()>; N]) {
        let aborts = sources.each_ref().map(JoinHandle::abort_handle);
        let all = async {
            for source in sources {
                // One that panicked has said so.
                let _ = source.await;
            }
            let _ = self.0.await;
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            aborts.iter().for_each(AbortHandle::abort);
        }
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
    let mut board = Board::default();
    while let Some(piece) = queue.blocking_recv() {
        board.lift();
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
            Piece::Board(lines) => board.lines = lines,
        }
        board.put();
    }
    board.lift();
}

/// Lines that stand below all else.
#[derive(Debug, Default)]
struct Board {
    lines: Vec<String>,
    /// So many of them are on the terminal, the cursor below.
    drawn: usize,
}

impl Board {
    /// Makes room for others.
    fn lift(&mut self) {
        if self.drawn > 0 {
            crate::terminal::note(lifted(self.drawn));
            self.drawn = 0;
        }
    }

    fn put(&mut self) {
        if !self.lines.is_empty() {
            let mut text = self.lines.join("\n");
            text.push('\n');
            crate::terminal::note(text);
            self.drawn = self.lines.len();
        }
    }
}

/// Up by so many lines, and everything from there on is gone.
fn lifted(lines: usize) -> String {
    format!("\r\x1b[{lines}A\x1b[J")
}
