//! The thread that writes.

use std::{sync::Arc, time::Duration};

use super::book::{Mailbox, Mark, Progress, Shared};
use crate::{
    crash,
    engine::events::{Event, EventFile, EventLog},
    journal::Journal,
};

/// How often a disk that took nothing is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// What the thread writes to.
#[derive(Debug)]
pub(in crate::engine) struct Files {
    pub(in crate::engine) journal: Journal,
    pub(in crate::engine) events: EventFile,
}

/// Writes whatever is handed over, until it is told to close.
pub(super) fn run(shared: &Shared, mut files: Files, events: &EventLog) {
    let mut progress = Progress::default();
    loop {
        let batch = take(shared, progress.trouble.is_some());
        let (mark, sync, close) = (batch.mark, batch.sync, batch.close);
        let result = write(&mut files, batch, events);
        settle(&mut files, &mut progress, result, mark, sync || close);
        shared.progress.send_if_modified(|shown| {
            let news = *shown != progress;
            if news {
                shown.clone_from(&progress);
            }
            news
        });
        if close {
            return;
        }
        if progress.trouble.is_none() {
            crash::point("ledger.before-tidy");
            // A failure shows at the next write as well.
            let _ = files.journal.tidy();
            crash::point("ledger.after-tidy");
        }
    }
}

/// Waits for something to write; in trouble not for long.
fn take(shared: &Shared, trouble: bool) -> Mailbox {
    let mut mailbox = shared.mailbox();
    let idle = |m: &mut Mailbox| m.changes.is_empty() && m.events.is_empty() && !m.sync && !m.close;
    if trouble {
        mailbox = match shared.more.wait_timeout_while(mailbox, RETRY, idle) {
            Ok((mailbox, _)) => mailbox,
            Err(poisoned) => poisoned.into_inner().0,
        };
    } else {
        mailbox = match shared.more.wait_while(mailbox, idle) {
            Ok(mailbox) => mailbox,
            Err(poisoned) => poisoned.into_inner(),
        };
    }
    let mark = mailbox.mark;
    std::mem::replace(&mut mailbox, Mailbox { mark, ..Mailbox::default() })
}

/// The journal first: who sees an event may rely on what it tells of. Events are told also when they cannot be written.
fn write(files: &mut Files, batch: Mailbox, events: &EventLog) -> Result<(), Arc<str>> {
    crash::point("ledger.before-write");
    let recorded = files.journal.append(&batch.changes).map_err(|e| why(&e));
    crash::point("ledger.after-write");
    let noted = note(files, &batch.events);
    crash::point("ledger.before-publish");
    events.show(batch.events);
    recorded.and(noted)
}

fn note(files: &mut Files, events: &[Arc<Event>]) -> Result<(), Arc<str>> {
    crash::point("ledger.before-events");
    let noted = files.events.append(events).map_err(|e| Arc::from(format!("cannot write events.ndjson: {e}")));
    crash::point("ledger.after-events");
    noted
}

fn settle(files: &mut Files, progress: &mut Progress, result: Result<(), Arc<str>>, mark: Mark, sync: bool) {
    match result {
        Ok(()) => {
            if progress.trouble.take().is_some() {
                tracing::info!("the journal is written again");
            }
            progress.written = mark;
        }
        Err(trouble) => return fail(progress, trouble),
    }
    if sync && progress.synced < mark {
        crash::point("ledger.before-sync");
        match files.journal.sync() {
            Ok(()) => progress.synced = mark,
            Err(error) => fail(progress, why(&error)),
        }
        crash::point("ledger.after-sync");
    }
}

fn fail(progress: &mut Progress, trouble: Arc<str>) {
    if progress.trouble.is_none() {
        tracing::warn!(%trouble, "the journal cannot be written; no changes are taken until it can");
    }
    progress.trouble = Some(trouble);
}

/// The whole chain on one line.
fn why(error: &dyn std::error::Error) -> Arc<str> {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text.into()
}
