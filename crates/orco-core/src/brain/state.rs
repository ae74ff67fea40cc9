//! What the brain remembers of one service.

use std::{fmt, sync::Arc, time::Duration};

use super::{Why, admit::LaneNo, face::Face};
use crate::{
    model::{Ended, Exit, Gen, InstanceId, Moment, ProbeVersion, Role, ServiceIx, ServiceName, SlotKey, Verdict},
    policy::health::Run,
    spec,
};

/// What is wanted of a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// It shall run.
    Up,
    /// It shall not.
    Down(Because),
}

/// Why a service is wanted down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Because {
    /// Nobody has asked for it yet.
    Never,
    /// The user said so.
    User,
    /// A dependency with `onFailure: stop` stopped being ready; the text says so.
    Dependency(Arc<str>),
}

/// A dependency of a revision set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Edge {
    pub(crate) to: ServiceIx,
    pub(crate) require: spec::Require,
    pub(crate) timeout: Duration,
    pub(crate) on_failure: spec::OnFailure,
}

/// All seats of one revision.
#[derive(Clone)]
pub(crate) struct RevSet {
    pub(crate) generation: Gen,
    pub(crate) spec: Arc<spec::Service>,
    /// In the order of `spec.depends_on`.
    pub(crate) edges: Arc<[Edge]>,
    /// Readiness and liveness; rises when the check changes in place.
    pub(crate) versions: [ProbeVersion; 2],
}

impl fmt::Debug for RevSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?} {:?}", self.generation, self.spec.revision, self.versions, self.edges)
    }
}

impl RevSet {
    pub(crate) fn check(&self, role: Role) -> Option<&spec::Health> {
        match role {
            Role::Readiness => self.spec.health.as_ref(),
            Role::Liveness => self.spec.liveness.as_ref(),
        }
    }

    pub(crate) const fn version(&self, role: Role) -> ProbeVersion {
        self.versions[role_index(role)]
    }

    /// Ready means something only after the end: a oneshot without a check.
    pub(crate) fn ready_at_end(&self) -> bool {
        self.spec.kind == spec::Kind::Oneshot && self.spec.health.is_none()
    }
}

pub(crate) const fn role_index(role: Role) -> usize {
    match role {
        Role::Readiness => 0,
        Role::Liveness => 1,
    }
}

/// A replacement under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rollout {
    /// The set it began with: it is kept to turn back to.
    pub(crate) from: Gen,
    pub(crate) stage: Stage,
}

/// How far a replacement is. Trial, provision, switch and watch come with their strategies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Old seats go as new ones become available.
    Roll,
}

/// Where an instance's checks stand, per role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    /// The version that is being probed, if any is.
    pub(crate) probing: Option<ProbeVersion>,
    pub(crate) run: Run,
    /// The last verdict and when it came.
    pub(crate) last: Option<(Verdict, Moment)>,
}

/// A live instance that has started.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) inst: InstanceId,
    pub(crate) since: Moment,
    /// Ready since then, without a break.
    pub(crate) ready_since: Option<Moment>,
    /// It has been ready.
    pub(crate) was_ready: bool,
    /// Its liveness check fails.
    pub(crate) sick: bool,
    /// By role.
    pub(crate) checks: [Checked; 2],
    /// Dependencies with an `onFailure` that were ready while it ran, by their number in the set's list.
    pub(crate) leans: Vec<u32>,
}

/// Where a seat is.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// Nothing there.
    Idle,
    /// A start was asked for.
    Starting {
        inst: InstanceId,
        /// The start went wrong in an unknown way: it is killed.
        doomed: bool,
    },
    /// It runs.
    Running(Box<Live>),
    /// It was asked to end.
    Stopping {
        inst: InstanceId,
        started: Option<Moment>,
        kill_at: Moment,
        killed: bool,
        /// Only an earlier engine gave the order: it may never have been carried out. Not remembered.
        owed: bool,
    },
    /// The next try waits.
    Backoff { until: Moment },
    /// There will be no other try.
    Halted { completed: bool },
}

impl Phase {
    /// The instance that exists or may exist.
    pub(crate) const fn live(&self) -> Option<InstanceId> {
        match self {
            Self::Starting { inst, .. } | Self::Stopping { inst, .. } => Some(*inst),
            Self::Running(live) => Some(live.inst),
            Self::Idle | Self::Backoff { .. } | Self::Halted { .. } => None,
        }
    }
}

/// Why the instance of a seat is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leave {
    /// With its seat.
    Retire,
    /// For another one in the same seat.
    Recycle(Why),
}

/// Whether a start waits for admission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ticket {
    /// It does not.
    None,
    /// In the queue since then.
    Queued(Moment, LaneNo),
    /// Its turn has come.
    Granted(LaneNo),
}

