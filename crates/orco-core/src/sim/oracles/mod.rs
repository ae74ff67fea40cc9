//! The checks. Each reads the world, the ledger and the operator's wishes, and judges what the brain
//! decides and says; none asks the brain whether it is right.

mod crash;
mod gate;
mod issue;
mod order;
mod pace;
mod quiet;
mod reason;
mod rest;
mod retry;
mod truth;

pub use rest::unrest;

use reason::reasons;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Ledger, Life, Operator, Wish, World};
use crate::{
    brain::{Action, Brain, Step, Turn},
    model::{InstanceId, Moment, Seat, ServiceIx, ServiceName},
    spec::{Amount, Kind, Require},
};

/// A broken promise.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{rule} at {at:?}: {what}")]
pub struct Violation {
    /// Which promise.
    pub rule: &'static str,
    /// What happened.
    pub what: String,
    /// When.
    pub at: Moment,
}

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// For names and what it says of itself.
    pub brain: &'a Brain,
    /// The truth.
    pub world: &'a World,
    /// What facts tell.
    pub ledger: &'a Ledger,
    /// What is wanted.
    pub operator: &'a Operator,
    /// Now.
    pub now: Moment,
}

impl Scene<'_> {
    fn broken(&self, rule: &'static str, what: String) -> Violation {
        Violation { rule, what, at: self.now }
    }

    /// The wish for a service, `None` where it is not in the stack.
    fn wish(&self, ix: ServiceIx) -> Option<&Wish> {
        self.operator.wishes.get(self.brain.name(ix))
    }

    fn kind(&self, ix: ServiceIx) -> Option<Kind> {
        self.wish(ix).map(|w| w.service.kind)
    }

    fn label(&self, at: Seat) -> String {
        format!("{}/{} ({:?})", self.brain.name(at.service), at.slot.replica, at.slot.generation)
    }

    /// How many starts of this container engine nobody has answered.
    fn unanswered(&self, runtime: &str) -> usize {
        let lives = self.ledger.live.values().flatten().filter_map(|inst| self.ledger.lives.get(inst));
        let open = |life: &&Life| {
            let asked_away = life.stop.is_some() || life.kill.is_some();
            life.started.is_none() && !life.unclear && !asked_away
        };
        lives.filter(|l| l.service.image.is_some() && l.service.runtime == runtime).filter(open).count()
    }

    fn done_of(&self, ix: ServiceIx) -> usize {
        self.ledger
            .seats_of(ix)
            .filter(|(slot, _)| self.ledger.done.contains_key(&Seat { service: ix, slot: *slot }))
            .count()
    }

    /// How many must be ready for the service to be Ready: all but `maxUnavailable`, at least one.
    fn need(&self, ix: ServiceIx) -> usize {
        self.wish(ix).map_or(1, |wish| {
            let missing = share(wish.service.update.max_unavailable, wish.replicas, false);
            usize::try_from(wish.replicas.saturating_sub(missing).max(1)).unwrap_or(1)
        })
    }

    /// Enough of its replicas are ready, whether it is wanted or not.
    fn is_ready(&self, ix: ServiceIx) -> bool {
        let ready = match self.kind(ix) {
            Some(Kind::Oneshot) => self.ledger.serving(ix) + self.done_of(ix),
            // A daemon's health gates nobody.
            Some(Kind::Daemon) => self
                .ledger
                .live_of(ix)
                .filter(|(_, life)| life.started.is_some() && life.stop.is_none() && life.kill.is_none())
                .count(),
            Some(Kind::Service) | None => self.ledger.serving(ix),
        };
        ready >= self.need(ix)
    }

    /// Whether a requirement can be said to hold, under the kindest reading.
    fn may_hold(&self, ix: ServiceIx, require: Require) -> bool {
        let done = self.done_of(ix);
        let started = self.ledger.live_of(ix).filter(|(_, life)| life.started.is_some() && life.over.is_none()).count();
        let wanted = self.wish(ix).is_none_or(|wish| wish.up);
        match require {
            Require::Exists => wanted && self.ledger.seats_of(ix).any(|(_, chair)| chair.born),
            Require::Started => wanted && (started > 0 || (self.kind(ix) == Some(Kind::Oneshot) && done > 0)),
            Require::Ready => wanted && self.is_ready(ix),
            Require::Completed => wanted && done >= self.need(ix),
        }
    }
}

/// A number or a share of `of`; percentages round up or down.
fn share(amount: Amount, of: u32, up: bool) -> u32 {
    match amount {
        Amount::Count(count) => count,
        Amount::Percent(percent) => (of * percent + if up { 99 } else { 0 }) / 100,
    }
}

/// The judge: the checks and what they remember.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    pub(super) quiet: bool,
    limit: u32,
    restarts: VecDeque<Moment>,
    runs: BTreeMap<(ServiceName, u32), u32>,
    ids: BTreeSet<InstanceId>,
    totals: BTreeMap<ServiceName, u64>,
    /// Instances that ran while a dependency with an `onFailure` was ready.
    leaned: BTreeSet<(InstanceId, ServiceIx)>,
    floors: BTreeMap<ServiceName, quiet::Floor>,
    /// When the present engine took over, if it is not the first.
    reborn: Option<Moment>,
    /// Those that its first turn must leave alone.
    undisturbed: BTreeSet<InstanceId>,
    /// Services whose container engine is away.
    away: BTreeMap<ServiceName, reason::Away>,
    /// How many ends of a replica were told.
    ends: BTreeMap<(ServiceIx, u32), u32>,
}

impl Judge {
    /// A judge for a brain with this many restarts per second.
    pub fn new(quiet: bool, restarts_per_second: u32) -> Self {
        Self { quiet, limit: restarts_per_second, ..Self::default() }
    }

    /// Judges one decision before it is booked.
    ///
    /// # Errors
    /// The promise it breaks.
    pub fn step(&mut self, scene: Scene<'_>, ix: ServiceIx, step: &Step) -> Result<(), Violation> {
        self.pace(scene, ix, step)?;
        reasons(scene, ix, step)?;
        self.yields(scene, ix, step)
    }

    /// Judges one action before it is booked.
    ///
    /// # Errors
    /// The promise it breaks.
    pub fn action(&mut self, scene: Scene<'_>, action: &Action) -> Result<(), Violation> {
        self.identity(scene, action)?;
        match action {
            Action::Start { at, service, .. } => {
                self.gate(scene, *at, service)?;
                self.retry(scene, *at, service)
            }
            Action::Stop { at, inst, .. } => self.order(scene, *at, *inst, false),
            Action::Kill { at, inst } => self.order(scene, *at, *inst, true),
            Action::Probe { .. } | Action::Unprobe { .. } => Ok(()),
        }
    }

    /// Judges a whole turn after it was booked.
    ///
    /// # Errors
    /// The promise it breaks.
    pub fn turn(&mut self, scene: Scene<'_>, turn: &Turn) -> Result<(), Violation> {
        self.work(scene, turn)?;
        self.peaceful(scene, turn)?;
        self.ends(scene, turn)?;
        self.told(scene, turn)?;
        self.calm_news(scene, turn)?;
        self.leaning(scene)?;
        self.downtime(scene)
    }
}
