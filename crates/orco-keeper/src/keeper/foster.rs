//! The processes that an earlier keeper started: nobody's children of ours, watched and signalled through pidfds.

use std::{
    collections::{BTreeMap, HashMap},
    fs::OpenOptions,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::fs::OpenOptionsExt,
    },
    path::PathBuf,
    time::{Duration, Instant},
};

use libc::{c_int, pid_t};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use orco_core::model::InstanceId;

use super::{
    cgroup,
    search::{Look, Searcher, Who},
    token::Token,
};
use crate::{
    proc,
    sys::{self, Reaped},
    wire::Adopt,
};

/// Looks that count for this much in which nobody was found are enough.
pub(super) const ENOUGH: u32 = 20;
/// The same where a start may be on its way: a child has no stamp before its program.
pub(super) const ENOUGH_OF_STARTS: u32 = 100;
const SURE: u32 = 10;
const UNSURE: u32 = 1;

/// How long who holds which pipe is taken for known.
const FRESH: Duration = Duration::from_secs(1);

/// Between two tries to remove a group, and how often it is tried.
const TIDY: Duration = Duration::from_millis(10);
const TRIES: u32 = 20;

/// Which process has which pipe where.
type Holders = HashMap<u64, (pid_t, RawFd)>;

/// A main process of an earlier keeper.
#[derive(Debug)]
pub(super) struct Foster {
    pub(super) pid: pid_t,
    pub(super) start: u64,
    pub(super) pidfd: OwnedFd,
    pub(super) group: Option<PathBuf>,
    quiet: u32,
}

/// One that is looked for.
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) adopt: Adopt,
    pub(super) token: Option<Token>,
    pub(super) since: Instant,
    pub(super) quiet: u32,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Fosters {
    epoll: Epoll,
    by_id: BTreeMap<InstanceId, Foster>,
    by_pid: HashMap<pid_t, InstanceId>,
    pub(super) sought: BTreeMap<InstanceId, Sought>,
    searcher: Searcher,
    /// When the next look at trees without a main process is due, if not at once.
    pub(super) next_look: Option<Instant>,
    /// When the next look for the sought is due, if not at once.
    pub(super) next_search: Option<Instant>,
    /// Who holds which pipe, as of when.
    holders: Option<(Instant, Holders)>,
    /// Groups that could not be removed yet, and how often that was tried.
    stale: Vec<(PathBuf, u32)>,
    tidy_at: Option<Instant>,
}

