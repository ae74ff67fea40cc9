//! Container engines in the world: they go away and come back, tell ends late and in any order, and somebody
//! does things to containers behind everybody's back. What hands do about it: hold starts, ask again, look again.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Absence, ENGINES, Manner, Mischief, Prank, Pulse, Spawn, World,
    world::{Body, Event},
};
use crate::{
    brain::{Action, Plant, Remembered},
    model::{Exit, Fact, InstanceId, Moment, Seat},
    spec::Service,
};

/// So often hands look again at what there is, in milliseconds: so late may news be.
const RELIST: u64 = 10_000;

/// A container engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Dock {
    away: bool,
    /// Ends that are to be told when it is back.
    late: Vec<InstanceId>,
    /// Stops and kills that are asked again until it is back.
    asked: Vec<Action>,
    /// The present engine of ours could not ask what there is.
    unheard: bool,
}

/// What of a start is held back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Held {
    /// It was never asked for.
    Unsent,
    /// It was asked for, and the answer is lost.
    Sent,
}

pub(super) const fn is_container(service: &Service) -> bool {
    service.image.is_some()
}

fn number(service: &Service) -> usize {
    ENGINES.iter().position(|name| *name == service.runtime).unwrap_or(0)
}

/// It has ended, and nobody of ours knows: its endpoints are asked on, and nobody answers there.
pub(super) fn is_silent(body: &Body) -> bool {
    body.pulse == Pulse::Gone && body.hand && !body.over_told && is_container(&body.service)
}

impl World {
    fn dock(&mut self, service: &Service) -> &mut Dock {
        &mut self.docks[number(service)]
    }

    /// Whoever carries out orders for this service cannot do so now.
    pub(super) fn is_out_of_reach(&self, service: &Service) -> bool {
        if is_container(service) { self.docks[number(service)].away } else { !self.keeper }
    }

    /// Its container engine is away.
    pub fn is_away(&self, service: &Service) -> bool {
        is_container(service) && self.is_out_of_reach(service)
    }

    /// The present engine of ours has not yet heard what this container engine has.
    pub fn is_unheard(&self, service: &Service) -> bool {
        is_container(service) && self.docks[number(service)].unheard
    }

    fn of_dock(&self, engine: usize, wanted: impl Fn(&Body) -> bool) -> Vec<InstanceId> {
        let of_it = |body: &Body| is_container(&body.service) && number(&body.service) == engine;
        self.bodies.iter().filter(|(_, body)| of_it(body) && wanted(body)).map(|(inst, _)| *inst).collect()
    }

    /// A container engine goes away. Starts that it was asked for are held, or have happened and nobody heard.
    pub fn leave_dock(&mut self, absence: &Absence, now: Moment) {
        let engine = ENGINES.iter().position(|name| *name == absence.engine).unwrap_or(0);
        if std::mem::replace(&mut self.docks[engine].away, true) {
            return;
        }
        let asked = |event: &Event| if let Event::Spawn(inst) = event { Some(*inst) } else { None };
        let asked: BTreeSet<InstanceId> = self.queue.values().filter_map(asked).collect();
        let plain = |body: &Body| matches!(body.script.spawn, Spawn::Runs(_) | Spawn::Refused(_));
        let mut held = self.of_dock(engine, |body| body.pulse == Pulse::Unborn && !body.over_told && plain(body));
        held.retain(|inst| asked.contains(inst));
        self.queue.retain(|_, event| !matches!(event, Event::Spawn(inst) if held.contains(inst)));
        for inst in held {
            let happens = absence.manner != Manner::Refuses && self.chance.hit(500);
            let Some(body) = self.bodies.get_mut(&inst) else { continue };
            body.held = Some(if absence.manner == Manner::Refuses { Held::Unsent } else { Held::Sent });
            if happens && matches!(body.script.spawn, Spawn::Runs(_)) && !body.kill {
                self.born(inst, now);
            }
            self.give_held_up(inst, now);
        }
        let alive = |body: &Body| matches!(body.pulse, Pulse::Alive(_));
        for inst in self.of_dock(engine, alive) {
            if absence.manner == Manner::Restarts {
                let exit = self.chance.pick(&[Exit::Code(137), Exit::Signal(15), Exit::Unknown]);
                self.over(inst, exit, now);
            } else if self.plant == Some(Plant::OutageIsExit)
                && let Some(body) = self.bodies.get(&inst).filter(|body| body.hand)
            {
                self.tell(now, Fact::Exited { at: body.at, inst, exit: Exit::Unknown, port_lost: false });
            }
        }
        self.post(now + absence.lasts, Event::Dock(engine));
    }

