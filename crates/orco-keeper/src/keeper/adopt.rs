//! Taking over the instances of an earlier keeper, and leading them to their end.
//!
//! They are not our children: pidfds tell their ends, and what they leave behind goes to init. So their trees are
//! found by looking (see [`super::search`]), and "nothing is left" is what looks say in which nobody was found. What
//! hides from a look (without control groups: an orphan in a session and an environment of its own) is not found.

use std::{
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use libc::{c_int, pid_t};
use orco_core::model::InstanceId;

use super::{
    cgroup,
    foster::{ENOUGH, ENOUGH_OF_STARTS, Sought, weight},
    job::{Asked, Job, Kind, Stage},
    search::Look,
    token::Token,
    turn::Keeper,
};
use crate::{
    logger::Task,
    proc, sys,
    tree::{self, Member},
    wire::{Adopt, Ending, Report},
};

/// Between two looks while somebody is being killed, or nobody was found.
const SOON: Duration = Duration::from_millis(3);
/// Between two looks while what a stopped main process has left may live.
const LATER: Duration = Duration::from_millis(50);
/// After this long so many looks in a row in which nobody was found are enough.
const LONG: Duration = Duration::from_millis(1000);
const ENOUGH_OF_LONG: u32 = 10;
/// A start that is on its way to its program is waited for so long.
const BIRTH: Duration = Duration::from_secs(2);

impl Keeper {
    /// Takes the process over, if it still is the one that is meant.
    pub(super) fn adopt(&mut self, adopt: Adopt) {
        let id = adopt.id;
        if let Some(job) = self.jobs.get(&id) {
            // Asked again.
            let (pid, stage) = (job.pid.cast_unsigned(), job.stage);
            self.talk.tell(&Report::Adopted { id, pid });
            if let Stage::Over(ending, bytes) = stage {
                self.talk.tell(&Report::Exited { id, ending, bytes });
            }
            return;
        }
        let token = Token::parse(&adopt.token);
        if let Some(token) = &token {
            // Nothing outlives a boot.
            if proc::boot().is_some_and(|boot| boot != token.boot) {
                return self.talk.tell(&Report::Gone { id });
            }
            if let Some(pidfd) = token.hold(id)
                && self.admit(&adopt, token, pidfd)
            {
                return;
            }
        }
        self.fosters.next_search = None;
        self.fosters.sought.insert(id, Sought { adopt, token, since: Instant::now(), quiet: 0 });
    }

    /// This is the one.
    fn admit(&mut self, adopt: &Adopt, token: &Token, pidfd: OwnedFd) -> bool {
        let id = adopt.id;
        let mut token = token.clone();
        if token.group_of(id).is_none() {
            token.group = cgroup::group_of(token.pid, id);
        }
        if self.fosters.insert(id, &token, pidfd).is_err() {
            return false;
        }
        let (dir, stem) = (adopt.log_dir.clone(), adopt.log_stem.clone());
        let kind = Kind::Service { stop_signal: adopt.stop_signal, log_dir: dir.clone(), log_stem: stem.clone() };
        let mut job = Job::new(token.pid, kind);
        job.token = token.to_string().into_bytes().into();
        self.jobs.insert(id, job);
        let pipes = self.fosters.pipes(&token);
        self.logger.give(Task::Resume { id, pipes, dir, stem });
        self.tell_token(id);
        self.talk.tell(&Report::Adopted { id, pid: token.pid.cast_unsigned() });
        true
    }

    /// By what another keeper would know the instance again.
    pub(super) fn tell_token(&mut self, id: InstanceId) {
        if let Some(Job { kind: Kind::Service { stop_signal, .. }, token, .. }) = self.jobs.get(&id) {
            self.talk.tell(&Report::Token { id, token: token.clone(), stop_signal: *stop_signal });
        }
    }

    /// Looks for those whose main process is not where it was, or was never known.
    pub(super) fn seek(&mut self) {
        let now = Instant::now();
        if self.fosters.sought.is_empty() || self.fosters.next_search.is_some_and(|at| at > now) {
            return;
        }
        self.fosters.next_search = Some(now + SOON);
        let mut look = self.fosters.search();
        for id in self.fosters.sought.keys().copied().collect::<Vec<_>>() {
            let found = look.found.remove(&id).unwrap_or_default();
            let Some(sought) = self.fosters.sought.get_mut(&id) else { continue };
            if found.is_empty() {
                let unborn = look.unborn && sought.since.elapsed() < BIRTH;
                sought.quiet = if unborn { 0 } else { sought.quiet + weight(look.sure) };
                let enough = if sought.token.is_some() { ENOUGH } else { ENOUGH_OF_STARTS };
                // On a busy machine a look takes long, and sees more.
                if sought.quiet >= enough || sought.quiet >= ENOUGH_OF_LONG && sought.since.elapsed() > LONG {
                    self.gone(id);
                }
                continue;
            }
            sought.quiet = 0;
            let main = if sought.token.is_none() { main_of(&found) } else { None };
            match main.and_then(|main| Some((Token::of(main, [0, 0], cgroup::group_of(main, id))?, main))) {
                Some((token, _)) => self.found(id, &token),
                // What it has left behind: with it the instance has ended.
                None => kill(self.group_of(id).as_deref(), found),
            }
        }
    }

    /// A start whose outcome nobody knew has led to this.
    fn found(&mut self, id: InstanceId, token: &Token) {
        // Looked at again with the descriptor in hand.
        let Some(pidfd) = token.hold(id) else { return };
        if let Some(sought) = self.fosters.sought.remove(&id)
            && !self.admit(&sought.adopt, token, pidfd)
        {
            self.fosters.sought.insert(id, sought);
        }
    }

    fn gone(&mut self, id: InstanceId) {
        if let Some(group) = self.group_of(id) {
            cgroup::remove_group(&group);
        }
        self.fosters.sought.remove(&id);
        self.talk.tell(&Report::Gone { id });
    }

    fn group_of(&self, id: InstanceId) -> Option<std::path::PathBuf> {
        let sought = self.fosters.sought.get(&id).and_then(|sought| sought.token.as_ref()?.group_of(id));
        sought.map(Into::into).or_else(|| self.fosters.get(id)?.group.clone())
    }

    /// Takes in the ends of adopted main processes.
    pub(super) fn take_foster_ends(&mut self) {
        for (id, status) in self.fosters.ended() {
            self.foster_ended(id, status);
        }
    }

    pub(super) fn foster_ended(&mut self, id: InstanceId, status: Option<c_int>) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Leaderless(status.map_or(Ending::Unknown {}, super::reap::ending));
            self.leaderless.insert(id);
            self.fosters.next_look = None;
        }
    }

    /// Looks after the adopted that have lost their main process, as `settle` does for others.
    pub(super) fn settle_fosters(&mut self) {
        let now = Instant::now();
        if self.fosters.next_look.is_some_and(|at| at > now) {
            return;
        }
        let due: Vec<InstanceId> = self.leaderless.iter().copied().filter(|id| self.fosters.holds(*id)).collect();
        if due.is_empty() {
            return;
        }
        let jobs = &self.jobs;
        let doomed = |id| jobs.get(&id).is_some_and(|job| job.asked != Asked::Stop);
        let Look { mut found, sure, .. } = self.fosters.look(&due, doomed);
        let mut next = None;
        for id in due {
            let Some(Job { asked, stage: Stage::Leaderless(ending), .. }) = self.jobs.get(&id) else {
                self.leaderless.remove(&id);
                continue;
            };
            let (asked, ending) = (*asked, *ending);
            let pause = match found.remove(&id) {
                None if self.fosters.is_quiet(id, sure) => {
                    self.leaderless.remove(&id);
                    self.emptied(id, ending);
                    continue;
                }
                None => SOON,
                Some(_) if asked == Asked::Stop => LATER,
                Some(members) => {
                    self.fosters.stirs(id);
                    kill(self.group_of(id).as_deref(), members);
                    SOON
                }
            };
            next = Some(next.map_or(pause, |known: Duration| known.min(pause)));
        }
        self.fosters.next_look = next.map(|pause| Instant::now() + pause);
    }

    /// Kills the trees of these adopted instances, as far as they are there now.
    pub(super) fn kill_fosters(&mut self, ids: &[InstanceId]) {
        if ids.is_empty() {
            return;
        }
        let mut look = self.fosters.look(ids, |_| true);
        for id in ids {
            let mut members = look.found.remove(id).unwrap_or_default();
            if let Some(foster) = self.fosters.get(*id)
                && let Ok(pidfd) = foster.pidfd.try_clone()
                && !sys::has_ended(pidfd.as_fd())
            {
                members.insert(foster.pid, Member::Held(pidfd));
            }
            kill(self.group_of(*id).as_deref(), members);
        }
        self.fosters.next_look = None;
    }

    /// Signals the process group of an adopted main process, or what is left of its tree.
    pub(super) fn stop_foster(&mut self, id: InstanceId, stage: Stage, signal: c_int) -> std::io::Result<()> {
        let Some(foster) = self.fosters.get(id) else { return Ok(()) };
        if stage == Stage::Alive {
            return sys::pidfd_signal_group(foster.pidfd.as_fd(), foster.pid, signal);
        }
        for member in self.fosters.look(&[id], |_| false).found.remove(&id).unwrap_or_default().into_values() {
            if let Member::Held(pidfd) = member {
                let _ = sys::pidfd_signal(pidfd.as_fd(), signal);
            }
        }
        Ok(())
    }
}

/// Kills these and all below them.
fn kill(group: Option<&std::path::Path>, members: std::collections::BTreeMap<pid_t, Member>) {
    if let Some(group) = group {
        cgroup::kill_group(group);
    }
    tree::kill(members, None, |_, _| {});
}

/// The oldest of them that leads a session: a keeper's children all do.
fn main_of(found: &std::collections::BTreeMap<pid_t, Member>) -> Option<pid_t> {
    let leads = |pid: &pid_t| proc::stat(*pid).filter(|stat| stat.session == *pid).map(|stat| (stat.start, *pid));
    found.keys().filter_map(leads).min().map(|(_, pid)| pid)
}
