//! Carrying out orders.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use orco_core::model::InstanceId;

use super::{
    capture::Capture,
    job::{Asked, Job, Kind, Stage},
    spawn::Failure,
    token::Token,
    turn::Keeper,
};
use crate::{
    logger::Task,
    proc, sys,
    wire::{self, Exec, Launch, Order, Report, Spawn},
};

impl Keeper {
    pub(super) fn obey(&mut self, order: Order) {
        match order {
            // Said once, at the start.
            Order::Hello { .. } => {}
            Order::Spawn { spawn } => self.spawn(spawn),
            Order::Exec { exec } => self.exec(exec),
            Order::Stop { request, id, signal } => {
                let answer = self.stop(id, signal);
                self.done(request, answer);
            }
            Order::Kill { request, id } => {
                self.condemned.push(id);
                self.done(request, Ok(()));
            }
            Order::Signal { request, id, signal } => {
                let answer = match self.jobs.get(&id) {
                    Some(Job { pid, stage: Stage::Alive, .. }) => match self.fosters.get(id) {
                        Some(foster) => sys::pidfd_signal(foster.pidfd.as_fd(), signal),
                        None => sys::kill(*pid, signal),
                    },
                    _ => Ok(()),
                };
                self.done(request, answer);
            }
            Order::Arm { id, beyond } => self.logger.give(Task::Arm { id, beyond }),
            Order::Segments { id, bytes, turn } => self.logger.give(Task::Segments { id, bytes, turn }),
            Order::Acknowledge {} => {
                if let Some(engines) = &mut self.engines {
                    engines.full = None;
                }
                self.logger.give(Task::Acknowledge);
            }
            Order::Shutdown {} => self.leave_now(),
            Order::Adopt { adopt } => self.adopt(adopt),
            Order::Recorded { id } => self.recorded(id),
            Order::Serving {} => self.serving(),
            Order::Succeed { program } => self.succeed(&program),
        }
    }

    fn done(&mut self, request: u64, answer: io::Result<()>) {
        let errno = answer.map_or_else(|error| sys::errno(&error), |()| 0);
        self.talk.tell(&Report::Done { request, errno });
    }

    fn spawn(&mut self, spawn: Spawn) {
        let id = spawn.launch.id;
        match self.try_spawn(spawn) {
            Ok(pid) => {
                if self.engines.is_some() {
                    self.tell_token(id);
                }
                self.talk.tell(&Report::Spawned { id, pid: pid.cast_unsigned() });
            }
            Err(failure) => self.not_spawned(id, failure),
        }
    }

    fn try_spawn(&mut self, spawn: Spawn) -> Result<i32, Failure> {
        let (output, output_end) = sys::pipe().map_err(Failure::at(wire::Stage::Prepare))?;
        let (errors, errors_end) = sys::pipe().map_err(Failure::at(wire::Stage::Prepare))?;
        let outlives = self.engines.is_some();
        let mut ends = [output_end, errors_end];
        if outlives {
            let [output, errors] = ends.map(sys::both_ends);
            ends = [
                output.map_err(Failure::at(wire::Stage::Prepare))?,
                errors.map_err(Failure::at(wire::Stage::Prepare))?,
            ];
        }
        let pid = self.bear(&spawn.launch, None, ends, outlives)?;
        let id = spawn.launch.id;
        let (log_dir, log_stem) = (spawn.log_dir.clone(), spawn.log_stem.clone());
        let mut job = Job::new(pid, Kind::Service { stop_signal: spawn.stop_signal, log_dir, log_stem });
        if outlives {
            // It is our unreaped child: whatever it has done since, this is it.
            let pipes = [&output, &errors].map(|pipe| sys::inode(pipe.as_fd()));
            let token = Token::of(pid, pipes, self.cgroups.as_ref().map(|cgroups| cgroups.path(id)));
            job.token = token.map(|token| token.to_string().into_bytes().into()).unwrap_or_default();
        }
        self.register(id, job);
        let pipes = [output, errors];
        self.logger.give(Task::Open { id, pipes, dir: spawn.log_dir, stem: spawn.log_stem });
        Ok(pid)
    }

    fn exec(&mut self, exec: Exec) {
        let id = exec.launch.id;
        if let Err(failure) = self.try_exec(&exec) {
            self.not_spawned(id, failure);
        }
    }

    fn try_exec(&mut self, exec: &Exec) -> Result<(), Failure> {
        let (output, end) = sys::pipe().map_err(Failure::at(wire::Stage::Prepare))?;
        let same = end.try_clone().map_err(Failure::at(wire::Stage::Prepare))?;
        let deadline = Instant::now() + Duration::from_millis(exec.timeout_ms);
        let input = match &exec.stdin {
            nothing if nothing.is_empty() => None,
            stdin => Some(sys::file_of(stdin).map_err(Failure::at(wire::Stage::Prepare))?),
        };
        let pid = self.bear(&exec.launch, input, [end, same], false)?;
        let id = exec.launch.id;
        self.register(id, Job::new(pid, Kind::Command { capture: Capture::new(output), deadline, timed_out: false }));
        self.commands.insert(id);
        Ok(())
    }

