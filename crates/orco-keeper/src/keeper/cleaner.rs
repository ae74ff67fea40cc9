//! Cleaning up containers while the keeper ends processes: on a thread of its own, for a container engine may take its
//! time, or hang.

use std::{
    fs::File,
    os::fd::{AsFd, AsRawFd, RawFd},
    thread::{self, JoinHandle},
};

use super::{detached::say, guard::FAILED};
use crate::{
    clean::{self, LEISURE, Limits, SHUTDOWN},
    ledger,
    sys::Alarm,
};

/// It sleeps until the keeper leaves.
#[derive(Default, Debug)]
pub(super) struct Cleaner {
    /// `None`: of a detached stack, or read by now.
    ledger: Option<File>,
    /// Somebody waits for us.
    hurry: bool,
    work: Option<(JoinHandle<()>, std::sync::Arc<Alarm>)>,
    failed: bool,
}

impl Cleaner {
    pub(super) fn of(ledger: File) -> Self {
        Self { ledger: Some(ledger), ..Self::default() }
    }

    /// The engine waits until it is done.
    pub(super) const fn hurry(&mut self) {
        self.hurry = true;
    }

    /// Begins, once, if there is anything to clean up.
    pub(super) fn begin(&mut self) {
        let Some(ledger) = self.ledger.take() else { return };
        let clean_ups = ledger::read(&ledger).clean_ups;
        if clean_ups.is_empty() {
            return;
        }
        let limits: &'static Limits = if self.hurry { &SHUTDOWN } else { &LEISURE };
        let begun = Alarm::new().and_then(|alarm| {
            let alarm = std::sync::Arc::new(alarm);
            let bell = std::sync::Arc::clone(&alarm);
            let work = move || {
                clean::all(&clean_ups, limits).iter().for_each(|text| say(text));
                bell.ring();
            };
            Ok((thread::Builder::new().name("clean-up".to_owned()).spawn(work)?, alarm))
        });
        match begun {
            Ok(work) => self.work = Some(work),
            // Without a thread the guard does it, when the keeper has ended with a status that says so.
            Err(_) => self.failed = true,
        }
    }

    /// Readable when it is done.
    pub(super) fn raw(&self) -> RawFd {
        self.work.as_ref().map_or(-1, |(_, done)| done.as_fd().as_raw_fd())
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_done(&mut self) -> bool {
        match &self.work {
            Some((thread, alarm)) => {
                // Rung just before the thread's end: the moment until then is waited for, not polled.
                if !crate::sys::is_readable(alarm.as_fd()) && !thread.is_finished() {
                    return false;
                }
                self.work = None;
                true
            }
            None => true,
        }
    }

    /// The keeper's exit status.
    pub(super) const fn status(&self) -> i32 {
        if self.failed { FAILED } else { 0 }
    }
}
