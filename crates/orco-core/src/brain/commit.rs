//! Carries out steps: the only writer of the state besides `apply`.

use std::sync::Arc;

use super::{
    Action, Brain, Step, Why,
    fact::forgive,
    hash,
    plant::Plant,
    state::{Because, Block, Goal, Leave, Phase, Slot, role_index},
    tell::Told,
};
use crate::{
    model::{EventData, EventKind, InstanceId, Moment, Role, Seat, ServiceIx, SlotKey},
    policy::health::Run,
};

impl Brain {
    /// Changes the state as the step says; actions go into `out`.
    pub(super) fn commit(&mut self, ix: ServiceIx, step: Step, now: Moment, out: &mut Vec<Action>) {
        self.touch(ix);
        match step {
            Step::Create(key) => self.create(ix, key),
            Step::Retire(key) => self.with_slot(ix, key, |slot| slot.leave = Some(Leave::Retire)),
            Step::Recycle(key, why) => self.recycle(ix, key, why),
            Step::Drop(key) => self.drop_seat(ix, key, now),
            Step::Queue(key) => self.queue(ix, key, now),
            Step::Unqueue(key) => self.unqueue(ix, key),
            Step::Start(key) => self.start(ix, key, now, out),
            Step::Probe(key, role) => self.probe(ix, key, role, out),
            Step::Unprobe(key, role) => self.unprobe(ix, key, role, out),
            Step::Stop(key) => self.stop(ix, key, now, out),
            Step::Kill(key) => self.kill(ix, key, now, out),
            Step::Repeat(key) => self.repeat(ix, key, out),
            Step::Lean(key, number) => self.with_slot(ix, key, |slot| {
                if let Phase::Running(live) = &mut slot.phase {
                    live.leans.push(number);
                }
            }),
            Step::Yield(dep) => self.yield_to(ix, dep),
            Step::Block(dep) => {
                let block = &mut self.units[ix.index()].block;
                let since = block.map_or(now, |b| b.since);
                *block = Some(Block { dep, since, told: false });
            }
            Step::Tell(dep) => self.blocked(ix, dep, now),
            Step::Unblock => self.units[ix.index()].block = None,
            Step::Done => {
                self.units[ix.index()].rollout = None;
                self.tell(ix, now, Told::new(EventKind::UpdatePhase, "replacement done"));
            }
            Step::Forget(generation) => {
                self.units[ix.index()].sets.retain(|set| set.generation != generation);
                self.relink(ix);
            }
            Step::Settle => {
                let unit = &mut self.units[ix.index()];
                unit.rollout = None;
                let target = unit.target;
                unit.sets.retain(|set| set.generation == target);
                self.relink(ix);
            }
            Step::Gone => {
                self.units[ix.index()].gone = true;
                self.relink(ix);
            }
        }
    }

    fn with_slot(&mut self, ix: ServiceIx, key: SlotKey, change: impl FnOnce(&mut Slot)) {
        match self.units[ix.index()].slot_mut(key) {
            Some(slot) => change(slot),
            None => debug_assert!(false, "a step for a seat that does not exist: {ix:?} {key:?}"),
        }
    }

    fn create(&mut self, ix: ServiceIx, key: SlotKey) {
        let unit = &mut self.units[ix.index()];
        unit.was_up = true;
        match unit.slots.binary_search_by_key(&key, |slot| slot.key) {
            Ok(_) => debug_assert!(false, "a seat is made twice: {ix:?} {key:?}"),
            Err(at) => unit.slots.insert(at, Slot::new(key)),
        }
    }

    fn recycle(&mut self, ix: ServiceIx, key: SlotKey, why: Why) {
        let reason: Arc<str> = match why {
            Why::Liveness => self.said(ix, key, Role::Liveness, "liveness"),
            Why::StartTimeout => self.said(ix, key, Role::Readiness, "not ready in time"),
            Why::StartUnknown => "the outcome of its start is unknown".into(),
            Why::Dependency(dep) => format!("dependency {} not Ready", self.units[dep.index()].name).into(),
        };
        self.with_slot(ix, key, |slot| {
            slot.leave = Some(Leave::Recycle(why));
            slot.reason = Some(reason);
        });
    }

