//! What is around a simulated brain as around a real one: its journal, the starts that wait for their
//! intent, and the crashes to come.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{Blow, Chance, Crash, Failing, Judge, Ledger, Operator, Outage, Plan, Point, disk::Disk};
use crate::{
    brain::{Action, BrainConfig, Plant, Turn},
    journal::Change,
    model::{InstanceId, Moment, ServiceName},
    spec::Service,
};

/// What the checks knew when a batch had been written.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub(super) ledger: Ledger,
    pub(super) operator: Operator,
    pub(super) judge: Judge,
}

/// The shell.
#[derive(Debug, Default)]
pub(super) struct Shell {
    /// `None`: the engine keeps no journal.
    pub(super) disk: Option<Disk>,
    pub(super) crashes: VecDeque<Crash>,
    outages: VecDeque<Outage>,
    /// Until when the disk fails.
    failing: Option<Moment>,
    /// The last batch that is in the file.
    written: u64,
    /// Starts whose intent is not in the file.
    held: Vec<Action>,
    /// Instances whose end was heard since the last write.
    pub(super) ended: Vec<InstanceId>,
    /// A command was taken since the last write.
    pub(super) commanded: bool,
    /// What was booked since the last turn stands apart from what is kept.
    prepared: bool,
    /// A new life began, and that is not written yet.
    pub(super) owes_new_life: bool,
    /// What the disk did, for traces.
    pub(super) news: Option<String>,
    scans: u32,
    /// What may be needed if the engine dies now, by batch.
    checkpoints: Vec<(u64, Checkpoint)>,
    /// How many turns the machine has been about to die.
    fuse: u32,
    /// The seed of the present engine.
    pub(super) seed: u128,
    restarts_per_second: u32,
    /// The highest run of each replica: the names of log files.
    runs: BTreeMap<(ServiceName, u32), u32>,
    /// How long the machine slept: plans know nothing of it.
    pub(super) slept: Duration,
    /// How long earlier boots of the machine lasted: plans count on, the clock does not.
    pub(super) booted: Duration,
    pub(super) plant: Option<Plant>,
}

/// What became of a turn's actions.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// To be carried out now.
    pub(super) actions: Vec<Action>,
    /// Ends that are recorded: the keeper may forget them.
    pub(super) ended: Vec<InstanceId>,
    /// Held starts that were taken back before they began.
    pub(super) taken_back: Vec<Action>,
}

impl Shell {
    /// The shell of a plan. Without crashes there is no journal, as in the foreground.
    pub(super) fn planned(plan: &Plan) -> Self {
        let journalled = !plan.crashes.is_empty() || !plan.outages.is_empty() || plan.parting.is_some();
        Self {
            disk: journalled.then(Disk::new).and_then(Result::ok),
            crashes: plan.crashes.iter().copied().collect(),
            outages: plan.outages.iter().copied().collect(),
            plant: plan.plant,
            seed: u128::from(plan.seed),
            restarts_per_second: plan.restarts_per_second,
            ..Self::default()
        }
    }

    /// A shell with a journal for a session that is told what happens.
    pub(super) fn told(config: &BrainConfig) -> Self {
        Self {
            disk: Disk::new().ok(),
            seed: config.seed,
            restarts_per_second: config.restarts_per_second,
            ..Self::default()
        }
    }

    /// The settings of the next engine.
    pub(super) fn config(&self) -> BrainConfig {
        let mut config = BrainConfig::new(self.seed);
        config.restarts_per_second = self.restarts_per_second;
        config.runs = self.runs.iter().map(|((name, replica), run)| (name.clone(), *replica, *run)).collect();
        config
    }

    /// An instance has a log file from now on.
    pub(super) fn logs(&mut self, service: &Service, replica: u32, run: u32) {
        if self.disk.is_some() {
            let last = self.runs.entry((service.name.clone(), replica)).or_default();
            *last = run.max(*last);
        }
    }

    fn due(&self, now: Moment) -> Option<&Crash> {
        self.crashes.front().filter(|crash| crash.at + self.slept <= now + self.booted)
    }

    /// A crash is about to come.
    pub(super) fn is_armed(&self, now: Moment) -> bool {
        self.due(now).is_some()
    }

    /// The kernel writes back what was written.
    pub(super) fn sync(&mut self) {
        if let Some(disk) = &mut self.disk {
            // In a story the disk is well.
            let _ = disk.sync();
        }
    }

    /// No crash and no outage any more.
    pub(super) fn heal(&mut self) {
        self.crashes.clear();
        self.outages.clear();
        self.fuse = 0;
        if self.failing.take().is_some()
            && let Some(disk) = &mut self.disk
        {
            disk.fail(None);
        }
    }

    /// Commands are refused while nothing can be written.
    pub(super) fn refuses(&self) -> bool {
        self.failing.is_some() && self.is_behind()
    }

    /// When the disk heals, if somebody waits for it.
    pub(super) const fn wake(&self) -> Option<Moment> {
        self.failing
    }

