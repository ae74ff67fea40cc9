//! The thread that moves output into segments. It decides nothing and waits for no reader.

mod log;
mod segment;
mod thread;

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use orco_core::model::InstanceId;

use crate::sys::Alarm;

/// What the logger is to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Take over the read ends of an instance's standard output and error.
    Open { id: InstanceId, pipes: [OwnedFd; 2], dir: Box<[u8]>, stem: Box<[u8]> },
    /// Nobody writes any more: move what is left, close, and say so.
    Finish { id: InstanceId },
    /// Say once when more than `beyond` bytes have been written.
    Arm { id: InstanceId, beyond: u64 },
    /// The engine is done with the closed segments.
    Acknowledge,
    /// Finish all and end.
    Close,
}

/// What the logger has to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogReport {
    Finished { id: InstanceId, total: u64 },
    Grew { id: InstanceId, total: u64 },
    Rotated { id: InstanceId, segment: u32 },
}

/// Sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A segment is closed when it has this many bytes.
    pub(crate) segment: u64,
    /// Closed, unacknowledged bytes of the whole stack, before who closes another segment has to wait.
    pub(crate) unacknowledged: u64,
}

impl Limits {
    /// A segment has at least a byte.
    pub(crate) fn new(segment: u64, unacknowledged: u64) -> Self {
        Self { segment: segment.max(1), unacknowledged }
    }
}

/// A queue that wakes who reads it.
#[derive(Debug)]
struct Mailbox<T> {
    items: Mutex<Vec<T>>,
    alarm: Alarm,
}

impl<T> Mailbox<T> {
    fn new() -> io::Result<Self> {
        Ok(Self { items: Mutex::new(Vec::new()), alarm: Alarm::new()? })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // A push cannot leave the list half changed.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, item: T) {
        let mut items = self.lock();
        items.push(item);
        // One wake-up for a batch.
        if items.len() == 1 {
            self.alarm.ring();
        }
    }

    fn take(&self) -> Vec<T> {
        self.alarm.quiet();
        std::mem::take(&mut *self.lock())
    }
}

#[derive(Debug)]
struct Shared {
    tasks: Mailbox<Task>,
    reports: Mailbox<LogReport>,
}

/// The logger, as the main thread sees it.
#[derive(Debug)]
pub(crate) struct Logger {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread.
pub(crate) fn start(limits: Limits) -> io::Result<Logger> {
    let shared = Arc::new(Shared { tasks: Mailbox::new()?, reports: Mailbox::new()? });
    let thread = thread::Thread::new(Arc::clone(&shared), limits)?;
    let builder = std::thread::Builder::new().name("orco-logger".to_owned()).stack_size(128 << 10);
    Ok(Logger { shared, thread: Some(builder.spawn(move || thread.run())?) })
}

impl Logger {
    pub(crate) fn give(&self, task: Task) {
        self.shared.tasks.put(task);
    }

    pub(crate) fn reports(&self) -> Vec<LogReport> {
        self.shared.reports.take()
    }

    /// Readable when there are reports.
    pub(crate) fn reports_ready(&self) -> impl AsFd + '_ {
        self.shared.reports.alarm.as_fd()
    }

    /// Writes what is left and ends the thread.
    pub(crate) fn close(&mut self) {
        self.give(Task::Close);
        if let Some(thread) = self.thread.take() {
            // It never panics; if it did, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