    /// What a probe last said of an instance, behind a prefix.
    fn said(&self, ix: ServiceIx, key: SlotKey, role: Role, prefix: &str) -> Arc<str> {
        let slot = self.units[ix.index()].slot(key);
        match slot.and_then(Slot::running).and_then(|live| live.checks[role_index(role)].last.as_ref()) {
            Some((verdict, _)) => format!("{prefix}: {verdict}").into(),
            None => prefix.into(),
        }
    }

    fn drop_seat(&mut self, ix: ServiceIx, key: SlotKey, now: Moment) {
        self.unqueue(ix, key);
        let unit = &mut self.units[ix.index()];
        unit.slots.retain(|slot| slot.key != key);
        self.weigh_again();
        let unit = &mut self.units[ix.index()];
        let left = unit.slots.is_empty() && unit.was_up;
        if left && self.view(ix).leaving() {
            let unit = &mut self.units[ix.index()];
            unit.was_up = false;
            let told = Told::new(EventKind::ServiceStopped, "stopped");
            let told = match &unit.goal {
                Goal::Down(Because::Dependency(reason)) => told.because(reason.clone()),
                Goal::Down(Because::User | Because::Never) | Goal::Up => told,
            };
            self.tell(ix, now, told);
        }
    }

    fn start(&mut self, ix: ServiceIx, key: SlotKey, now: Moment, out: &mut Vec<Action>) {
        self.unqueue(ix, key);
        let retire_undone = self.plants.has(Plant::RetireUndone);
        self.instances += 1;
        self.reserve();
        let inst = hash::instance(self.config.seed, self.instances);
        let unit = &mut self.units[ix.index()];
        let replica = key.replica as usize;
        if unit.runs.len() <= replica {
            unit.runs.resize(replica + 1, 0);
        }
        unit.runs[replica] += 1;
        let run = unit.runs[replica];
        let Some(service) = unit.set(key.generation).map(|set| set.spec.clone()) else { return };
        let Some(slot) = unit.slot_mut(key) else { return };
        let again = std::mem::take(&mut slot.again);
        let counts = again && !slot.counted;
        slot.counted = again;
        slot.restarts += u64::from(counts);
        slot.run = run;
        slot.last_inst = Some(inst);
        slot.phase = Phase::Starting { inst, doomed: false };
        if retire_undone {
            slot.leave = None;
        }
        unit.restarts += u64::from(counts);
        if again {
            self.admission.started(now);
        }
        let at = Seat { service: ix, slot: key };
        self.admission.enter(&service, at, inst);
        out.push(Action::Start { at, inst, run, service });
        self.tell(ix, now, Told::new(EventKind::ServiceStarting, "starting").of(key.replica));
    }

    fn probe(&mut self, ix: ServiceIx, key: SlotKey, role: Role, out: &mut Vec<Action>) {
        let unit = &mut self.units[ix.index()];
        let Some(set) = unit.set(key.generation) else { return };
        let (Some(health), version) = (set.check(role).cloned(), set.version(role)) else { return };
        let Some(Phase::Running(live)) = unit.slot_mut(key).map(|slot| &mut slot.phase) else { return };
        let check = &mut live.checks[role_index(role)];
        check.probing = Some(version);
        check.run = Run::default();
        let at = Seat { service: ix, slot: key };
        out.push(Action::Probe { at, inst: live.inst, role, version, health });
    }

    fn unprobe(&mut self, ix: ServiceIx, key: SlotKey, role: Role, out: &mut Vec<Action>) {
        self.with_slot(ix, key, |slot| {
            if let Phase::Running(live) = &mut slot.phase {
                live.checks[role_index(role)] = super::state::Checked::default();
                out.push(Action::Unprobe { inst: live.inst, role });
            }
        });
    }

