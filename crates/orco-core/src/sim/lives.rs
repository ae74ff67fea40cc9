//! What runtimes do in the world: they start, stop and kill, and tell how it went.

use std::{sync::Arc, time::Duration};

use super::{
    Chance, Fate, Pulse, Spawn, World,
    prober::lane,
    world::{Body, Event},
};
use crate::{
    brain::Action,
    model::{Exit, Fact, InstanceId, Moment, Role, Seat},
    spec::Service,
};

impl World {
    /// Carries an action out. Without a keeper, what concerns processes waits for the next one.
    pub fn carry_out(&mut self, action: &Action, now: Moment) {
        match action {
            Action::Probe { inst, role, version, health, .. } => self.watch(*inst, *role, *version, health, now),
            Action::Unprobe { inst, role } => {
                if let Some(body) = self.bodies.get_mut(inst) {
                    body.watch[lane(*role)] = None;
                }
            }
            Action::Start { at, inst, run, service } => self.start(*at, *inst, *run, service, now),
            Action::Stop { .. } | Action::Kill { .. } if !self.keeper => self.waiting.push(action.clone()),
            Action::Stop { at, inst, .. } => self.stop(*at, *inst, now),
            Action::Kill { at, inst } => self.kill(*at, *inst, now),
        }
    }

    fn start(&mut self, at: Seat, inst: InstanceId, run: u32, service: &Arc<Service>, now: Moment) {
        let mut script = self.fate.script(at, run, service);
        let chance = match &self.fate {
            Fate::Drawn(adversary) => adversary.stream(at, run, service),
            Fate::Told(_) => Chance::new(&[0, u64::from(run)]),
        };
        if !self.keeper {
            // Nobody is there to do it; the hand's request fails, and nothing happened.
            script.spawn = Spawn::Refused(Duration::from_millis(1));
        }
        match script.spawn {
            Spawn::Runs(after) | Spawn::Refused(after) => self.post(now + after, Event::Spawn(inst)),
            Spawn::Unclear { after, born } => {
                self.post(now + after, Event::Spawn(inst));
                if let Some(born) = born {
                    self.post(now + born, Event::Late(inst));
                }
            }
        }
        self.bodies.insert(inst, Body::new(at, service, script, chance));
    }

    /// The runtime's answer to a start. It does what it was asked also when nobody listens any more.
    pub(super) fn spawn(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        let (at, hand) = (body.at, body.hand);
        match body.script.spawn {
            Spawn::Runs(_) => {
                let container = body.service.image.is_some();
                if body.pulse != Pulse::Unborn || body.over_told {
                    return;
                }
                if body.kill {
                    return self.over(inst, Exit::Unknown, now);
                }
                if hand && container {
                    self.tell(now, Fact::Created { at, inst });
                }
                if hand {
                    self.tell(now, Fact::Started { at, inst });
                }
                self.born(inst, now);
            }
            Spawn::Refused(_) => {
                body.pulse = Pulse::Gone;
                if hand && !body.over_told {
                    body.over_told = true;
                    self.tell(now, Fact::StartFailed { at, inst, why: "no such program".into(), certain: true });
                }
            }
            Spawn::Unclear { .. } => {
                if hand && !body.over_told {
                    let why = "no answer from the runtime".into();
                    self.tell(now, Fact::StartFailed { at, inst, why, certain: false });
                }
            }
        }
    }

    pub(super) fn born(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        if body.pulse != Pulse::Unborn {
            return;
        }
        body.pulse = Pulse::Alive(now);
        let (at, end, stop, kill) = (body.at, body.script.end, body.stop, body.kill);
        if let Some((age, _)) = end {
            self.post(now + age, Event::End(inst));
        }
        if kill {
            self.kill(at, inst, now);
        } else if stop {
            self.stop(at, inst, now);
        }
        for role in [Role::Readiness, Role::Liveness] {
            if let Some(watch) = self.bodies.get(&inst).and_then(|b| b.watch[lane(role)].as_ref()) {
                let turn = watch.turn;
                self.post(now, Event::Ask(inst, role, turn));
            }
        }
    }

    fn stop(&mut self, _: Seat, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.stop = true;
        if let (Pulse::Alive(_), Some((takes, exit))) = (body.pulse, body.script.stop) {
            self.post(now + takes, Event::Die(inst, exit));
        }
    }

    fn kill(&mut self, at: Seat, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else {
            // Its start was decided and never carried out: there is nothing to end, and the hand says so.
            return self.tell(now, Fact::Exited { at, inst, exit: Exit::Unknown, port_lost: false });
        };
        body.kill = true;
        let takes = body.script.kill;
        match (body.pulse, body.script.spawn) {
            (Pulse::Alive(_), _) => self.post(now + takes, Event::Die(inst, Exit::Signal(9))),
            // `reap`: whatever may still come of the start is prevented, and the engine says so.
            (Pulse::Unborn, Spawn::Unclear { .. }) => self.post(now + takes, Event::Die(inst, Exit::Unknown)),
            // The start's own answer will find it killed.
            (Pulse::Unborn, _) | (Pulse::Gone, _) => {}
        }
    }

    pub(super) fn die(&mut self, inst: InstanceId, exit: Exit, now: Moment) {
        let Some(body) = self.bodies.get(&inst) else { return };
        match body.pulse {
            Pulse::Alive(_) => self.over(inst, exit, now),
            Pulse::Unborn if body.kill => self.over(inst, exit, now),
            Pulse::Unborn | Pulse::Gone => {}
        }
    }

    /// It has ended. Without a keeper nobody sees how.
    fn over(&mut self, inst: InstanceId, exit: Exit, now: Moment) {
        let keeper = self.keeper;
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.pulse = Pulse::Gone;
        body.watch = [None, None];
        body.kept = keeper.then_some(exit);
        body.unseen |= !keeper;
        if keeper && body.hand {
            self.tell_end(inst, now);
        }
    }

    /// The keeper's answer to who waits for the end.
    pub(super) fn tell_end(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.over_told = true;
        let asked = body.stop || body.kill;
        let exit = body.kept.unwrap_or(Exit::Unknown);
        let (at, port_lost) = (body.at, body.script.port_lost && !asked);
        self.tell(now, Fact::Exited { at, inst, exit, port_lost });
    }
}
