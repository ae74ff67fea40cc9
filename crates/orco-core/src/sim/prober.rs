//! The world's prober: asks instances as the engine does, at the cadence of the check.

use std::time::Duration;

use super::{
    World,
    dock::is_silent,
    world::{Event, Pulse},
};
use crate::{
    model::{Fact, InstanceId, Moment, ProbeVersion, Role, Verdict},
    spec::Health,
};

/// The place of a role in a body's watches.
pub(super) const fn lane(role: Role) -> usize {
    match role {
        Role::Readiness => 0,
        Role::Liveness => 1,
    }
}

/// A probe that is being asked again and again.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    version: ProbeVersion,
    health: Health,
    /// Which arrangement this is; rounds of older ones are dropped.
    pub(super) turn: u32,
    /// How many failures in a row while starting, for the fast retry.
    eager: Option<u32>,
    pub(super) passes: u32,
}

impl World {
    pub(super) fn watch(&mut self, inst: InstanceId, role: Role, version: ProbeVersion, health: &Health, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        if body.pulse == Pulse::Gone && !is_silent(body) {
            return;
        }
        body.turns += 1;
        let turn = body.turns;
        let eager = (role == Role::Readiness).then_some(0);
        body.watch[lane(role)] = Some(Watch { version, health: health.clone(), turn, eager, passes: 0 });
        self.post(now, Event::Ask(inst, role, turn));
    }

    /// A probe sets out.
    pub(super) fn ask(&mut self, inst: InstanceId, role: Role, turn: u32, now: Moment) {
        let hangs = self.faults.probe_hang;
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        let Some(watch) = body.watch[lane(role)].as_ref().filter(|w| w.turn == turn) else { return };
        let timeout = watch.health.tally.timeout;
        let takes = if body.chance.hit(hangs) { timeout } else { body.script.answer.min(timeout) };
        self.post(now + takes, Event::Answer(inst, role, turn));
    }

    /// It comes back, and the next one is arranged.
    pub(super) fn answer(&mut self, inst: InstanceId, role: Role, turn: u32, now: Moment) {
        let (hangs, errors, healed) = (self.faults.probe_hang, self.faults.probe_error, self.healed);
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        let born = match body.pulse {
            Pulse::Alive(born) => Some(born),
            Pulse::Gone if is_silent(body) => None,
            Pulse::Unborn | Pulse::Gone => return,
        };
        let mood = if role == Role::Readiness { body.script.readiness } else { body.script.liveness };
        let Some(watch) = body.watch[lane(role)].as_mut().filter(|w| w.turn == turn) else { return };
        let verdict = if body.chance.hit(errors) {
            Verdict::Unknown("prober out of descriptors".into())
        } else if body.chance.hit(hangs / 2) {
            Verdict::Fail("timeout".into())
        } else if !body.paused && born.is_some_and(|born| mood.well(now.since(born))) {
            Verdict::Pass
        } else {
            Verdict::Fail("connection refused".into())
        };
        let tally = watch.health.tally;
        let pass = verdict == Verdict::Pass;
        watch.passes = if pass { watch.passes + 1 } else { 0 };
        let pause = match watch.eager {
            Some(_) if pass => tally.interval,
            Some(failures) => tally.interval.min(Duration::from_millis(1 << failures.min(20))),
            None => tally.interval,
        };
        watch.eager = watch.eager.filter(|_| !pass).map(|failures| failures + 1);
        // After the healing a settled probe has nothing new to say.
        let settled = healed && watch.passes > tally.success_threshold;
        let (at, version) = (body.at, watch.version);
        if !settled {
            self.post(now + pause.max(Duration::from_millis(1)), Event::Ask(inst, role, turn));
        }
        self.tell(now, Fact::Probed { at, inst, role, version, verdict });
    }
}
