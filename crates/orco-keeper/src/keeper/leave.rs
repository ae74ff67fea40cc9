//! The end: the engine is gone, or says that it is done.

use std::time::{Duration, Instant};

use super::{
    guard,
    job::{Asked, Kind, Stage},
    turn::Keeper,
};
use crate::sys;

/// What services get between the stop signal and the kill when the engine is gone that they share their fate with.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// Between two rounds of killing.
const ROUND: Duration = Duration::from_millis(20);

/// When only the engine is left, its end wakes us.
const IDLE: Duration = Duration::from_secs(60);

/// The keeper is on its way out.
#[derive(Debug)]
pub(super) struct Leaving {
    kill_at: Instant,
}

impl Leaving {
    pub(super) const fn next_look(&self) -> Instant {
        self.kill_at
    }
}

impl Keeper {
    /// Nobody is there to decide: everybody is asked to end, and killed if that does not help.
    pub(super) fn leave(&mut self, grace: Duration) {
        if self.leaving.is_some() {
            return;
        }
        self.leaving = Some(Leaving { kill_at: Instant::now() + grace });
        let mut fosters = Vec::new();
        for (id, job) in &mut self.jobs {
            match job.kind {
                Kind::Service { stop_signal, .. } => {
                    if job.asked == Asked::Nothing {
                        job.asked = Asked::Stop;
                    }
                    if self.fosters.holds(*id) {
                        fosters.push((*id, job.stage, stop_signal));
                    } else if job.stage == Stage::Alive {
                        let _ = sys::kill(-job.pid, stop_signal);
                    }
                }
                Kind::Command { .. } => self.condemned.push(*id),
            }
        }
        for (id, stage, signal) in fosters {
            let _ = self.stop_foster(id, stage, signal);
        }
        self.execute();
    }

    /// The engine is done: whatever is left is killed.
    pub(super) fn leave_now(&mut self) {
        self.cleaner.hurry();
        self.leaving = Some(Leaving { kill_at: Instant::now() });
    }

    /// Whether nothing is left. Its own children include everything that anybody left behind.
    pub(super) fn take_leave(&mut self) -> bool {
        if self.leaving.is_none() {
            return false;
        }
        let mut alone = self.is_alone();
        let now = Instant::now();
        if let Some(leaving) = &mut self.leaving
            && !alone
            && leaving.kill_at <= now
        {
            leaving.kill_at = now + ROUND;
            self.condemned.extend(self.fosters.ids());
            self.execute();
            self.fosters.sought.clear();
            guard::kill_all_but(self.mains.engine, self.strays.own(), self.cgroups.as_ref());
            self.reap();
            alone = self.is_alone();
        }
        if !alone {
            return false;
        }
        if let Some(leaving) = &mut self.leaving {
            leaving.kill_at = now + IDLE;
        }
        self.logger.close();
        self.talk.flush();
        if !self.cleaner.is_done() {
            return false;
        }
        // A detached engine goes before us: that it is told so is its time to clear up.
        self.talk.hang_up();
        self.engines.as_ref().is_none_or(|engines| engines.running().is_none())
    }

    /// Whether all our children have gone, except the engine.
    fn is_alone(&mut self) -> bool {
        let engine = self.mains.engine;
        self.fosters.is_empty() && self.strays.own().read().into_iter().all(|pid| Some(pid) == engine)
    }
}
