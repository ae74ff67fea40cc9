//! Who knows what of the instances when an engine, a keeper or the machine dies: what the next engine
//! finds, and what is lost.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    Chance, Mood, Pulse, Script, Spawn, World,
    dock::is_container,
    world::{Body, Event},
};
use crate::{
    brain::Action,
    model::{Exit, Fact, InstanceId, Moment, Seat},
    spec::{Kind, Service},
};

impl World {
    /// The engine is dead: what was on its way to it is lost, nobody asks probes, nobody leads instances.
    /// What it asked the keeper to do is done.
    pub fn engine_died(&mut self) {
        let heard = |event: &Event| {
            matches!(event, Event::Fact(_) | Event::Ask(..) | Event::Answer(..) | Event::Resume(_) | Event::Seen(_))
        };
        self.queue.retain(|_, event| !heard(event));
        self.past.clear();
        self.nobody = true;
        self.drop_held();
        for body in self.bodies.values_mut() {
            body.hand = false;
            body.watch = [None, None];
            if body.lost && body.pulse == Pulse::Unborn {
                body.pulse = Pulse::Gone;
            }
        }
        if !self.keeper {
            // It waited inside the engine.
            self.waiting.clear();
        }
    }

    /// The keeper is dead, instances live on. Starts that were under way have happened or never will. The
    /// next keeper comes by itself where an engine lives (`after`), else with the next engine.
    pub fn keeper_died(&mut self, now: Moment, after: Option<Duration>) {
        if !self.keeper {
            return;
        }
        self.keeper = false;
        let asked = |event: &Event| if let Event::Spawn(inst) = event { Some(*inst) } else { None };
        let asked: BTreeSet<InstanceId> = self.queue.values().filter_map(asked).collect();
        let open = |inst: &InstanceId, body: &Body| match body.pulse {
            _ if is_container(&body.service) => false,
            Pulse::Unborn => !body.over_told,
            // It runs, and the answer that nobody gave in time never comes.
            Pulse::Alive(_) => asked.contains(inst),
            Pulse::Gone => false,
        };
        let under_way: Vec<InstanceId> =
            self.bodies.iter().filter(|(inst, body)| open(inst, body)).map(|(inst, _)| *inst).collect();
        let bodies = &self.bodies;
        let process = |inst: &InstanceId| bodies.get(inst).is_none_or(|body| !is_container(&body.service));
        self.queue.retain(|_, event| match event {
            Event::Spawn(inst) | Event::Late(inst) => !process(inst),
            Event::Keeper => false,
            _ => true,
        });
        for inst in under_way {
            let happened = self.chance.hit(500);
            let Some(body) = self.bodies.get_mut(&inst) else { continue };
            let refused = matches!(body.script.spawn, Spawn::Refused(_));
            body.script.spawn = Spawn::Unclear { after: Duration::ZERO, born: None };
            body.lost = body.pulse == Pulse::Unborn && (!happened || refused);
            body.unseen |= body.lost;
            let (at, hand, killed) = (body.at, body.hand, body.kill && body.lost);
            if happened && !refused {
                self.born(inst, now);
            }
            if hand {
                self.tell(now, Fact::StartFailed { at, inst, why: "the keeper is gone".into(), certain: false });
                if killed {
                    // Its hand need not be told again: the next keeper is asked to make sure.
                    self.carry_out(&Action::Kill { at, inst }, now);
                }
            }
        }
        // What it alone knew of ends is gone with it; what it has told is on its way.
        for body in self.bodies.values_mut().filter(|body| !is_container(&body.service)) {
            body.unseen |= body.kept.take().is_some();
        }
        if let Some(after) = after {
            self.post(now + after, Event::Keeper);
        }
    }