    /// Makes the process, perhaps one that outlives us; our ends of its input and our write ends of its pipes are closed
    /// when this returns.
    fn bear(
        &mut self,
        launch: &Launch,
        input: Option<OwnedFd>,
        [output, errors]: [OwnedFd; 2],
        outlives: bool,
    ) -> Result<i32, Failure> {
        if self.leaving.is_some() || self.jobs.contains_key(&launch.id) {
            return Err(Failure { stage: wire::Stage::Prepare, errno: libc::ECANCELED });
        }
        let group = match &self.cgroups {
            Some(cgroups) => Some(cgroups.create(launch.id).map_err(Failure::at(wire::Stage::Cgroup))?),
            None => None,
        };
        let ends = [input.as_ref().map(AsFd::as_fd), Some(output.as_fd()), Some(errors.as_fd())];
        let born = self.spawner.spawn(launch, ends, group.as_ref(), outlives);
        if let (Err(_), Some(cgroups)) = (&born, &self.cgroups) {
            cgroups.remove(launch.id);
        }
        born
    }

    fn register(&mut self, id: InstanceId, job: Job) {
        self.mains.alive.insert(job.pid, id);
        self.mains.sessions.insert(job.pid, id);
        self.jobs.insert(id, job);
    }

    fn not_spawned(&mut self, id: InstanceId, failure: Failure) {
        self.talk.tell(&Report::NotSpawned { id, stage: failure.stage, errno: failure.errno });
    }

    /// Asks an instance to end: its process group, or what is left of its tree.
    fn stop(&mut self, id: InstanceId, signal: i32) -> io::Result<()> {
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        if job.asked == Asked::Nothing {
            job.asked = Asked::Stop;
        }
        if job.stopped_with == Some(signal) {
            return Ok(());
        }
        let stage = job.stage;
        let answer = match stage {
            Stage::Alive | Stage::Leaderless(_) if self.fosters.holds(id) => self.stop_foster(id, stage, signal),
            // The number of the group cannot be another's while its leader is not reaped.
            Stage::Alive => sys::kill(-job.pid, signal),
            Stage::Leaderless(_) => {
                for pid in self.strays_of(id) {
                    let _ = sys::kill(pid, signal);
                }
                Ok(())
            }
            Stage::Draining(_) | Stage::Over(..) => Ok(()),
        };
        if answer.is_ok()
            && let Some(job) = self.jobs.get_mut(&id)
        {
            job.stopped_with = Some(signal);
        }
        answer
    }

    /// Kills the trees of the condemned, as far as they are there now. What escapes is found when it comes to us.
    pub(super) fn execute(&mut self) {
        if self.condemned.is_empty() {
            return;
        }
        let mut strays = self.strays.find(&self.mains, self.cgroups.as_ref());
        let mut fosters = Vec::new();
        for id in std::mem::take(&mut self.condemned) {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.asked = Asked::Kill;
            let main = match job.stage {
                Stage::Alive => Some(job.pid),
                Stage::Leaderless(_) => None,
                Stage::Draining(_) | Stage::Over(..) => continue,
            };
            if self.fosters.holds(id) {
                fosters.push(id);
                continue;
            }
            let orphans = strays.remove(&id).unwrap_or_default();
            self.kill_tree(id, orphans.into_iter().chain(main).collect());
        }
        self.kill_fosters(&fosters);
    }

    /// Runs out the clock of commands.
    pub(super) fn time_out(&mut self) {
        if self.commands.is_empty() {
            return;
        }
        let now = Instant::now();
        let late: Vec<InstanceId> = self.commands.iter().copied().filter(|id| self.is_late(*id, now)).collect();
        for id in late {
            if let Some(Job { kind: Kind::Command { timed_out, .. }, .. }) = self.jobs.get_mut(&id) {
                *timed_out = true;
            }
            self.condemned.push(id);
        }
    }

    fn is_late(&self, id: InstanceId, now: Instant) -> bool {
        matches!(self.jobs.get(&id), Some(Job { kind: Kind::Command { deadline, timed_out: false, .. }, stage: Stage::Alive, .. }) if *deadline <= now)
    }

    /// The orphans of this instance among our children.
    fn strays_of(&mut self, id: InstanceId) -> Vec<i32> {
        self.strays.find(&self.mains, self.cgroups.as_ref()).remove(&id).unwrap_or_default()
    }

    /// Kills these children of ours, which belong to the instance, and all below them.
    pub(super) fn kill_tree(&mut self, id: InstanceId, roots: Vec<i32>) {
        if let Some(cgroups) = &self.cgroups {
            cgroups.kill(id);
        }
        let members = roots.into_iter().map(|pid| (pid, crate::tree::Member::Child)).collect();
        let strays = &mut self.strays;
        let met = |pid, stat: &proc::Stat| strays.note(pid, stat, id);
        crate::tree::kill(members, Some(std::process::id().cast_signed()), met);
    }
}