    /// Whether what is booked from now on may have to be taken back; `None`: nothing is to be done. The disk
    /// begins and ceases to fail here.
    pub(super) fn must_keep(&mut self, now: Moment) -> Option<bool> {
        if std::mem::replace(&mut self.prepared, true) {
            return None;
        }
        let disk = self.disk.as_mut()?;
        if self.failing.is_some_and(|until| until <= now) {
            self.failing = None;
            disk.fail(None);
            self.news = Some("DISK well".to_owned());
        }
        if let Some(outage) = self.outages.pop_front_if(|outage| outage.at + self.slept <= now + self.booted) {
            self.news = Some(format!("DISK {:?} for {:?}", outage.how, outage.lasts));
            if outage.how == Failing::Sync {
                disk.fail_sync();
            } else {
                self.failing = Some(now + outage.lasts);
                disk.fail(Some(outage.how));
            }
        }
        let due = self.due(now).copied();
        if due.is_some_and(|crash| crash.blow == Blow::Machine) && self.fuse == 0 && self.failing.is_none() {
            // The kernel may write back whenever it likes; from here on it does not.
            if let Some(disk) = &mut self.disk
                && disk.sync()
            {
                // With it, what could not be written before.
                (self.fuse, self.written) = (1, disk.batch());
            }
        }
        let taken_back = due.is_some_and(|crash| crash.blow == Blow::Machine || crash.point.is_unwritten());
        Some(taken_back || self.failing.is_some() || self.is_behind())
    }

    /// Everything booked so far is decided about.
    pub(super) const fn turned(&mut self) {
        self.prepared = false;
    }

    /// Every so many scans, what is remembered is compared, too.
    pub(super) const fn compares(&mut self) -> bool {
        self.scans += 1;
        self.scans.is_multiple_of(4)
    }

    pub(super) fn is_behind(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.batch() > self.written)
    }

    /// Keeps what is known now, as of the last batch in the file.
    pub(super) fn keep(&mut self, checkpoint: impl FnOnce() -> Checkpoint) {
        let same = self.checkpoints.last().is_some_and(|(batch, _)| *batch == self.written);
        if same && self.is_behind() {
            return;
        }
        if same {
            self.checkpoints.pop();
        }
        self.checkpoints.push((self.written, checkpoint()));
    }

    /// Nothing that was booked will have to be taken back.
    pub(super) fn forget(&mut self) {
        self.checkpoints.clear();
    }

    /// The crash that comes in this turn.
    pub(super) fn strikes(&mut self, turn: &Turn, now: Moment) -> Option<Crash> {
        let crash = *self.due(now)?;
        let busy = !turn.actions.is_empty() || !self.ended.is_empty() || self.commanded;
        if crash.busy && !busy {
            return None;
        }
        if crash.blow == Blow::Machine {
            let turns = if let Point::Written(share) = crash.point { share / 200 } else { 0 };
            if self.fuse == 0 || self.fuse <= turns {
                // At zero nothing was kept yet.
                self.fuse += u32::from(self.fuse > 0);
                return None;
            }
        }
        self.fuse = 0;
        self.crashes.pop_front()
    }

    /// Writes a turn's changes. What must not be done before they are written is held back.
    pub(super) fn record(&mut self, changes: Vec<Change>, actions: Vec<Action>) -> Recorded {
        let Some(disk) = &mut self.disk else {
            return Recorded { actions, ended: std::mem::take(&mut self.ended), ..Recorded::default() };
        };
        let container = |action: &Action| matches!(action, Action::Start { service, .. } if service.image.is_some());
        let durable = std::mem::take(&mut self.commanded) || actions.iter().chain(&self.held).any(container);
        let appended = disk.append(changes);
        if appended {
            self.written = disk.batch();
            self.owes_new_life = false;
        }
        if appended && (!durable || disk.sync()) {
            let mut all = std::mem::take(&mut self.held);
            all.extend(actions);
            return Recorded { actions: all, ended: std::mem::take(&mut self.ended), ..Recorded::default() };
        }
        let mut recorded = Recorded::default();
        for action in actions {
            match action {
                Action::Start { .. } if self.plant != Some(Plant::StartsNotHeld) => self.held.push(action),
                Action::Stop { inst, .. } | Action::Kill { inst, .. } => match self.take_back(inst) {
                    Some(start) => recorded.taken_back.push(start),
                    None => recorded.actions.push(action),
                },
                Action::Start { .. } | Action::Probe { .. } | Action::Unprobe { .. } => recorded.actions.push(action),
            }
        }
        recorded
    }

    fn take_back(&mut self, wanted: InstanceId) -> Option<Action> {
        let at = self.held.iter().position(|held| matches!(held, Action::Start { inst, .. } if *inst == wanted))?;
        Some(self.held.remove(at))
    }

    /// The engine is dead: what the next one finds on the disk, and what the checks knew then (`None`: what
    /// they know now).
    ///
    /// # Errors
    /// What is wrong with the journal.
    pub(super) fn reopen(&mut self, cut: Option<&mut Chance>) -> Result<Option<Checkpoint>, String> {
        let Some(disk) = self.disk.take() else { return Err("no journal".to_owned()) };
        let (was, written, powerless) = (disk.batch(), self.written, cut.is_some());
        let disk = disk.reopen(cut).map_err(|error| error.to_string())?;
        let batch = disk.batch();
        self.disk = Some(disk);
        self.held.clear();
        self.ended.clear();
        (self.commanded, self.failing, self.written, self.fuse, self.prepared) = (false, None, batch, 0, false);
        let kept = std::mem::take(&mut self.checkpoints);
        if batch == was && kept.last().is_none_or(|(newest, _)| *newest < batch) {
            return Ok(None);
        }
        if !powerless && batch != written {
            return Err(format!("batch {written} was written, {batch} is read"));
        }
        let found = kept.into_iter().rev().find(|(kept, _)| *kept == batch).map(|(_, checkpoint)| checkpoint);
        found.map(Some).ok_or(format!("batch {batch} is read, batch {was} was the last, and what was synced is lost"))
    }
}

impl Point {
    /// The turn's decisions are lost.
    pub const fn is_unwritten(self) -> bool {
        matches!(self, Self::Unwritten { .. })
    }
}
