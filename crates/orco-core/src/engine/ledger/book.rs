//! The ledger as the engine's tasks see it.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use tokio::sync::watch;

use super::thread::{Files, run};
use crate::{
    engine::events::{Event, EventLog},
    journal::Change,
};

/// The number of a batch: what has this number or a lower one is recorded, once the ledger says so.
pub(in crate::engine) type Mark = u64;

/// Where recording stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Progress {
    pub(super) written: Mark,
    pub(super) synced: Mark,
    /// Why nothing can be recorded at present.
    pub(super) trouble: Option<Arc<str>>,
}

/// Whatever was handed over and not taken by the thread yet. It grows only while the thread writes; what it has taken
/// and could not write is held once per key.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    pub(super) changes: Vec<Change>,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) mark: Mark,
    pub(super) sync: bool,
    pub(super) close: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) mailbox: Mutex<Mailbox>,
    pub(super) more: Condvar,
    pub(super) progress: watch::Sender<Progress>,
}

impl Shared {
    pub(super) fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ledger.
#[derive(Debug)]
pub(in crate::engine) struct Ledger {
    shared: Option<Arc<Shared>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Nothing is recorded.
    pub(in crate::engine) const fn none() -> Self {
        Self { shared: None, thread: Mutex::new(None) }
    }

    /// Records into these files, and publishes events once they are in theirs.
    pub(in crate::engine) fn start(files: Files, events: Arc<EventLog>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            mailbox: Mutex::default(),
            more: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
        });
        let builder = std::thread::Builder::new().name("orco-journal".to_owned()).stack_size(256 << 10);
        let thread = {
            let shared = Arc::clone(&shared);
            builder.spawn(move || run(&shared, files, &events))?
        };
        Ok(Self { shared: Some(shared), thread: Mutex::new(Some(thread)) })
    }

    /// Whether anything is recorded at all.
    pub(in crate::engine) const fn records(&self) -> bool {
        self.shared.is_some()
    }

    /// Hands over what is to be remembered and told. Never blocks on a disk.
    pub(in crate::engine) fn record(&self, changes: Vec<Change>, events: Vec<Arc<Event>>) -> Mark {
        let Some(shared) = &self.shared else { return 0 };
        let mut mailbox = shared.mailbox();
        mailbox.changes.extend(changes);
        mailbox.events.extend(events);
        mailbox.mark += 1;
        let mark = mailbox.mark;
        drop(mailbox);
        shared.more.notify_one();
        mark
    }

    /// Why nothing can be recorded at present, if that is so.
    pub(in crate::engine) fn trouble(&self) -> Option<Arc<str>> {
        self.shared.as_ref()?.progress.borrow().trouble.clone()
    }

    /// Why this cannot be recorded at present, if that is so.
    pub(in crate::engine) fn trouble_before(&self, mark: Mark) -> Option<Arc<str>> {
        let progress = self.shared.as_ref()?.progress.borrow();
        progress.trouble.clone().filter(|_| progress.written < mark)
    }

    /// Waits until the mark is written, however long the disk is full. Cancel-safe.
    pub(in crate::engine) async fn written(&self, mark: Mark) {
        let Some(shared) = &self.shared else { return };
        // An error: the thread has ended, and with it the engine.
        let _ = shared.progress.subscribe().wait_for(|p| p.written >= mark).await;
    }

    /// Waits until the mark is written or cannot be at present: whoever must end something ends it either way.
    /// Cancel-safe.
    pub(in crate::engine) async fn tried(&self, mark: Mark) {
        let Some(shared) = &self.shared else { return };
        let _ = shared.progress.subscribe().wait_for(|p| p.written >= mark || p.trouble.is_some()).await;
    }

    /// Waits until the mark is on the disk. Cancel-safe.
    ///
    /// # Errors
    /// What stands in the way.
    pub(in crate::engine) async fn synced(&self, mark: Mark) -> Result<(), Arc<str>> {
        let Some(shared) = &self.shared else { return Ok(()) };
        shared.mailbox().sync = true;
        shared.more.notify_one();
        let mut progress = shared.progress.subscribe();
        let settled = progress.wait_for(|p| p.synced >= mark || p.trouble.is_some()).await;
        match settled {
            Ok(progress) if progress.synced >= mark => Ok(()),
            Ok(progress) => Err(progress.trouble.clone().unwrap_or_default()),
            Err(_) => Err("the journal is closed".into()),
        }
    }

    /// Writes and syncs what is left, and ends the thread. Blocks.
    pub(in crate::engine) fn close(&self) {
        if let Some(shared) = &self.shared {
            shared.mailbox().close = true;
            shared.more.notify_one();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It does not panic; if it did, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