impl Fosters {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            by_id: BTreeMap::new(),
            by_pid: HashMap::new(),
            sought: BTreeMap::new(),
            searcher: Searcher::default(),
            next_look: None,
            next_search: None,
            holders: None,
            stale: Vec::new(),
            tidy_at: None,
        })
    }

    /// Readable when one has ended.
    pub(super) fn raw(&self) -> RawFd {
        self.epoll.0.as_raw_fd()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.sought.is_empty()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.by_id.keys().copied()
    }

    pub(super) fn get(&self, id: InstanceId) -> Option<&Foster> {
        self.by_id.get(&id)
    }

    pub(super) fn holds(&self, id: InstanceId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// When there is something to do by itself.
    pub(super) fn next(&self, leaderless: bool) -> Option<Instant> {
        let look = if leaderless { self.next_look } else { None };
        let search = if self.sought.is_empty() { None } else { self.next_search };
        let tidy = if self.stale.is_empty() { None } else { self.tidy_at };
        look.into_iter().chain(search).chain(tidy).min()
    }

    pub(super) fn insert(&mut self, id: InstanceId, token: &Token, pidfd: OwnedFd) -> io::Result<()> {
        let tag = u64::from(token.pid.cast_unsigned());
        self.epoll.add(pidfd.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, tag))?;
        let group = token.group_of(id).map(PathBuf::from);
        self.by_pid.insert(token.pid, id);
        self.by_id.insert(id, Foster { pid: token.pid, start: token.start, pidfd, group, quiet: 0 });
        Ok(())
    }

    /// Nothing of it is left.
    pub(super) fn forget(&mut self, id: InstanceId) {
        let Some(foster) = self.by_id.remove(&id) else { return };
        if self.by_pid.get(&foster.pid) == Some(&id) {
            self.by_pid.remove(&foster.pid);
        }
        self.stale.extend(foster.group.map(|group| (group, 0)));
        self.tidy_at = None;
        self.tidy();
    }

    /// Removes groups in which nobody is left. A killed process leaves its group a moment after it is listed last.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        if self.stale.is_empty() || self.tidy_at.is_some_and(|at| at > now) {
            return;
        }
        self.tidy_at = Some(now + TIDY);
        self.stale.retain_mut(|(group, tries)| {
            *tries += 1;
            !cgroup::remove_group(group) && *tries < TRIES
        });
    }

    /// The one that this pid was, if it is one of them: it happened to be our child.
    pub(super) fn reaped(&mut self, pid: pid_t) -> Option<InstanceId> {
        let id = self.by_pid.remove(&pid)?;
        if let Some(foster) = self.by_id.get(&id) {
            let _ = self.epoll.delete(foster.pidfd.as_fd());
        }
        Some(id)
    }

    /// Who has ended since, and the status as of waitpid(2), if it is to be had. Each is told once.
    pub(super) fn ended(&mut self) -> Vec<(InstanceId, Option<c_int>)> {
        let mut events = [EpollEvent::empty(); 64];
        let mut ended = Vec::new();
        while let Ok(count) = self.epoll.wait(&mut events, EpollTimeout::ZERO)
            && count > 0
        {
            for event in &events[..count] {
                let pid = pid_t::try_from(event.data()).unwrap_or(0);
                let Some(id) = self.by_pid.remove(&pid) else { continue };
                let Some(foster) = self.by_id.get(&id) else { continue };
                let _ = self.epoll.delete(foster.pidfd.as_fd());
                ended.push((id, foster.status()));
            }
        }
        ended
    }

    /// What is there of these. The `doomed` are stopped as they are met.
    pub(super) fn look(&mut self, ids: &[InstanceId], doomed: impl Fn(InstanceId) -> bool) -> Look {
        let who = |id: &InstanceId| {
            let foster = self.by_id.get(id)?;
            let main = Some((foster.pid, foster.start));
            Some(Who { id: *id, main, group: foster.group.clone(), everywhere: false, doomed: doomed(*id) })
        };
        let who: Vec<Who> = ids.iter().filter_map(who).collect();
        self.searcher.look(&who)
    }

    /// What is there of the sought.
    pub(super) fn search(&mut self) -> Look {
        let who = |(id, sought): (&InstanceId, &Sought)| {
            // Whoever has the pid now is not the one that was meant, or it would be held: the number is a stranger's.
            let main = sought.token.as_ref().map(|token| (token.pid, token.start));
            let main = main.filter(|(pid, _)| proc::stat(*pid).is_none());
            let group = sought.token.as_ref().and_then(|token| token.group_of(*id)).map(PathBuf::from);
            Who { id: *id, main, group, everywhere: true, doomed: false }
        };
        let who: Vec<Who> = self.sought.iter().map(who).collect();
        self.searcher.look(&who)
    }

    /// Nobody was found of it. Whether that was enough.
    pub(super) fn is_quiet(&mut self, id: InstanceId, sure: bool) -> bool {
        let Some(foster) = self.by_id.get_mut(&id) else { return true };
        // A group's list is whole.
        foster.quiet += if foster.group.is_some() { ENOUGH } else { weight(sure) };
        foster.quiet >= ENOUGH
    }

    /// Somebody was found of it.
    pub(super) fn stirs(&mut self, id: InstanceId) {
        if let Some(foster) = self.by_id.get_mut(&id) {
            foster.quiet = 0;
        }
    }

    /// New read ends of the pipes that a process began with. Where it has put them elsewhere, whoever has them gives
    /// them. Where their numbers are not known, what it has as output and errors is taken for them, if it is pipes.
    pub(super) fn pipes(&mut self, token: &Token) -> [Option<OwnedFd>; 2] {
        let numbers = match token.pipes {
            [0, 0] => {
                let [out, err] = [1, 2].map(|fd| proc::pipe_number(token.pid, fd).unwrap_or(0));
                [out, if err == out { 0 } else { err }]
            }
            known => known,
        };
        [0, 1].map(|stream| {
            let (number, fd) = (numbers[stream], stream as RawFd + 1);
            if number == 0 {
                return None;
            }
            let own = || proc::descriptors(token.pid).into_iter().find_map(|fd| read_end(token.pid, fd, number));
            read_end(token.pid, fd, number).or_else(own).or_else(|| {
                let (pid, fd) = *self.holders().get(&number)?;
                read_end(pid, fd, number)
            })
        })
    }

    fn holders(&mut self) -> &Holders {
        let stale = self.holders.as_ref().is_none_or(|(since, _)| since.elapsed() > FRESH);
        if stale {
            let mut holders = HashMap::new();
            for pid in proc::all() {
                for fd in proc::descriptors(pid) {
                    if let Some(number) = proc::pipe_number(pid, fd) {
                        holders.insert(number, (pid, fd));
                    }
                }
            }
            self.holders = Some((Instant::now(), holders));
        }
        &self.holders.get_or_insert_with(|| (Instant::now(), HashMap::new())).1
    }
}

impl Foster {
    /// What waitpid(2) would have told. Of a process that is not our child only the kernel's memory of it tells: once
    /// its parent has reaped it through its pidfd, before that in /proc.
    fn status(&self) -> Option<c_int> {
        for _ in 0..3 {
            // A child of ours after all (of a first process, or below another reaper).
            if let Reaped::Child(_, status) = sys::reap_held(self.pidfd.as_fd()) {
                return Some(status);
            }
            // Reaped between these two, the next round tells.
            let status = sys::pidfd_status(self.pidfd.as_fd()).or_else(|| proc::zombie_status(self.pid, self.start));
            if status.is_some() {
                return status;
            }
        }
        None
    }
}

pub(super) const fn weight(sure: bool) -> u32 {
    if sure { SURE } else { UNSURE }
}

/// A new read end of the pipe of this number, if this process has it there.
fn read_end(pid: pid_t, fd: RawFd, number: u64) -> Option<OwnedFd> {
    if proc::pipe_number(pid, fd) != Some(number) {
        return None;
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    let end = sys::reopen(Some(pid), fd, &options).ok()?;
    // Whoever has the pid and the descriptor by now: only that pipe is wanted.
    (sys::inode(end.as_fd()) == number).then_some(end)
}
