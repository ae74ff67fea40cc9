//! A thread for the terminal UI.

use std::{io, thread};

use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
};

use super::{
    news::Ended,
    run::{Options, Word, run},
};
use crate::signals::Signals;

/// Shows the stack in a thread with a runtime of its own, so that a terminal that takes nothing, or a panic, holds up
/// nobody else. `words`: what the program around it says; without one, signals end it. The receiver gets the end, and an
/// error where it has crashed.
///
/// # Errors
/// When there can be no thread.
pub fn begin(
    options: Options,
    words: Option<mpsc::Receiver<Word>>,
) -> io::Result<oneshot::Receiver<io::Result<Ended>>> {
    let (done, ended) = oneshot::channel();
    let work = move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = done.send(Err(error));
                return;
            }
        };
        let end = runtime.block_on(async {
            // Others of this program may hear the same ones.
            let signals = if words.is_none() { Some(Signals::catch()?) } else { None };
            run(options, signals, words).await
        });
        // Nobody may be waiting any more.
        let _ = done.send(end);
        // A file that is being written may lie where nothing answers.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("tui".to_owned()).spawn(work)?;
    Ok(ended)
}
