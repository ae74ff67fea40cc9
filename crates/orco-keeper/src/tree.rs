//! Killing process trees without ever hitting a stranger.
//!
//! All members are stopped first, top down: a stopped process neither forks nor reaps, so a list of its children is
//! whole, and the pids in it stay theirs. When a look at everybody finds nobody new, all are killed.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, OwnedFd},
};

use libc::{SIGKILL, SIGSTOP, pid_t};

use crate::{proc, sys};

/// A tree that forks faster than it is stopped is killed as far as known after this many looks; the rest is found
/// again in the next round.
const LOOKS: usize = 32;

/// How a process is held on to.
#[derive(Debug)]
pub(crate) enum Member {
    /// An unreaped child of this process: its pid cannot pass to another.
    Child,
    /// Any other.
    Held(OwnedFd),
}

impl Member {
    fn signal(&self, pid: pid_t, signal: i32) -> bool {
        match self {
            Self::Child => sys::kill(pid, signal).is_ok(),
            Self::Held(fd) => sys::pidfd_signal(fd.as_fd(), signal).is_ok(),
        }
    }
}

/// Kills these processes and all their descendants. `reaper`: this process, if orphans come to it. `met` is told
/// about every descendant. They are not gone yet when it returns.
pub(crate) fn kill(
    mut members: BTreeMap<pid_t, Member>,
    reaper: Option<pid_t>,
    mut met: impl FnMut(pid_t, &proc::Stat),
) {
    members.retain(|pid, member| member.signal(*pid, SIGSTOP));
    let mut parents: Vec<pid_t> = members.keys().copied().collect();
    for _ in 0..LOOKS {
        let mut fresh = Vec::new();
        for parent in parents {
            for child in proc::children(parent) {
                if !members.contains_key(&child)
                    && let Some((member, stat)) = hold(child, parent, &members, reaper)
                    && member.signal(child, SIGSTOP)
                {
                    met(child, &stat);
                    members.insert(child, member);
                    fresh.push(child);
                }
            }
        }
        if fresh.is_empty() {
            break;
        }
        // Who was running when its children were read may have had another one since: look at all again.
        parents = members.keys().copied().collect();
    }
    for (pid, member) in &members {
        member.signal(*pid, SIGKILL);
    }
}

/// Holds on to `child` if it really is a child of the member `parent` (or has come to the reaper since).
///
/// The order makes it sure: first the descriptor, then its parent's pid, then that the parent still is the one we
/// hold. If `child` had ended and its pid were a stranger's, the stranger's parent would not be the member.
fn hold(
    child: pid_t,
    parent: pid_t,
    members: &BTreeMap<pid_t, Member>,
    reaper: Option<pid_t>,
) -> Option<(Member, proc::Stat)> {
    let fd = sys::pidfd_open(child).ok()?;
    let stat = proc::stat(child)?;
    let ours = if Some(stat.parent) == reaper {
        true
    } else {
        stat.parent == parent && members.get(&parent)?.signal(parent, 0)
    };
    ours.then_some((Member::Held(fd), stat))
}