    /// A new keeper has adopted what lives.
    pub fn keeper_back(&mut self, now: Moment) {
        self.keeper = true;
        let process = |b: &Body| !is_container(&b.service);
        let unseen = self.bodies.iter().filter(|(_, b)| b.hand && b.pulse == Pulse::Gone && !b.over_told && process(b));
        let unseen: Vec<InstanceId> = unseen.map(|(inst, _)| *inst).collect();
        for inst in unseen {
            self.tell_end(inst, now);
        }
        for action in std::mem::take(&mut self.waiting) {
            self.carry_out(&action, now);
        }
    }

    /// The next engine has a keeper, whichever.
    pub fn keeper_begins(&mut self) {
        self.queue.retain(|_, event| !matches!(event, Event::Keeper));
        self.keeper = true;
        self.nobody = false;
    }

    /// The machine is down: nothing lives, nothing is under way.
    pub fn machine_down(&mut self) {
        self.queue.clear();
        self.past.clear();
        self.waiting.clear();
        self.keeper = false;
        for body in self.bodies.values_mut() {
            body.unseen |= body.pulse != Pulse::Gone;
            body.pulse = Pulse::Gone;
            (body.hand, body.kept, body.watch, body.paused) = (false, None, [None, None], false);
        }
        self.nobody = true;
        self.docks_down();
    }

    /// What runtimes answer when a new engine asks what there is: what runs, what is under way, and what has
    /// ended without anybody having recorded it.
    pub fn list(&self) -> BTreeSet<InstanceId> {
        let there = |body: &Body| match body.pulse {
            Pulse::Alive(_) => true,
            Pulse::Unborn => !body.lost,
            Pulse::Gone => body.kept.is_some(),
        };
        let found = |inst: &InstanceId, body: &Body| {
            let in_reach = !is_container(&body.service) || !self.is_out_of_reach(&body.service);
            in_reach && (there(body) || self.husks.contains(inst))
        };
        self.bodies.iter().filter(|(inst, body)| found(inst, body)).map(|(inst, _)| *inst).collect()
    }

    /// A hand of the new engine takes an instance over.
    pub fn adopt(&mut self, at: Seat, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        (body.hand, body.at, body.over_told) = (true, at, false);
        match body.pulse {
            Pulse::Alive(_) => self.tell(now, Fact::Started { at, inst }),
            // Nobody knows any more how long it has been asked for: its time is over.
            Pulse::Unborn if matches!(body.script.spawn, Spawn::Unclear { .. }) => {
                let why = "no answer from the runtime".into();
                self.tell(now, Fact::StartFailed { at, inst, why, certain: false });
            }
            Pulse::Unborn => {}
            Pulse::Gone => self.tell_end(inst, now),
        }
    }

    /// The end of an instance is recorded: the keeper need not keep it.
    pub fn recorded(&mut self, inst: InstanceId) {
        if self.bodies.get(&inst).is_some_and(|body| !self.is_out_of_reach(&body.service)) {
            self.husks.remove(&inst);
        }
        if let Some(body) = self.bodies.get_mut(&inst) {
            body.kept = None;
        }
    }

    /// Somebody started something in our name that we know nothing of.
    pub fn intrude(&mut self, at: Seat, inst: InstanceId, service: &Arc<Service>, now: Moment) {
        let mut script = Script::plain(Kind::Service);
        script.readiness = Mood::Sick;
        let chance = Chance::new(&[u64::from(at.service.0), now.as_micros()]);
        let mut body = Body::new(at, service, script, chance);
        (body.pulse, body.hand, body.intruder) = (Pulse::Alive(now), false, true);
        self.bodies.insert(inst, body);
    }

    /// `Runtime::reap`: nothing of it runs or will run.
    pub fn reap(&mut self, inst: InstanceId, now: Moment) {
        let Some(body) = self.bodies.get_mut(&inst) else { return };
        body.kill = true;
        body.kept = None;
        let takes = body.script.kill;
        self.husks.remove(&inst);
        if body.pulse != Pulse::Gone {
            self.post(now + takes, Event::Die(inst, Exit::Signal(9)));
        }
    }
}
