//! The logger as the main thread sees it.

use std::{io, os::fd::AsFd, sync::Arc, thread::JoinHandle};

use super::{
    mailbox::Mailbox,
    task::{Limits, LogReport, Task},
    thread::Thread,
};

/// The two queues.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) tasks: Mailbox<Task>,
    pub(super) reports: Mailbox<LogReport>,
}

/// The logger, as the main thread sees it.
#[derive(Debug)]
pub(crate) struct Logger {
    shared: Arc<Shared>,
    /// Given in this turn: the thread is woken once for all of it.
    pending: Vec<Task>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread.
pub(crate) fn start(limits: Limits) -> io::Result<Logger> {
    let shared = Arc::new(Shared { tasks: Mailbox::new()?, reports: Mailbox::new()? });
    let thread = Thread::new(Arc::clone(&shared), limits)?;
    let builder = std::thread::Builder::new().name("orco-logger".to_owned()).stack_size(128 << 10);
    Ok(Logger { shared, pending: Vec::new(), thread: Some(builder.spawn(move || thread.run())?) })
}

impl Logger {
    /// To be done after the next `flush`, in the order given.
    pub(crate) fn give(&mut self, task: Task) {
        self.pending.push(task);
    }

    /// Hands on what was given.
    pub(crate) fn flush(&mut self) {
        self.shared.tasks.put_all(&mut self.pending);
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
        self.flush();
        if let Some(thread) = self.thread.take() {
            // It never panics; if it did, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
