//! Reaping, and telling when an instance is over.

use std::collections::HashMap;

use libc::c_int;
use orco_core::model::InstanceId;

use super::{
    job::{Asked, Job, Kind, Stage},
    turn::Keeper,
};
use crate::{
    logger::{LogReport, Task},
    sys::{self, Reaped},
    wire::{Ending, Report},
};

impl Keeper {
    /// Reaps all who have ended: main processes and orphans.
    pub(super) fn reap(&mut self) {
        while let Reaped::Child(pid, status) = sys::reap(-1, false) {
            if Some(pid) == self.mains.engine {
                self.engine_ended(Some(status));
                continue;
            }
            if let Some(id) = self.fosters.reaped(pid) {
                self.foster_ended(id, Some(status));
                continue;
            }
            let Some(id) = self.mains.alive.remove(&pid) else { continue };
            if let Some(job) = self.jobs.get_mut(&id) {
                job.stage = Stage::Leaderless(ending(status));
                self.leaderless.insert(id);
            }
        }
    }

    /// Looks after those who have lost their main process. What is left of them are orphans, and orphans are our
    /// children: one list tells about all. Whoever is left dies (unless a graceful stop is under way), and each death
    /// wakes us again, until nobody is left.
    pub(super) fn settle(&mut self) {
        if self.leaderless.is_empty() {
            return;
        }
        self.settle_fosters();
        let ours: Vec<InstanceId> = self.leaderless.iter().copied().filter(|id| !self.fosters.holds(*id)).collect();
        if ours.is_empty() {
            return;
        }
        let mut strays = self.strays.find(&self.mains, self.cgroups.as_ref());
        for id in ours {
            self.settle_one(id, &mut strays);
        }
    }

    fn settle_one(&mut self, id: InstanceId, strays: &mut HashMap<InstanceId, Vec<i32>>) {
        let Some(Job { asked, stage: Stage::Leaderless(ending), .. }) = self.jobs.get(&id) else {
            self.leaderless.remove(&id);
            return;
        };
        let (asked, ending) = (*asked, *ending);
        match strays.remove(&id) {
            Some(_) if asked == Asked::Stop => {}
            Some(roots) => self.kill_tree(id, roots),
            None => {
                self.leaderless.remove(&id);
                self.emptied(id, ending);
            }
        }
    }

    /// Nothing of the tree is left.
    pub(super) fn emptied(&mut self, id: InstanceId, ending: Ending) {
        if let Some(cgroups) = &self.cgroups {
            cgroups.remove(id);
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if matches!(job.kind, Kind::Service { .. }) {
            job.stage = Stage::Draining(ending);
            self.logger.give(Task::Finish { id });
            return;
        }
        self.commands.remove(&id);
        if let Some(Job { kind: Kind::Command { capture, timed_out, .. }, .. }) = self.over(id) {
            let ending = (!timed_out).then_some(ending);
            let (output, omitted) = capture.finish();
            self.talk.tell(&Report::ExecDone { id, ending, output, omitted });
        }
    }

    /// Forgets a job.
    fn over(&mut self, id: InstanceId) -> Option<Job> {
        self.release(id);
        self.jobs.remove(&id)
    }

    /// Forgets the processes of a job: it has none any more.
    fn release(&mut self, id: InstanceId) {
        let Some(job) = self.jobs.get(&id) else { return };
        self.strays.forget(id);
        self.fosters.forget(id);
        // The number may lead another's session by now.
        if self.mains.sessions.get(&job.pid) == Some(&id) {
            self.mains.sessions.remove(&job.pid);
        }
    }

    /// The instance is over. An engine may be there to hear of it or not: it is kept until one has recorded it.
    fn finished(&mut self, id: InstanceId, bytes: u64) {
        let Some(Job { stage: Stage::Draining(ending), .. }) = self.jobs.get(&id) else { return };
        let ending = *ending;
        if self.engines.is_none() {
            self.over(id);
        } else {
            self.release(id);
            if let Some(job) = self.jobs.get_mut(&id) {
                job.stage = Stage::Over(ending, bytes);
            }
        }
        self.talk.tell(&Report::Exited { id, ending, bytes });
    }

    /// The engine has recorded the end.
    pub(super) fn recorded(&mut self, id: InstanceId) {
        if let Some(Job { stage: Stage::Over(..), .. }) = self.jobs.get(&id) {
            self.jobs.remove(&id);
        }
    }

    pub(super) fn take_log_reports(&mut self) {
        for report in self.logger.reports() {
            match report {
                LogReport::Finished { id, total } => self.finished(id, total),
                LogReport::Grew { id, total } => self.talk.tell(&Report::Grew { id, total }),
                LogReport::Rotated { id, segment } => {
                    if let Some(engines) = &mut self.engines {
                        engines.full = Some((id, segment));
                    }
                    self.talk.tell(&Report::Rotated { id, segment });
                }
            }
        }
    }
}

/// What the status of waitpid(2) says.
pub(super) fn ending(status: c_int) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signal { signal: libc::WTERMSIG(status) }
    } else {
        Ending::Code { code: libc::WEXITSTATUS(status) }
    }
}
