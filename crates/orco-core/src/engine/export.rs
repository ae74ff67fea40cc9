//! Keeps the export of the logs up with them: a reader like any other, which ends with the stack and not before it has
//! read all.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use futures::StreamExt;
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    log::{Export, LogSettings, LogStats, NotWritten, Query, Record},
    model::{ServiceName, StackId},
};

use super::{
    handle::Engine,
    logs::{CLOSED, Logs},
};

/// A disk that takes nothing is asked again after this long. Nothing is lost meanwhile: the export is behind.
const PAUSE: Duration = Duration::from_secs(1);
/// At the end of the stack the export has this long for what it does not have yet.
const LAST: Duration = Duration::from_secs(10);

/// The task that exports.
#[derive(Debug)]
pub(super) struct Exporting {
    quit: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporting {
    /// Begins once it is known who lives.
    pub(super) fn start(logs: Arc<Logs>, stack: StackId, mut recovered: watch::Receiver<bool>) -> Self {
        let quit = CancellationToken::new();
        let tasks = logs.tasks.clone();
        let work = Work { settings: logs.settings_watch(), logs, stack, quit: quit.clone(), said: None };
        let task = tasks.spawn(async move {
            // Both are cancel-safe: a watch, and a token.
            tokio::select! {
                known = recovered.wait_for(|done| *done) => if known.is_err() { return },
                () = work.quit.cancelled() => return,
            }
            work.run().await;
        });
        Self { quit, task }
    }

    /// The stack has ended: what it has printed is exported, unless that takes too long. The next engine goes on.
    pub(super) async fn finish(mut self) {
        if timeout(LAST, &mut self.task).await.is_err() {
            self.stop().await;
        }
    }

    /// Another engine goes on: from now on nothing is written.
    pub(super) async fn stop(self) {
        self.quit.cancel();
        // It ends with the batch that it writes.
        let _ = self.task.await;
    }
}

struct Work {
    logs: Arc<Logs>,
    stack: StackId,
    settings: watch::Receiver<Arc<LogSettings>>,
    quit: CancellationToken,
    /// What stands in its way, as it was told.
    said: Option<String>,
}

/// Why an export stopped.
#[derive(PartialEq, Eq)]
enum Stop {
    /// Nothing more will come, or it was told to.
    Over,
    /// It is to begin anew: with other settings, or because something could not be read.
    Again,
}

impl Work {
    async fn run(mut self) {
        loop {
            let settings = Arc::clone(&self.settings.borrow_and_update());
            let stop = match settings.directory.clone() {
                Some(directory) => self.export(directory, settings).await,
                None => self.idle().await,
            };
            if stop == Stop::Over {
                return;
            }
        }
    }

    /// Nothing is to be exported.
    async fn idle(&mut self) -> Stop {
        let mut arrivals = self.logs.arrivals.subscribe();
        // All are cancel-safe: watches and a token.
        tokio::select! {
            changed = self.settings.changed() => if changed.is_ok() { Stop::Again } else { Stop::Over },
            _ = arrivals.wait_for(|count| *count == CLOSED) => Stop::Over,
            () = self.quit.cancelled() => Stop::Over,
        }
    }

    async fn export(&mut self, directory: PathBuf, settings: Arc<LogSettings>) -> Stop {
        let (logs, stack) = (Arc::clone(&self.logs), self.stack.to_string());
        let opened = self.logs.tasks.spawn_blocking(move || {
            let known = logs.store.instances().map_err(|e| chain(&e))?;
            Export::open(&directory, settings, stack, &known).map_err(|e| chain(&e))
        });
        let mut export = match opened.await {
            Ok(Ok(export)) => export,
            Ok(Err(why)) => return self.pause(why).await,
            Err(_) => return Stop::Over,
        };
        let query = Query { from: Arc::new(export.positions()), ..Query::default() };
        let mut records = Box::pin(self.logs.stream::<Vec<Record>>(query, true));
        loop {
            // All are cancel-safe: the stream keeps what it has begun, the others are a watch and a token.
            let batch = tokio::select! {
                batch = records.next() => batch,
                changed = self.settings.changed() => {
                    self.save(export).await;
                    return if changed.is_ok() { Stop::Again } else { Stop::Over };
                }
                () = self.quit.cancelled() => {
                    self.save(export).await;
                    return Stop::Over;
                }
            };
            let Some(batch) = batch else {
                self.save(export).await;
                // The stream also ends where a log cannot be read.
                let over = *self.logs.arrivals.borrow() == CLOSED;
                return if over { Stop::Over } else { self.pause("the logs cannot be read".to_owned()).await };
            };
            match self.write(export, batch).await {
                Some(back) => export = back,
                None => return Stop::Over,
            }
        }
    }

    /// Writes a batch, however long that takes. `None`: it was told to end before.
    async fn write(&mut self, mut export: Export, mut batch: Vec<Record>) -> Option<Export> {
        loop {
            let written = self.logs.tasks.spawn_blocking(move || {
                let done = export.write(&mut batch);
                (export, batch, done)
            });
            let done: Result<(), NotWritten>;
            (export, batch, done) = written.await.ok()?;
            match done {
                Ok(()) => {
                    if self.said.take().is_some() {
                        tracing::info!("the export of the logs goes on");
                    }
                    return Some(export);
                }
                Err(error) => {
                    if self.pause(chain(&error)).await == Stop::Over {
                        return None;
                    }
                }
            }
        }
    }

    async fn save(&self, mut export: Export) {
        // A cursor that lags costs the next one time.
        let _ = self.logs.tasks.spawn_blocking(move || export.save()).await;
    }

    /// Something stands in the way: told once, and tried again later.
    async fn pause(&mut self, why: String) -> Stop {
        if self.said.as_ref() != Some(&why) {
            tracing::warn!(%why, "the export of the logs waits");
            self.said = Some(why);
        }
        // Both are cancel-safe.
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => Stop::Again,
            () = self.quit.cancelled() => Stop::Over,
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

impl Engine {
    /// How much each service has printed. Reads what has come since the last time it was asked. `None`: the logs cannot
    /// be read.
    pub async fn log_stats(&self) -> Option<BTreeMap<ServiceName, LogStats>> {
        let logs = Arc::clone(&self.world().logs);
        let tasks = logs.tasks.clone();
        let counted = tasks.spawn_blocking(move || {
            let mut counter = logs.counter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            counter.count(&logs.store)
        });
        match counted.await {
            Ok(Ok(stats)) => Some(stats),
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot count the logs");
                None
            }
            Err(_) => None,
        }
    }
}
