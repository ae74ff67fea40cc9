//! Looking for the processes of instances that are not among our own descendants.
//!
//! By control group where an instance has one of its own. Else by stamp, by the session of the main process, and by
//! descent from any of these: the stamp is 128 random bits, which a stranger has only by inheriting it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
};

use libc::pid_t;
use orco_core::model::InstanceId;

use super::cgroup;
use crate::{
    hook,
    proc::{self, Stat},
    sys,
    tree::Member,
};

/// Whose processes are looked for.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) id: InstanceId,
    /// The main process, dead or alive, and its start.
    pub(super) main: Option<(pid_t, u64)>,
    pub(super) group: Option<PathBuf>,
    /// Also among all processes, though it has a group.
    pub(super) everywhere: bool,
    /// It is to be killed. Whoever is met is stopped at once: by the end of a look, who forks and dies all the time is
    /// another one.
    pub(super) doomed: bool,
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) found: HashMap<InstanceId, BTreeMap<pid_t, Member>>,
    /// Nobody can have slipped through.
    pub(super) sure: bool,
    /// A child of the dead keeper has not come to its program yet: it has no stamp.
    pub(super) unborn: bool,
}

/// Looks again and again.
#[derive(Debug, Default)]
pub(super) struct Searcher {
    /// Who was dead at the last look already tells nothing.
    zombies: BTreeSet<pid_t>,
}

/// One process that nobody may be attributed by its own marks.
struct Plain {
    pid: pid_t,
    stat: Stat,
}

impl Searcher {
    /// One look. Everybody found is held on to: the pids cannot become strangers'.
    pub(super) fn look(&mut self, who: &[Who]) -> Look {
        let mut look = Look { sure: true, ..Look::default() };
        for one in who {
            if let Some(group) = &one.group {
                let members = cgroup::members_of(group);
                let held = members.into_iter().filter_map(|pid| {
                    let pidfd = sys::pidfd_open(pid).ok()?;
                    // Still the one that was listed, now that it is held.
                    (cgroup::group_of(pid, one.id).as_ref() == Some(group)).then_some((pid, Member::Held(pidfd)))
                });
                look.found.entry(one.id).or_default().extend(held);
            }
        }
        let by_marks: HashMap<InstanceId, &Who> =
            who.iter().filter(|one| one.everywhere || one.group.is_none()).map(|one| (one.id, one)).collect();
        if !by_marks.is_empty() {
            self.scan(&by_marks, &mut look);
        }
        look.found.retain(|_, members| !members.is_empty());
        look
    }

    fn scan(&mut self, who: &HashMap<InstanceId, &Who>, look: &mut Look) {
        let sessions: HashMap<pid_t, &Who> = who.values().filter_map(|one| Some((one.main?.0, *one))).collect();
        let before = std::mem::take(&mut self.zombies);
        let me = std::process::id().cast_signed();
        let (mut owners, mut plain) = (HashMap::<pid_t, (InstanceId, Stat)>::new(), Vec::new());
        let mut stopped = HashMap::<pid_t, OwnedFd>::new();
        // The newest first: who forks and dies all the time must be met before it moves on.
        for pid in proc::all().into_iter().rev().filter(|pid| *pid != me) {
            let Some(stat) = proc::stat(pid) else {
                look.sure = false;
                continue;
            };
            if stat.zombie {
                look.sure &= before.contains(&pid);
                self.zombies.insert(pid);
                continue;
            }
            let owner = match proc::stamp(pid) {
                Some(stamp) => match who.get(&stamp) {
                    Some(one) => *one,
                    // Another instance's.
                    None => continue,
                },
                None => match sessions.get(&stat.session).filter(|one| is_session_of(one, &stat)) {
                    Some(one) => *one,
                    None => {
                        look.unborn |= stat.session == pid && is_unborn(pid);
                        plain.push(Plain { pid, stat });
                        continue;
                    }
                },
            };
            if owner.doomed
                && let Some(pidfd) = hold(pid, &stat)
            {
                let _ = sys::pidfd_signal(pidfd.as_fd(), libc::SIGSTOP);
                stopped.insert(pid, pidfd);
            }
            owners.insert(pid, (owner.id, stat));
        }
        descend(&mut owners, plain);
        for (pid, (id, stat)) in owners {
            match stopped.remove(&pid).or_else(|| hold(pid, &stat)) {
                Some(pidfd) => _ = look.found.entry(id).or_default().insert(pid, Member::Held(pidfd)),
                None => look.sure = false,
            }
        }
    }
}

/// Looked at again with the descriptor in hand: the pid may have passed on in between.
fn hold(pid: pid_t, stat: &Stat) -> Option<OwnedFd> {
    let pidfd = sys::pidfd_open(pid).ok()?;
    proc::stat(pid).is_some_and(|now| now.start == stat.start).then_some(pidfd)
}

/// Adds the children of the owned, and theirs.
fn descend(owners: &mut HashMap<pid_t, (InstanceId, Stat)>, mut plain: Vec<Plain>) {
    loop {
        let count = owners.len();
        plain.retain(|one| match owners.get(&one.stat.parent).map(|(id, _)| *id) {
            Some(id) => {
                owners.insert(one.pid, (id, one.stat));
                false
            }
            None => true,
        });
        if owners.len() == count {
            return;
        }
    }
}

/// Whether a process in the session of this number is in the main process's: the number is nobody else's as long as
/// anybody is in it, but it may have passed on before.
fn is_session_of(who: &Who, stat: &Stat) -> bool {
    let Some((main, start)) = who.main else { return false };
    stat.start >= start && proc::stat(main).is_none_or(|leader| leader.start == start)
}

/// Whether it is a child of a keeper of our stack on its way to its program: it still looks like the keeper, whose
/// engine's arguments are the same as ours. Asked only when that keeper is dead.
fn is_unborn(pid: pid_t) -> bool {
    let line = |pid: &dyn std::fmt::Display| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    fn engine(line: &[u8]) -> Option<HashSet<&[u8]>> {
        let mut arguments = line.split(|byte| *byte == 0);
        (arguments.next()? == hook::NAME.to_bytes()).then(|| arguments.skip_while(|one| *one != b"--").collect())
    }
    let (theirs, ours) = (line(&pid), line(&"self"));
    engine(&theirs).is_some_and(|theirs| theirs.len() > 1 && Some(theirs) == engine(&ours))
}
