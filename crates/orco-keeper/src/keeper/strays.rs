//! Whose are the orphans that came to us?

use std::collections::HashMap;

use libc::pid_t;
use orco_core::model::InstanceId;

use super::cgroup::Cgroups;
use crate::proc::{self, OwnChildren, Stat};

/// Our main processes, by pid.
#[derive(Debug, Default)]
pub(super) struct Mains {
    /// Those not reaped yet.
    pub(super) alive: HashMap<pid_t, InstanceId>,
    /// Those whose instance is not over: each leads the session of that number.
    pub(super) sessions: HashMap<pid_t, InstanceId>,
    /// The engine, if it is our child.
    pub(super) engine: Option<pid_t>,
}

/// What is known about processes that are no main processes.
#[derive(Debug)]
pub(super) struct Strays {
    own: OwnChildren,
    /// Pid and start time to instance, as seen when last met: this is how a process that hides in a session and an
    /// environment of its own is still known when its parent has died.
    known: HashMap<pid_t, (u64, InstanceId)>,
}

impl Strays {
    pub(super) fn new() -> Self {
        Self { own: OwnChildren::new(), known: HashMap::new() }
    }

    /// Our children.
    pub(super) fn own(&mut self) -> &mut OwnChildren {
        &mut self.own
    }

    /// The orphans among our children, by instance. Those that belong to nobody known are left out: they end with
    /// the stack.
    pub(super) fn find(&mut self, mains: &Mains, cgroups: Option<&Cgroups>) -> HashMap<InstanceId, Vec<pid_t>> {
        let mut found: HashMap<InstanceId, Vec<pid_t>> = HashMap::new();
        let children = self.own.read();
        if children.len() == mains.alive.len() + usize::from(mains.engine.is_some()) {
            return found;
        }
        for pid in children.into_iter().filter(|pid| !mains.alive.contains_key(pid) && mains.engine != Some(*pid)) {
            if let Some(owner) = self.owner(pid, mains, cgroups) {
                found.entry(owner).or_default().push(pid);
            }
        }
        found
    }

    fn owner(&mut self, pid: pid_t, mains: &Mains, cgroups: Option<&Cgroups>) -> Option<InstanceId> {
        let stat = proc::stat(pid)?;
        if let Some((start, owner)) = self.known.get(&pid)
            && *start == stat.start
        {
            return Some(*owner);
        }
        let owner = cgroups
            .and_then(|cgroups| cgroups.owner(pid))
            .or_else(|| mains.sessions.get(&stat.session).copied())
            .or_else(|| proc::stamp(pid))?;
        self.note(pid, &stat, owner);
        Some(owner)
    }

    /// Remembers that this process belongs to the instance.
    pub(super) fn note(&mut self, pid: pid_t, stat: &Stat, owner: InstanceId) {
        self.known.insert(pid, (stat.start, owner));
    }

    /// The instance is over.
    pub(super) fn forget(&mut self, owner: InstanceId) {
        if !self.known.is_empty() {
            self.known.retain(|_, (_, of)| *of != owner);
        }
    }
}