    fn stop(&mut self, ix: ServiceIx, key: SlotKey, now: Moment, out: &mut Vec<Action>) {
        let kill_at_once = self.plants.has(Plant::KillAtOnce);
        let Some(stop) = self.units[ix.index()].set(key.generation).map(|set| set.spec.stop) else { return };
        let Some((inst, reason)) = self.begin_end(ix, key, now, now + stop.timeout, false) else { return };
        let at = Seat { service: ix, slot: key };
        out.push(Action::Stop { at, inst, signal: stop.signal });
        if kill_at_once {
            out.push(Action::Kill { at, inst });
        }
        let told = Told::new(
            EventKind::ServiceStopping,
            reason.clone().map_or("stopping".into(), |r| Arc::<str>::from(format!("stopping: {r}"))),
        );
        let told = told.of(key.replica);
        self.tell(
            ix,
            now,
            match reason {
                Some(reason) => told.because(reason),
                None => told,
            },
        );
    }

    fn kill(&mut self, ix: ServiceIx, key: SlotKey, now: Moment, out: &mut Vec<Action>) {
        let late = matches!(self.units[ix.index()].slot(key).map(|s| &s.phase), Some(Phase::Stopping { .. }));
        let Some((inst, _)) = self.begin_end(ix, key, now, Moment::MAX, true) else { return };
        out.push(Action::Kill { at: Seat { service: ix, slot: key }, inst });
        let message = if late { "did not stop in time: killed" } else { "killed" };
        self.tell(ix, now, Told::new(EventKind::ServiceStopping, message).of(key.replica));
    }

    fn repeat(&mut self, ix: ServiceIx, key: SlotKey, out: &mut Vec<Action>) {
        let unit = &mut self.units[ix.index()];
        let Some(signal) = unit.set(key.generation).map(|set| set.spec.stop.signal) else { return };
        let Some(Phase::Stopping { inst, killed, owed, .. }) = unit.slot_mut(key).map(|slot| &mut slot.phase) else {
            return;
        };
        *owed = false;
        let (at, inst) = (Seat { service: ix, slot: key }, *inst);
        out.push(if *killed { Action::Kill { at, inst } } else { Action::Stop { at, inst, signal } });
    }

    /// The instance is on its way out; with its seat, unless it was to be recycled. Returns it with the reason
    /// of a recycling.
    fn begin_end(
        &mut self,
        ix: ServiceIx,
        key: SlotKey,
        now: Moment,
        kill_at: Moment,
        killed: bool,
    ) -> Option<(InstanceId, Option<Arc<str>>)> {
        let leaving = self.view(ix).leaving();
        if !self.plants.has(Plant::NoReset) {
            forgive(&mut self.units[ix.index()], key, now);
        }
        let slot = self.units[ix.index()].slot_mut(key)?;
        let inst = slot.phase.live()?;
        let started = match &slot.phase {
            Phase::Running(live) => Some(live.since),
            Phase::Stopping { started, .. } => *started,
            _ => None,
        };
        slot.phase = Phase::Stopping { inst, started, kill_at, killed, owed: false };
        if leaving || slot.leave.is_none() {
            slot.leave = Some(Leave::Retire);
        }
        let recycled = matches!(slot.leave, Some(Leave::Recycle(_)));
        Some((inst, slot.reason.clone().filter(|_| recycled)))
    }

    fn yield_to(&mut self, ix: ServiceIx, dep: ServiceIx) {
        let reason: Arc<str> = format!("stopped: dependency {} not Ready", self.units[dep.index()].name).into();
        self.units[ix.index()].goal = Goal::Down(Because::Dependency(reason));
    }

    fn blocked(&mut self, ix: ServiceIx, dep: ServiceIx, now: Moment) {
        if let Some(block) = &mut self.units[ix.index()].block {
            block.told = true;
        }
        let edge = self.units[ix.index()].target_set().edges.iter().find(|e| e.to == dep).copied();
        let edge = edge
            .or_else(|| self.units[ix.index()].sets.iter().flat_map(|s| s.edges.iter()).find(|e| e.to == dep).copied());
        let Some(edge) = edge else { return };
        let waiting = self.gate_waiting(ix, &self.units[ix.index()].target_set().edges, &edge, now);
        let message = format!("{} {}", self.units[ix.index()].name, waiting.message(now));
        let name = self.units[dep.index()].name.clone();
        let told = Told::new(EventKind::ServiceBlocked, message).with(EventData::Dependency(name));
        self.tell(ix, now, told);
    }
}