    /// A container engine is back: what was held goes on, what has ended is seen, some time.
    pub(super) fn dock_back(&mut self, engine: usize, now: Moment) {
        let dock = &mut self.docks[engine];
        if !std::mem::replace(&mut dock.away, false) {
            return;
        }
        let (late, asked) = (std::mem::take(&mut dock.late), std::mem::take(&mut dock.asked));
        let unheard = std::mem::replace(&mut dock.unheard, false);
        for inst in late {
            let at = now + self.chance.duration(0, RELIST);
            if !(unheard && self.plant == Some(Plant::LateTruthForgotten)) {
                self.post(at, Event::Seen(inst));
            }
        }
        for inst in self.of_dock(engine, |body| body.held.is_some() && body.hand) {
            let at = now + self.chance.duration(0, 5000);
            self.post(at, Event::Resume(inst));
        }
        for action in asked {
            self.carry_out(&action, now);
        }
        if unheard {
            for stranger in self.of_dock(engine, |body| !body.hand && body.pulse != Pulse::Gone) {
                self.reap(stranger, now);
            }
        }
    }

    /// All container engines are back.
    pub(super) fn heal_docks(&mut self, now: Moment) {
        for engine in 0..ENGINES.len() {
            self.dock_back(engine, now);
        }
        let paused: Vec<InstanceId> = self.bodies.iter().filter(|(_, b)| b.paused).map(|(inst, _)| *inst).collect();
        for inst in paused {
            self.unpause(inst, now);
        }
    }

