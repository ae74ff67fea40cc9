//! The last resort: keeper and guard have both been killed. Their services died with them (by parent-death signal);
//! what these left behind is found by its stamp.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::AsFd as _,
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

/// One look at all processes takes a while, and somebody who forks and dies all the time may slip through it; but
/// then somebody vanished between the list and the look. Looks in which that happened count for little.
const ENOUGH: u32 = 20;
const SURE: u32 = 10;
const UNSURE: u32 = 1;

/// What one look at all processes found.
struct Look {
    found: BTreeMap<pid_t, Member>,
    /// Somebody had a stamp and was gone before we could hold on to it.
    escaped: bool,
    /// Somebody vanished before we could see who it was.
    vanished: bool,
}

/// Kills every process with one of these stamps and all its descendants, until nobody is found again and again.
pub(super) fn end_all(stamps: &BTreeSet<InstanceId>) {
    let until = Instant::now() + LIMIT;
    let mut quiet = 0;
    let mut zombies = BTreeSet::new();
    while quiet < ENOUGH && Instant::now() < until {
        let look = look(stamps, &mut zombies);
        quiet = match look {
            Look { vanished: false, escaped: false, ref found } if found.is_empty() => quiet + SURE,
            Look { escaped: false, ref found, .. } if found.is_empty() => quiet + UNSURE,
            Look { .. } => 0,
        };
        tree::kill(look.found, None, |_, _| {});
        // The killed need a moment to go.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Everybody who carries one of the stamps. A stamp is 128 random bits: a stranger has it only by inheriting it.
fn look(stamps: &BTreeSet<InstanceId>, zombies: &mut BTreeSet<pid_t>) -> Look {
    let carries = |pid| proc::stamp(pid).is_some_and(|stamp| stamps.contains(&stamp));
    let mut look = Look { found: BTreeMap::new(), escaped: false, vanished: false };
    let before = std::mem::take(zombies);
    // The newest first: who forks and dies all the time must be met before it moves on.
    for pid in proc::all().into_iter().rev() {
        if carries(pid) {
            // Looked at again with the descriptor in hand: the pid may have passed on in between.
            match sys::pidfd_open(pid) {
                Ok(fd) if carries(pid) => {
                    // By the end of the look, who forks and dies all the time would be another one.
                    let _ = sys::pidfd_signal(fd.as_fd(), libc::SIGSTOP);
                    look.found.insert(pid, Member::Held(fd));
                }
                Ok(_) | Err(_) => look.escaped = true,
            }
            continue;
        }
        // The dead have no environment any more. Who was dead at the last look already tells nothing.
        match proc::stat(pid) {
            None => look.vanished = true,
            Some(stat) if stat.zombie => {
                look.vanished |= !before.contains(&pid);
                zombies.insert(pid);
            }
            Some(_) => {}
        }
    }
    look
}
