//! Decisions by name. Each is carried out by `commit`; some of them yield an action.

use crate::model::{Gen, Moment, Role, ServiceIx, SlotKey};

/// Why a live instance is replaced in its own seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Its liveness check fails.
    Liveness,
    /// It was not ready in time.
    StartTimeout,
    /// The outcome of its start is unknown.
    StartUnknown,
    /// A dependency with `onFailure: restart` stopped being ready.
    Dependency(ServiceIx),
}

/// One decision about one service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A seat is made.
    Create(SlotKey),
    /// A seat is to go: final for that seat.
    Retire(SlotKey),
    /// The instance of a seat is to go and another one to come.
    Recycle(SlotKey, Why),
    /// An empty seat is taken away.
    Drop(SlotKey),
    /// A restart, or the start of a container, begins to wait for its turn.
    Queue(SlotKey),
    /// It does not wait for its turn any more (its gate closed, or it is to go).
    Unqueue(SlotKey),
    /// A new instance is started.
    Start(SlotKey),
    /// Probing begins (anew).
    Probe(SlotKey, Role),
    /// Probing ends.
    Unprobe(SlotKey, Role),
    /// An instance is asked to end.
    Stop(SlotKey),
    /// An instance is killed.
    Kill(SlotKey),
    /// An order to end is given again that an earlier engine gave: nobody knows whether it was carried out.
    Repeat(SlotKey),
    /// From now on this instance stands on the ready dependency of this number in its set's list.
    Lean(SlotKey, u32),
    /// `onFailure: stop`: the service goes down because of this dependency.
    Yield(ServiceIx),
    /// It waits at a gate, first of all for this dependency.
    Block(ServiceIx),
    /// The wait at the gate is reported.
    Tell(ServiceIx),
    /// No seat waits at a gate any more.
    Unblock,
    /// A replacement is finished.
    Done,
    /// A revision set without seats is forgotten.
    Forget(Gen),
    /// The service is down and empty: a replacement under way is forgotten.
    Settle,
    /// A removed service is empty and forgotten.
    Gone,
}

/// Why a seat does not move, as `decide` sees it; `snapshot` makes a `Waiting` of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    /// In this set, the gate of the dependency of this number is closed.
    Gate(Gen, u32),
    /// A dependency is being replaced.
    DepChanging(ServiceIx),
    /// Its turn has not come.
    Admission,
    /// Its delay is not over.
    Backoff,
    /// Its start was not answered.
    Starting,
    /// Not ready yet.
    Probe,
    /// Was ready once.
    Unready,
    /// Ready, but not for `minReady`.
    Settling(Moment),
    /// A replacement cannot go on.
    Budget,
    /// Leaving dependents live.
    Dependents,
    /// It was asked to end.
    Exit,
    /// Given up, or completed.
    Halted,
    /// Removed, but others may need it.
    Held(ServiceIx),
}

/// What one look at one service found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision {
    /// To be committed in this order.
    pub(crate) steps: Vec<Step>,
    /// When to look again even if nothing happens.
    pub(crate) wake: Option<Moment>,
    /// What the seats (`None`: the service) wait for.
    pub(crate) waits: Vec<(Option<SlotKey>, Wait)>,
}

impl Decision {
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.wake = None;
        self.waits.clear();
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(crate) fn wait(&mut self, slot: SlotKey, wait: Wait) {
        self.waits.push((Some(slot), wait));
    }

    /// Looks again at `at`, or earlier if that was asked for already.
    pub(crate) fn wake_at(&mut self, at: Moment) {
        if at < Moment::MAX {
            self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
        }
    }
}
