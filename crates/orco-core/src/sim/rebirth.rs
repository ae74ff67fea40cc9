//! How a session goes on when its engine, the keeper or the machine has died.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Blow, Chance, Crash, Point, Session, Violation,
    shell::{Checkpoint, Recorded},
};
use crate::{
    brain::{Action, Brain, Plant, Turn},
    journal::Change,
    model::{Fact, Gen, InstanceId, InstanceView, Moment, Seat, ServiceView, SlotKey},
};

impl Session {
    /// Before anything is booked: what may have to be taken back is kept.
    pub(super) fn prepare(&mut self) {
        match self.shell.must_keep(self.now) {
            None => {}
            Some(false) => self.shell.forget(),
            Some(true) => {
                let (ledger, operator, judge) = (&self.ledger, &self.operator, &self.judge);
                self.shell.keep(|| Checkpoint {
                    ledger: ledger.clone(),
                    operator: operator.clone(),
                    judge: judge.clone(),
                });
            }
        }
        if let Some(news) = self.shell.news.take() {
            self.note(|_| news);
        }
    }

    /// Something dies at once. In a story nothing that was written is lost.
    ///
    /// # Errors
    /// The broken promise.
    pub fn die(&mut self, blow: Blow, away: Duration) -> Result<(), Violation> {
        self.prepare();
        let turn = self.brain.turn(self.now);
        let point = Point::Written(1000);
        self.shell.sync();
        self.struck(&Crash { at: self.now, blow, point, busy: false, away, stranger: false }, turn)
    }

    /// No crash and no outage from now on.
    pub fn heal(&mut self) {
        self.shell.heal();
        self.world.heal(self.now);
    }

    /// A crash that is to come; its moment counts from now.
    pub fn expect(&mut self, mut crash: Crash) {
        crash.at = self.now + crash.at.since(Moment::ZERO) + self.shell.booted;
        self.shell.slept = Duration::ZERO;
        self.shell.crashes.push_back(crash);
    }

    fn changes(&mut self) -> Vec<Change> {
        if self.shell.disk.is_none() {
            return Vec::new();
        }
        let changes = self.brain.changes().into_iter();
        changes.map(|change| Change { key: change.key, value: change.value }).collect()
    }

    /// Writes down what was decided. What must wait for that is held back.
    pub(super) fn record(&mut self, actions: Vec<Action>) -> Recorded {
        let changes = self.changes();
        let recorded = self.shell.record(changes, actions);
        for start in &recorded.taken_back {
            if let Action::Start { at, inst, .. } = start {
                let why = "stopped before its start".into();
                self.world.tell(self.now, Fact::StartFailed { at: *at, inst: *inst, why, certain: true });
            }
        }
        recorded
    }

    /// Their ends are recorded: the keeper need not keep them.
    pub(super) fn forget_ended(&mut self, ended: &[InstanceId]) {
        for inst in ended {
            self.world.recorded(*inst);
        }
    }

    /// The crash comes in this turn.
    pub(super) fn struck(&mut self, crash: &Crash, turn: Turn) -> Result<(), Violation> {
        self.note(|_| crash.to_string());
        match crash.point {
            Point::Unwritten { torn, stops } if crash.blow != Blow::Keeper => {
                if torn {
                    let changes = self.changes();
                    if let Some(disk) = &mut self.shell.disk {
                        disk.tear(changes);
                    }
                }
                let sent = |action: &Action| match action {
                    Action::Stop { .. } | Action::Kill { .. } => stops,
                    Action::Start { .. } => self.shell.plant == Some(Plant::IntentUnwritten),
                    Action::Probe { .. } | Action::Unprobe { .. } => false,
                };
                let sent = turn.actions.into_iter().filter(sent).collect();
                self.carry_out(sent);
                self.reborn(crash)
            }
            Point::Unwritten { .. } | Point::Written(_) => {
                self.book(&turn)?;
                let mut recorded = self.record(turn.actions);
                if let (Point::Written(share), true) = (crash.point, crash.blow != Blow::Keeper) {
                    let some = recorded.actions.len() * usize::try_from(share).unwrap_or(0) / 1000;
                    recorded.actions.truncate(some);
                    recorded.ended.truncate(some);
                }
                self.forget_ended(&recorded.ended);
                self.carry_out(recorded.actions);
                self.shell.turned();
                if crash.blow == Blow::Keeper {
                    self.world.keeper_died(self.now, Some(crash.away));
                    return Ok(());
                }
                self.reborn(crash)
            }
        }
    }

    /// The next engine takes over.
    fn reborn(&mut self, crash: &Crash) -> Result<(), Violation> {
        match crash.blow {
            Blow::Engine | Blow::Keeper => self.world.engine_died(),
            Blow::Both => {
                self.world.keeper_died(self.now, None);
                self.world.engine_died();
            }
            Blow::Machine => self.world.machine_down(),
        }
        let machine = crash.blow == Blow::Machine;
        self.shell.owes_new_life |= machine;
        let mut cut = Chance::new(&[self.turns.into(), self.now.as_micros()]);
        let kept = self.shell.reopen(machine.then_some(&mut cut));
        if let Some(kept) = kept.map_err(|what| self.violated("I4 what is written is found again", what))? {
            (self.ledger, self.operator, self.judge) = (kept.ledger, kept.operator, kept.judge);
        }
        let undisturbed = self.judge.undisturbed(self.scene());
        if machine {
            // The clock of machines counts from their start.
            self.shell.booted += self.now.since(Moment::ZERO);
            self.now = Moment::ZERO;
            self.operator.rebooted();
            self.ledger.rebooted();
            self.judge.rebooted();
        }
        self.now = self.now + crash.away;
        let mut lost = Vec::new();
        self.world.advance(self.now, &mut lost);
        self.world.keeper_begins();
        if crash.stranger && !machine {
            self.intrude();
        }
        // The next crash may come before any of this is written.
        self.prepare();
        self.restore(machine)?;
        if self.shell.owes_new_life {
            // Whatever bears the stack's name is not ours.
            self.world.unheard_from();
            for stranger in self.world.list() {
                self.world.reap(stranger, self.now);
            }
            self.brain.new_life(self.now);
            let snapshot = self.brain.snapshot(self.now);
            self.ledger.new_life(&snapshot, self.now);
        } else {
            self.recover()?;
        }
        self.judge.reborn(self.now, undisturbed);
        self.note(|_| "REBORN".to_owned());
        Ok(())
    }

