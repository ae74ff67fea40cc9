//! The last resort: keeper and guard have both been killed. Their services died with them (by parent-death signal);
//! what these left behind is found by its stamp.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use libc::pid_t;
use orco_core::model::InstanceId;

use crate::{
    proc, sys,
    tree::{self, Member},
};

/// Whoever lives on after so long cannot be killed.
const LIMIT: Duration = Duration::from_secs(5);

/// Kills every process with one of these stamps and all its descendants, until twice nobody is found.
pub(super) fn end_all(stamps: &BTreeSet<InstanceId>) {
    let until = Instant::now() + LIMIT;
    let mut empty = 0;
    while empty < 2 && Instant::now() < until {
        let found = stamped(stamps);
        if found.is_empty() {
            empty += 1;
        } else {
            empty = 0;
            tree::kill(found, None, |_, _| {});
        }
        // The killed need a moment to go.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Everybody who carries one of the stamps. A stamp is 128 random bits: a stranger has it only by inheriting it.
fn stamped(stamps: &BTreeSet<InstanceId>) -> BTreeMap<pid_t, Member> {
    let carries = |pid| proc::stamp(pid).is_some_and(|stamp| stamps.contains(&stamp));
    let mut found = BTreeMap::new();
    for pid in proc::all().into_iter().filter(|pid| carries(*pid)) {
        // Looked at again with the descriptor in hand: the pid may have passed on in between.
        if let Ok(fd) = sys::pidfd_open(pid)
            && carries(pid)
        {
            found.insert(pid, Member::Held(fd));
        }
    }
    found
}
