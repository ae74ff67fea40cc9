//! What an instance has printed, wherever the runtime puts it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use futures::StreamExt as _;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    log::{Cursor, Origin, Source, Start},
    runtime::{Growth, LogChunk, LogSource, LogStream},
};

/// A line: stderr or not, and its text.
pub(super) type Said = (bool, String);

/// What an instance prints.
#[derive(Debug)]
pub(super) enum Output {
    Segments { growth: Arc<dyn Growth>, dir: PathBuf, origin: Origin },
    Stream(Collected),
}

/// A stream, read by a task for as long as this lives.
#[derive(Debug)]
pub(super) struct Collected {
    chunks: Arc<Mutex<Vec<LogChunk>>>,
    /// Bytes, and whether that is all.
    state: watch::Receiver<(u64, bool)>,
    task: JoinHandle<()>,
}

impl Drop for Collected {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Output {
    pub(super) fn new(source: LogSource, dir: PathBuf, origin: Origin) -> Self {
        match source {
            LogSource::Segments(growth) => Self::Segments { growth, dir, origin },
            LogSource::Stream(stream) => Self::Stream(collect(stream)),
        }
    }

    /// Returns when there is more than `seen` bytes, or no more to come.
    pub(super) async fn beyond(&self, seen: u64) {
        match self {
            Self::Segments { growth, .. } => growth.beyond(seen).await,
            Self::Stream(collected) => {
                let mut state = collected.state.clone();
                // An error means that the reading task is gone, so that nothing comes any more.
                let _ = state.wait_for(|(bytes, ended)| *ended || *bytes > seen).await;
            }
        }
    }

    /// What there is now, and how many bytes that is. `ended` lets an unfinished line count.
    pub(super) fn read(&self, ended: bool) -> io::Result<(Vec<Said>, u64)> {
        match self {
            Self::Segments { dir, origin, .. } => {
                let mut cursor = Cursor::open(dir, origin.clone(), Start::Beginning)?;
                if ended {
                    cursor.set_ended();
                }
                let said = cursor.batch(usize::MAX)?.into_iter().map(|r| (r.source == Source::Stderr, r.msg));
                Ok((said.collect(), cursor.read_bytes()))
            }
            Self::Stream(collected) => {
                let chunks = collected.chunks.lock().unwrap_or_else(PoisonError::into_inner);
                let bytes = chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum();
                Ok((lines(&chunks, ended), bytes))
            }
        }
    }
}

fn collect(mut stream: LogStream) -> Collected {
    let chunks = Arc::new(Mutex::new(Vec::new()));
    let (sender, state) = watch::channel((0, false));
    let into = Arc::clone(&chunks);
    let task = tokio::spawn(async move {
        while let Some(chunk) = stream.next().await {
            let len = chunk.bytes.len() as u64;
            into.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
            sender.send_modify(|(bytes, _)| *bytes += len);
        }
        sender.send_modify(|(_, ended)| *ended = true);
    });
    Collected { chunks, state, task }
}

fn lines(chunks: &[LogChunk], ended: bool) -> Vec<Said> {
    let mut said = Vec::new();
    for stderr in [false, true] {
        let mut bytes = Vec::new();
        chunks.iter().filter(|chunk| chunk.stderr == stderr).for_each(|chunk| bytes.extend(&chunk.bytes));
        let text = String::from_utf8_lossy(&bytes);
        let (whole, rest) = text.rsplit_once('\n').map_or(("", &*text), |(whole, rest)| (whole, rest));
        if text.contains('\n') {
            said.extend(whole.split('\n').map(|line| (stderr, line.to_owned())));
        }
        if ended && !rest.is_empty() {
            said.push((stderr, rest.to_owned()));
        }
    }
    said
}