    /// A brain out of what the disk holds.
    fn restore(&mut self, machine: bool) -> Result<(), Violation> {
        if machine {
            // The mark of the numbers that were used may be lost, so a new engine never draws from the same ones.
            self.shell.seed += 1 << 64;
        }
        let config = self.shell.config();
        let Some(disk) = &self.shell.disk else { return Ok(()) };
        let restored = Brain::restore(config, disk.entries(), self.now);
        let mut brain = restored.map_err(|error| self.violated("what is remembered can be read", error.to_string()))?;
        if let Some(bug) = self.shell.plant {
            brain.plant(bug);
        }
        self.brain = brain;
        Ok(())
    }

    /// What reality says: who is there is adopted, whoever nobody knows is ended.
    fn recover(&mut self) -> Result<(), Violation> {
        let mut found = self.world.list();
        let remembered = self.brain.remembered();
        self.world.unheard_from();
        // Unknown is not dead.
        let unheard: BTreeSet<InstanceId> =
            remembered.iter().filter(|one| self.world.is_unheard(&one.service)).map(|one| one.inst).collect();
        if self.shell.plant != Some(Plant::UnlistedStartedAgain) {
            found.extend(&unheard);
        }
        let strangers = self.brain.recovered(&found, self.now);
        self.judge.recovered(self.scene(), &found, &strangers)?;
        self.ledger.adopted(&found, self.now);
        for one in remembered.iter().filter(|one| found.contains(&one.inst)) {
            if unheard.contains(&one.inst) {
                self.world.adopt_unheard(one, self.now);
            } else {
                self.world.adopt(one.at, one.inst, self.now);
            }
        }
        if self.shell.plant != Some(Plant::StrangerSpared) {
            for stranger in strangers {
                self.world.reap(stranger, self.now);
            }
        }
        Ok(())
    }

    /// Somebody starts something in the stack's name.
    fn intrude(&mut self) {
        let Some(wish) = self.operator.wishes.values().next() else { return };
        let Some(ix) = self.brain.ix(wish.service.name.as_str()) else { return };
        let slot = SlotKey { generation: Gen(0), replica: 0 };
        let inst = InstanceId(u128::from(self.turns) << 8 | 0xff);
        let service = wish.service.clone();
        self.world.intrude(Seat { service: ix, slot }, inst, &service, self.now);
    }

    /// What all changes add up to is what a scan of everything gives, and a brain restored from it is the same.
    ///
    /// # Errors
    /// The broken promise.
    pub(super) fn compare(&self) -> Result<(), Violation> {
        let Some(disk) = self.shell.disk.as_ref().filter(|_| !self.shell.is_behind()) else { return Ok(()) };
        let whole = self.brain.durable();
        let mut held = disk.entries();
        let mut differs = whole.iter().filter_map(|(key, value)| {
            let other = held.next();
            (other != Some((&**key, &**value)))
                .then(|| format!("{key} is {}, written is {other:?}", String::from_utf8_lossy(value)))
        });
        if let Some(what) = differs.next() {
            return Err(self.violated("every change is given", what));
        }
        drop(differs);
        if let Some((key, _)) = held.next() {
            return Err(self.violated("every change is given", format!("{key} is written, and is no more")));
        }
        let restored = Brain::restore(self.shell.config(), disk.entries(), self.now);
        let restored = restored.map_err(|error| self.violated("what is remembered can be read", error.to_string()))?;
        if restored.durable() != whole {
            return Err(self.violated("the restored is the same", "it would write other entries"));
        }
        let (one, other) = (shown(&self.brain, self.now), shown(&restored, self.now));
        match one.iter().zip(&other).find(|(one, other)| one != other) {
            Some((one, other)) => Err(self.violated("the restored is the same", format!("{one} is now {other}"))),
            None => Ok(()),
        }
    }
}

/// What a brain shows, but for what only probes can say.
fn shown(brain: &Brain, now: Moment) -> Vec<String> {
    let snapshot = brain.snapshot(now);
    let service = |s: &ServiceView| {
        let seat = |i: &InstanceView| {
            format!(
                "{}{:?} {:?} {} {:?} {} {:?} {} {:?}",
                i.replica, i.generation, i.id, i.run, i.state, i.ready, i.started_at, i.restarts, i.exit
            )
        };
        let seats: Vec<String> = s.instances.iter().map(seat).collect();
        format!(
            "{} {:?} ready {} of {} restarts {} changing {} wanted {} {:?} [{}]",
            s.name,
            s.state,
            s.ready_replicas,
            s.replicas,
            s.restarts,
            s.changing,
            s.wanted,
            s.exit,
            seats.join(", ")
        )
    };
    snapshot.services.iter().map(service).collect()
}
