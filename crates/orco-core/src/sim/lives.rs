//! What runtimes do in the world: they start, stop and kill, and tell how it went.

use std::{sync::Arc, time::Duration};

use super::{
    Chance, Fate, Pulse, Spawn, World,
    dock::{is_container, is_silent},
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
            Action::Stop { inst, .. } | Action::Kill { inst, .. } if self.is_deaf(*inst) => {
                if self.bodies.get(inst).is_some_and(|body| is_container(&body.service)) {
                    self.ask_again(*inst, action, now);
                } else {
                    self.waiting.push(action.clone());
                }
            }
            Action::Stop { at, inst, .. } => self.stop(*at, *inst, now),
            Action::Kill { at, inst } => self.kill(*at, *inst, now),
        }
    }

    /// Nobody can do anything to it now.
    fn is_deaf(&self, inst: InstanceId) -> bool {
        self.bodies.get(&inst).map_or(!self.keeper, |body| body.held.is_some() || self.is_out_of_reach(&body.service))
    }

    pub(super) fn start(&mut self, at: Seat, inst: InstanceId, run: u32, service: &Arc<Service>, now: Moment) {
        let mut script = self.fate.script(at, run, service);
        let chance = match &self.fate {
            Fate::Drawn(adversary) => adversary.stream(at, run, service),
            Fate::Told(_) => Chance::new(&[0, u64::from(run)]),
        };
        let out_of_reach = self.is_out_of_reach(service);
        if out_of_reach && !is_container(service) {
            // Nobody is there to do it; the hand's request fails, and nothing happened.
            script.spawn = Spawn::Refused(Duration::from_millis(1));
        }
        self.bodies.insert(inst, Body::new(at, service, script, chance));
        if out_of_reach && is_container(service) {
            self.hold(inst, now);
        } else {
            self.send(inst, now);
        }
    }

    /// The start is asked for.
    pub(super) fn send(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get(&inst) else { return };
        match body.script.spawn {
            Spawn::Runs(after) | Spawn::Refused(after) => self.post(now + after, Event::Spawn(inst)),
            Spawn::Unclear { after, born } => {
                self.post(now + after, Event::Spawn(inst));
                if let Some(born) = born {
                    self.post(now + born, Event::Late(inst));
                }
            }
        }
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
                // An engine that seemed to refuse may have made it all the same; whoever asked clears that away.
                let lands = is_container(&body.service) && body.chance.hit(self.late_born);
                if hand && !body.over_told {
                    body.over_told = true;
                    self.tell(now, Fact::StartFailed { at, inst, why: "no such program".into(), certain: true });
                }
                if lands {
                    self.land(inst, now);
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

    pub(super) fn stop(&mut self, _: Seat, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.stop = true;
        if let (Pulse::Alive(_), Some((takes, exit)), false) = (body.pulse, body.script.stop, body.paused) {
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
            (Pulse::Unborn, Spawn::Unclear { .. }) => {
                let lands = is_container(&body.service) && body.chance.hit(self.late_born);
                let after = body.chance.duration(1, 3000);
                self.post(now + takes, Event::Die(inst, Exit::Unknown));
                if lands {
                    self.post(now + after, Event::Land(inst));
                }
            }
            // The start's own answer will find it killed.
            // It ended before anybody could tell; whoever clears it away sees that.
            (Pulse::Gone, _) if is_container(&body.service) => self.post(now + takes, Event::Seen(inst)),
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

    /// It has ended. Without a keeper nobody sees how; a container engine tells it some day.
    pub(super) fn over(&mut self, inst: InstanceId, exit: Exit, now: Moment) {
        let Some(body) = self.bodies.get(&inst) else { return };
        let out_of_reach = self.is_out_of_reach(&body.service);
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        let container = is_container(&body.service);
        body.pulse = Pulse::Gone;
        body.kept = (container || !out_of_reach).then_some(exit);
        body.unseen |= body.kept.is_none();
        if !is_silent(body) {
            body.watch = [None, None];
        }
        if body.held.is_some() || !body.hand {
            // Whoever holds the start finds it; else the next engine does.
            return;
        }
        if !out_of_reach {
            self.tell_end(inst, now);
        } else if container {
            self.end_unseen(inst);
        }
    }

    /// The keeper's answer to who waits for the end.
    pub(super) fn tell_end(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.over_told = true;
        body.watch = [None, None];
        let asked = body.stop || body.kill;
        let exit = body.kept.unwrap_or(Exit::Unknown);
        let (at, port_lost) = (body.at, body.script.port_lost && !asked);
        self.tell(now, Fact::Exited { at, inst, exit, port_lost });
    }
}