/// A replica's seat in a set.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) key: SlotKey,
    pub(crate) phase: Phase,
    pub(crate) leave: Option<Leave>,
    /// Restarts that count against `maxRetries`.
    pub(crate) attempts: u32,
    /// Ports lost to strangers in a row.
    pub(crate) ports_lost: u32,
    /// The next start is a restart.
    pub(crate) again: bool,
    /// This try's restart stands in the totals, whatever becomes of the try.
    pub(crate) counted: bool,
    pub(crate) ticket: Ticket,
    /// All restarts of this seat.
    pub(crate) restarts: u64,
    /// Some instance of this seat has existed.
    pub(crate) born: bool,
    pub(crate) run: u32,
    pub(crate) last_inst: Option<InstanceId>,
    pub(crate) ended: Option<Ended>,
    /// What ended the last try, for messages.
    pub(crate) reason: Option<Arc<str>>,
    /// It may differ from what was last given to be remembered.
    pub(crate) touched: bool,
}

impl Slot {
    pub(crate) const fn new(key: SlotKey) -> Self {
        Self {
            key,
            phase: Phase::Idle,
            leave: None,
            attempts: 0,
            ports_lost: 0,
            again: false,
            counted: false,
            ticket: Ticket::None,
            restarts: 0,
            born: false,
            run: 0,
            last_inst: None,
            ended: None,
            reason: None,
            touched: true,
        }
    }

    pub(crate) const fn running(&self) -> Option<&Live> {
        match &self.phase {
            Phase::Running(live) => Some(live),
            _ => None,
        }
    }

    /// Its own checks say so now.
    pub(crate) fn ready(&self) -> bool {
        self.running().is_some_and(|live| live.ready_since.is_some())
    }

    /// It ended well, and for good.
    pub(crate) const fn completed(&self) -> bool {
        matches!(self.phase, Phase::Halted { completed: true })
    }

    pub(crate) const fn retired(&self) -> bool {
        matches!(self.leave, Some(Leave::Retire))
    }
}

/// A wait at a gate, from when its first seat came there to when none is there any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Block {
    pub(crate) dep: ServiceIx,
    pub(crate) since: Moment,
    /// It was reported.
    pub(crate) told: bool,
}

/// Everything about one service.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) name: ServiceName,
    pub(crate) goal: Goal,
    /// It is in the wanted stack. Removed is not a goal.
    pub(crate) listed: bool,
    /// Removed and empty.
    pub(crate) gone: bool,
    /// `Command::Kill` came after the last start.
    pub(crate) killing: bool,
    pub(crate) replicas: u32,
    /// By generation; the target is among them.
    pub(crate) sets: Vec<RevSet>,
    pub(crate) target: Gen,
    pub(crate) next_gen: u32,
    pub(crate) rollout: Option<Rollout>,
    /// By key.
    pub(crate) slots: Vec<Slot>,
    /// Dependents stand above what they depend on: the longest way down.
    pub(crate) rank: u32,
    /// All dependencies of all sets, sorted.
    pub(crate) edges: Vec<ServiceIx>,
    /// The services that have this one among their `edges`, sorted.
    pub(crate) dependents: Vec<ServiceIx>,
    pub(crate) face: Face,
    pub(crate) block: Option<Block>,
    /// It was ready since it was last wanted up.
    pub(crate) was_ready: bool,
    /// It had a seat since it was last wanted up: its end is worth telling.
    pub(crate) was_up: bool,
    pub(crate) restarts: u64,
    /// The highest run by replica number.
    pub(crate) runs: Vec<u32>,
    pub(crate) first_seen: Moment,
    pub(crate) last_event: Moment,
    pub(crate) ended: Option<Ended>,
    pub(crate) wake: Option<Moment>,
    pub(crate) dirty: bool,
    /// It may differ from what was last given to be remembered.
    pub(crate) touched: bool,
    /// `decide` panicked; what it said.
    pub(crate) broken: Option<Arc<str>>,
}

impl Unit {
    pub(crate) fn slot(&self, key: SlotKey) -> Option<&Slot> {
        self.slots.binary_search_by_key(&key, |s| s.key).ok().map(|i| &self.slots[i])
    }

    /// To be changed. What nobody needs to remember is changed by another way.
    pub(crate) fn slot_mut(&mut self, key: SlotKey) -> Option<&mut Slot> {
        let slot = self.slots.binary_search_by_key(&key, |s| s.key).ok().map(|i| &mut self.slots[i])?;
        slot.touched = true;
        Some(slot)
    }

    pub(crate) fn set(&self, generation: Gen) -> Option<&RevSet> {
        self.sets.iter().find(|s| s.generation == generation)
    }

    /// The set that is wanted. Sets are only forgotten when they are not the target.
    pub(crate) fn target_set(&self) -> &RevSet {
        self.set(self.target).unwrap_or(&self.sets[self.sets.len() - 1])
    }

    pub(crate) fn spec(&self) -> &Arc<spec::Service> {
        &self.target_set().spec
    }

    pub(crate) fn any_live(&self) -> bool {
        self.slots.iter().any(|s| s.phase.live().is_some())
    }

    pub(crate) fn note_end(&mut self, key: SlotKey, exit: Exit, at: Moment) {
        let ended = Some(Ended { exit, at });
        self.ended = ended;
        if let Some(slot) = self.slot_mut(key) {
            slot.ended = ended;
        }
    }
}
