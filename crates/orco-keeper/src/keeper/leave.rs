//! The end: the engine is gone, or says that it is done.

use std::time::{Duration, Instant};

use super::{
    guard,
    job::{Asked, Kind, Stage},
    turn::Keeper,
};
use crate::sys;

/// What services get between the stop signal and the kill when the engine is gone.
const GRACE: Duration = Duration::from_millis(500);

/// Between two rounds of killing.
const ROUND: Duration = Duration::from_millis(20);

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
    /// The engine is gone: everybody is asked to end, and killed if that does not help.
    pub(super) fn leave(&mut self) {
        if self.leaving.is_some() {
            return;
        }
        self.leaving = Some(Leaving { kill_at: Instant::now() + GRACE });
        for (id, job) in &mut self.jobs {
            match job.kind {
                Kind::Service { stop_signal, .. } => {
                    if job.asked == Asked::Nothing {
                        job.asked = Asked::Stop;
                    }
                    if job.stage == Stage::Alive {
                        let _ = sys::kill(-job.pid, stop_signal);
                    }
                }
                Kind::Command { .. } => self.condemned.push(*id),
            }
        }
        self.execute();
    }

    /// The engine is done: whatever is left is killed.
    pub(super) fn leave_now(&mut self) {
        self.leaving = Some(Leaving { kill_at: Instant::now() });
    }

    /// Whether nothing is left. Its own children include everything that anybody left behind.
    pub(super) fn take_leave(&mut self) -> bool {
        let now = Instant::now();
        let Some(leaving) = &mut self.leaving else { return false };
        let mut childless = self.strays.own().read().is_empty();
        if !childless && leaving.kill_at <= now {
            leaving.kill_at = now + ROUND;
            childless = !guard::kill_children(self.strays.own(), self.cgroups.as_ref());
        }
        if childless {
            self.talk.flush();
            self.logger.close();
        }
        childless
    }
}