    /// A held start is tried once more; one that has happened is found.
    pub(super) fn resume(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst).filter(|body| body.hand) else { return };
        let service = std::sync::Arc::clone(&body.service);
        if self.is_out_of_reach(&service) {
            return;
        }
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        if body.held.take().is_none() || body.over_told {
            return;
        }
        let at = body.at;
        match body.pulse {
            Pulse::Alive(_) => self.tell_started(at, inst, now),
            Pulse::Unborn => self.send(inst, now),
            Pulse::Gone => {
                self.tell_started(at, inst, now);
                self.tell_end(inst, now);
            }
        }
    }

    /// Whoever waits for a start that nobody wants any more is told at once; whether it was asked for matters.
    pub(super) fn give_held_up(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst).filter(|body| body.stop || body.kill) else { return };
        let at = body.at;
        match body.held {
            Some(Held::Unsent) => {
                (body.held, body.over_told, body.pulse, body.unseen) = (None, true, Pulse::Gone, true);
                let why = "stopped before its start".into();
                self.tell(now, Fact::StartFailed { at, inst, why, certain: true });
            }
            // It is killed then, and what there is of it is cleared away when the engine is back.
            Some(Held::Sent) => {
                body.held = None;
                body.script.spawn = Spawn::Unclear { after: Duration::ZERO, born: None };
                let killed = body.kill;
                let why = "no answer from the engine".into();
                self.tell(now, Fact::StartFailed { at, inst, why, certain: false });
                if killed {
                    self.carry_out(&Action::Kill { at, inst }, now);
                }
            }
            None => {}
        }
    }

    /// A start that cannot be asked for now.
    pub(super) fn hold(&mut self, inst: InstanceId, now: Moment) {
        let plant = self.plant;
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.held = Some(Held::Unsent);
        if plant == Some(Plant::HeldStartFails) {
            let at = body.at;
            (body.held, body.over_told, body.pulse) = (None, true, Pulse::Gone);
            let why = "the engine does not answer".into();
            self.tell(now + Duration::from_secs(1), Fact::StartFailed { at, inst, why, certain: true });
        }
    }

    /// An order that cannot be carried out now is given again until it can.
    pub(super) fn ask_again(&mut self, inst: InstanceId, action: &Action, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        let service = std::sync::Arc::clone(&body.service);
        if body.held.is_some() {
            (body.stop, body.kill) = (true, matches!(action, Action::Kill { .. }));
            return self.give_held_up(inst, now);
        }
        self.dock(&service).asked.push(action.clone());
    }

    /// An end that nobody can see now.
    pub(super) fn end_unseen(&mut self, inst: InstanceId) {
        let Some(body) = self.bodies.get(&inst) else { return };
        let service = std::sync::Arc::clone(&body.service);
        self.dock(&service).late.push(inst);
    }

    /// A look at what there is finds that it has ended.
    pub(super) fn seen(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get(&inst).filter(|b| b.hand && b.pulse == Pulse::Gone && !b.over_told) else {
            return;
        };
        if self.is_out_of_reach(&std::sync::Arc::clone(&body.service)) {
            return self.end_unseen(inst);
        }
        self.tell_end(inst, now);
    }

    /// A start that was given up lands in the engine after all: a container that never runs.
    pub(super) fn land(&mut self, inst: InstanceId, now: Moment) {
        self.husks.insert(inst);
        let at = now + self.chance.duration(0, RELIST);
        self.post(at, Event::Sweep(inst));
    }

    /// A look at what there is finds a container that nobody leads.
    pub(super) fn sweep(&mut self, inst: InstanceId, now: Moment) {
        let away = self.bodies.get(&inst).is_some_and(|body| self.is_out_of_reach(&body.service));
        if away || self.nobody {
            return self.post(now + Duration::from_millis(RELIST), Event::Sweep(inst));
        }
        if self.plant != Some(Plant::LateBornForgotten) {
            self.husks.remove(&inst);
        }
    }

    /// Containers that were created, never run, and are led by nobody.
    pub const fn husks(&self) -> &BTreeSet<InstanceId> {
        &self.husks
    }

    /// Somebody plays a prank on one of the containers that run.
    pub fn prank(&mut self, mischief: &Mischief, now: Moment) -> Option<InstanceId> {
        let runs = |body: &Body| {
            let there = !self.is_out_of_reach(&body.service) && is_container(&body.service) && !body.intruder;
            matches!(body.pulse, Pulse::Alive(_)) && there
        };
        let victims: Vec<InstanceId> = self.bodies.iter().filter(|(_, b)| runs(b)).map(|(inst, _)| *inst).collect();
        let nth = mischief.nth.checked_rem(victims.len() as u64)?;
        let victim = *victims.get(usize::try_from(nth).ok()?)?;
        let late = self.chance.duration(0, RELIST);
        let body = self.bodies.get_mut(&victim)?;
        match mischief.prank {
            Prank::Kill => self.post(now, Event::Die(victim, Exit::Signal(9))),
            Prank::Remove => {
                (body.pulse, body.unseen, body.kept) = (Pulse::Gone, true, None);
                self.post(now + late, Event::Seen(victim));
            }
            Prank::Restart if body.stop || body.kill => return None,
            Prank::Restart => body.pulse = Pulse::Alive(now),
            Prank::Pause(time) => {
                body.paused = true;
                self.post(now + time, Event::Unpause(victim));
            }
        }
        Some(victim)
    }

    /// It goes on, and what it was told meanwhile reaches it.
    pub(super) fn unpause(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        if !std::mem::replace(&mut body.paused, false) || !matches!(body.pulse, Pulse::Alive(_)) {
            return;
        }
        let (at, stop) = (body.at, body.stop);
        if let Some((_, exit)) = body.script.end.filter(|_| std::mem::take(&mut body.overdue)) {
            self.post(now, Event::Die(inst, exit));
        }
        if stop {
            self.stop(at, inst, now);
        }
    }

    /// The engine of ours is dead: what it held in its hands is lost.
    pub(super) fn drop_held(&mut self) {
        for dock in &mut self.docks {
            (dock.late, dock.asked, dock.unheard) = (Vec::new(), Vec::new(), false);
        }
        for body in self.bodies.values_mut().filter(|body| body.held.is_some()) {
            body.held = None;
            if body.pulse == Pulse::Unborn {
                (body.pulse, body.unseen) = (Pulse::Gone, true);
            }
        }
    }

    /// All container engines begin anew with the machine; what they have stored is still there.
    pub(super) fn docks_down(&mut self) {
        self.drop_held();
        self.docks.iter_mut().for_each(|dock| dock.away = false);
        for husk in self.husks.clone() {
            self.post(Moment::ZERO, Event::Sweep(husk));
        }
    }

    /// A new engine of ours cannot ask what there is: what it remembers is taken for alive, and a start that was never
    /// answered is made again under the same name.
    pub fn adopt_unheard(&mut self, one: &Remembered, now: Moment) {
        let Remembered { at, inst, run, service, started, .. } = one;
        self.dock(service).unheard = true;
        let told = *started || self.plant == Some(Plant::UnlistedTakenForStarted);
        let body = self.bodies.get_mut(inst);
        let over = body.as_ref().is_none_or(|body| body.pulse == Pulse::Gone && body.kept.is_none());
        if over && !told {
            self.start(*at, *inst, *run, service, now);
            // Whoever asks for it again does not know that nothing came of it.
            self.bodies.get_mut(inst).iter_mut().for_each(|body| body.held = Some(Held::Sent));
            return;
        }
        let Some(body) = body else { return self.tell_started(*at, *inst, now) };
        (body.hand, body.at, body.over_told) = (true, *at, false);
        if told {
            self.tell_started(*at, *inst, now);
        } else {
            body.held = Some(Held::Sent);
        }
        if self.bodies.get(inst).is_some_and(|body| body.pulse == Pulse::Gone && body.held.is_none()) {
            self.end_unseen(*inst);
        }
    }

    /// The services of these engines cannot be asked for by a new engine of ours.
    pub fn unheard_from(&mut self) {
        for dock in &mut self.docks {
            dock.unheard = dock.away;
        }
    }

    fn tell_started(&mut self, at: Seat, inst: InstanceId, now: Moment) {
        self.tell(now, Fact::Created { at, inst });
        self.tell(now, Fact::Started { at, inst });
    }
}
