//! How a session goes on when its engine, the keeper or the machine has died.

use super::{
    Blow, Chance, Crash, Plan, Point, Session, Violation,
    shell::{Checkpoint, Recorded},
};
use crate::{
    brain::{Action, Brain, Plant, Turn},
    journal::Change,
    model::{Fact, InstanceId},
};

impl Session {
    /// Before anything is booked: what may have to be taken back is kept.
    pub(super) fn prepare(&mut self) {
        if self.shell.must_keep(self.now) {
            let (ledger, operator, judge) = (&self.ledger, &self.operator, &self.judge);
            self.shell.keep(|| Checkpoint {
                ledger: ledger.clone(),
                operator: operator.clone(),
                judge: judge.clone(),
            });
        } else {
            self.shell.forget();
        }
    }

    /// No crash and no outage from now on.
    pub fn heal(&mut self) {
        self.shell.heal();
        self.world.heal();
    }

    /// A crash that is to come; its moment counts from now.
    pub fn expect(&mut self, mut crash: Crash) {
        crash.at = self.now + crash.at.since(crate::model::Moment::ZERO);
        self.shell.slept = std::time::Duration::ZERO;
        self.shell.crashes.push_back(crash);
    }

    fn changes(&mut self) -> Vec<Change> {
        if self.shell.disk.is_none() {
            return Vec::new();
        }
        let changes = self.brain.changes().into_iter();
        changes.map(|change| Change { key: change.key.into(), value: change.value.map(|v| v.to_string().into_bytes().into()) }).collect()
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
                if crash.blow == Blow::Keeper {
                    self.world.keeper_died(self.now, Some(crash.away));
                    return Ok(());
                }
                self.reborn(crash)
            }
        }
    }
}
