//! The guard after its keeper was killed: is the engine dead too, so that nobody else cleans up after it?

use std::{
    fs::File,
    os::fd::{AsRawFd, BorrowedFd},
    time::{Duration, Instant},
};

use super::detached::say;
use crate::{
    clean::{self, LEISURE},
    ledger, sys,
};

/// Another keeper is there by then, or none will ever be.
const PATIENCE: Duration = Duration::from_secs(4);

/// How often it is looked whether another keeper is there. The engine's death is noticed at once.
const LOOK: Duration = Duration::from_millis(5);

/// Cleans up, if the engine has died or dies before another keeper can see to it. While the engine lives, its containers
/// do. Does not wait where nothing is registered.
pub(super) fn keep(engine: BorrowedFd<'_>, ledger: &File, keeper: u64) {
    let until = Instant::now() + PATIENCE;
    loop {
        let known = ledger::read(ledger);
        if known.clean_ups.is_empty() {
            return;
        }
        // Killed a moment after the keeper, it may have begun to die only now.
        if known.due || sys::has_ended(engine) {
            return clean_up(ledger);
        }
        if known.kept.is_some_and(|newest| newest > keeper) || Instant::now() >= until {
            return;
        }
        let mut fds = [libc::pollfd { fd: engine.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
        let _ = sys::poll(&mut fds, Some(LOOK));
    }
}

/// Cleans up whatever is registered.
pub(super) fn clean_up(ledger: &File) {
    // Read when the engine is dead: these are its last words.
    clean::all(&ledger::read(ledger).clean_ups, &LEISURE).iter().for_each(|text| say(text));
}
