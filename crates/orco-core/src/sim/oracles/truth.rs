//! What it shows is so: states, readiness and waits, held against facts. Every seat that is not where
//! it should be names its wait, and the wait is true.

use super::{Judge, Scene, Violation, issue::CONTAINERS};
use crate::{
    model::{InstanceView, Moment, Seat, ServiceView, SlotKey, State, Waiting},
    sim::Wish,
    spec::{Kind, Require},
};

impl Judge {
    /// Judges what the brain shows. Costs more than the others, so not after every turn.
    ///
    /// # Errors
    /// The promise it breaks.
    pub fn shown(&mut self, scene: Scene<'_>) -> Result<(), Violation> {
        let snapshot = scene.brain.snapshot(scene.now);
        self.unmoved(scene, &snapshot)?;
        for (name, wish) in &scene.operator.wishes {
            let Some(view) = snapshot.service(name.as_str()) else {
                return Err(scene.broken("every service is shown", name.to_string()));
            };
            self.service(scene, view, wish)?;
        }
        for view in &snapshot.services {
            for instance in &view.instances {
                believes(scene, view, instance)?;
            }
        }
        Ok(())
    }

    fn service(&mut self, scene: Scene<'_>, view: &ServiceView, wish: &Wish) -> Result<(), Violation> {
        let name = &view.name;
        let total = self.totals.entry(name.clone()).or_default();
        if view.restarts < *total {
            return Err(scene.broken("I8 restarts never fall", format!("{name}: {} after {total}", view.restarts)));
        }
        *total = view.restarts;
        if view.wanted != wish.up {
            let what = format!("{name} wanted {}, the operator says {}", view.wanted, wish.up);
            return Err(scene.broken("goals are the operator's", what));
        }
        if view.ready && wish.up && view.kind != Kind::Daemon && !scene.may_hold(view.ix, Require::Ready) {
            return Err(scene.broken("ready only when it is", format!("{name} shown ready: {}", view.message)));
        }
        if let Some(waiting) = &view.waiting {
            is_true(scene, view, None, waiting)?;
        }
        if !wish.up {
            return Ok(());
        }
        let short = view.instances.len() < usize::try_from(wish.replicas).unwrap_or(0);
        if short && view.waiting.is_none() {
            return Err(scene.broken("a wait has a name", format!("{name} lacks replicas without a reason")));
        }
        for instance in &view.instances {
            let settled = match instance.state {
                State::Running => instance.ready || view.kind == Kind::Oneshot,
                State::Completed | State::Stopped => true,
                State::Pending | State::Starting | State::Stopping | State::Failed => false,
            };
            if !settled && instance.waiting.is_none() {
                let what = format!("{name}/{} {:?} without a reason", instance.replica, instance.state);
                return Err(scene.broken("a wait has a name", what));
            }
        }
        Ok(())
    }
}

/// What is shown of an instance agrees with the facts about it, and only with those about it.
fn believes(scene: Scene<'_>, view: &ServiceView, shown: &InstanceView) -> Result<(), Violation> {
    let at = Seat { service: view.ix, slot: SlotKey { generation: shown.generation, replica: shown.replica } };
    let told = |what: String| Err(scene.broken("what is shown is so", format!("{} {what}", scene.label(at))));
    let sitter = scene.ledger.sitter(at);
    if let Some(waiting) = &shown.waiting {
        is_true(scene, view, Some(at), waiting)?;
    }
    match shown.state {
        State::Running | State::Starting => {
            if let Some(life) = sitter {
                let ready = life.ready.is_some();
                let asked = life.stop.is_some() || life.kill.is_some();
                if !asked && shown.ready != ready {
                    return told(format!("shown ready {}, its own verdicts say {ready}", shown.ready));
                }
                if shown.state == State::Running && !life.was_ready && view.kind != Kind::Oneshot {
                    return told("shown running, was never ready".to_owned());
                }
                if shown.ready
                    && !scene.world.bodies().any(|(_, b)| b.at == at && b.service.health.is_none())
                    && !life.passed
                    && life.service.health.is_some()
                    && scene.wish(view.ix).is_some_and(|w| w.retuned < life.ordered)
                {
                    return told("shown ready, never answered ok".to_owned());
                }
            } else if shown.ready || shown.state == State::Running {
                return told(format!("shown {:?}, nobody lives there", shown.state));
            }
        }
        State::Stopping if sitter.is_none() => return told("shown stopping, nobody lives there".to_owned()),
        State::Pending | State::Stopped | State::Completed | State::Failed if sitter.is_some() => {
            return told(format!("shown {:?}, somebody lives there", shown.state));
        }
        State::Completed if !scene.ledger.done.contains_key(&at) => {
            return told("shown completed, never was".to_owned());
        }
        State::Stopping | State::Pending | State::Stopped | State::Completed | State::Failed => {}
    }
    Ok(())
}

/// A wait names its true cause.
fn is_true(scene: Scene<'_>, view: &ServiceView, at: Option<Seat>, waiting: &Waiting) -> Result<(), Violation> {
    let lie = |what: &str| {
        let who = at.map_or_else(|| view.name.to_string(), |at| scene.label(at));
        Err(scene.broken("a wait names its true cause", format!("{who}: {what}: {}", waiting.message(scene.now))))
    };
    let sitter = at.and_then(|at| scene.ledger.sitter(at));
    match waiting {
        Waiting::Gate { dep, require, others, .. } => {
            if others.contains(dep) || others.iter().any(|other| scene.brain.ix(other.as_str()).is_none()) {
                return lie("what else it waits for");
            }
            let Some(ix) = scene.brain.ix(dep.as_str()) else { return lie("no such dependency") };
            if surely_holds(scene, ix, *require) {
                return lie("the gate is open");
            }
        }
        Waiting::Backoff { until, .. } if *until < scene.now => return lie("the delay is over"),
        Waiting::Backoff { .. } if sitter.is_some() => return lie("somebody lives there"),
        Waiting::Starting if at.is_some() && sitter.is_none_or(|life| life.started.is_some()) => {
            return lie("no start is under way");
        }
        Waiting::Probe { .. } if at.is_some() && sitter.is_none_or(|life| life.ready.is_some()) => {
            return lie("it is ready or not there");
        }
        Waiting::Unready { .. }
            if at.is_some() && !sitter.is_some_and(|life| life.ready.is_none() && life.was_ready) =>
        {
            return lie("it is not unready");
        }
        Waiting::Exit { .. }
            if at.is_some()
                && !sitter.is_some_and(|life| life.stop.is_some() || life.kill.is_some() || life.unclear) =>
        {
            return lie("nobody asked it to end");
        }
        Waiting::Halted { .. } => {
            let allowed = |at: Seat| {
                let retuned = scene.wish(at.service).is_some_and(|w| w.retuned > Default::default());
                let chair = scene.ledger.seat(at);
                let spec = scene.wish(at.service).map(|w| &w.service);
                retuned || chair.zip(spec).is_none_or(|(chair, spec)| chair.may_be_given_up(spec))
            };
            if at.is_some_and(|at| sitter.is_some() || !allowed(at)) {
                return lie("it could be tried again");
            }
        }
        Waiting::Dependents { on } => {
            let lives = |name: &crate::model::ServiceName| {
                scene.brain.ix(name.as_str()).is_some_and(|ix| scene.ledger.live_of(ix).next().is_some())
            };
            if on.is_empty() || !on.iter().any(lives) {
                return lie("no dependent lives");
            }
        }
        Waiting::Admission => {
            let Some((at, spec)) = at.zip(scene.wish(view.ix).map(|w| &w.service)) else { return Ok(()) };
            let first = scene.ledger.seat(at).is_none_or(|chair| chair.last.is_none());
            let full = spec.image.is_some() && scene.unanswered(&spec.runtime) >= CONTAINERS;
            if first && !full {
                return lie("there is room");
            }
        }
        Waiting::Down { .. } if view.wanted => return lie("it is wanted up"),
        _ => {}
    }
    Ok(())
}

/// Whether a requirement holds under the strictest reading: then no gate may claim that it does not.
fn surely_holds(scene: Scene<'_>, ix: crate::model::ServiceIx, require: Require) -> bool {
    let Some(wish) = scene.wish(ix).filter(|w| w.up) else { return false };
    let mut seats = scene.ledger.seats_of(ix).peekable();
    let Some(generation) = seats.peek().map(|(slot, _)| slot.generation) else { return false };
    let wanted = usize::try_from(wish.replicas).unwrap_or(usize::MAX);
    let fits = |(slot, chair): (SlotKey, &crate::sim::Chair)| {
        let at = Seat { service: ix, slot };
        let Some(life) = scene.ledger.sitter(at) else {
            let stands_for = matches!(require, Require::Ready | Require::Started);
            let oneshot = wish.service.kind == Kind::Oneshot && stands_for;
            // What has completed as another program is on its way out, and counts for nobody who starts now.
            let last = chair.last.and_then(|inst| scene.ledger.lives.get(&inst));
            let current = last.is_some_and(|life| life.ordered > wish.renewed || wish.renewed == Moment::ZERO);
            return (oneshot || require == Require::Completed) && current && scene.ledger.done.contains_key(&at);
        };
        let runs = life.started.is_some() && life.stop.is_none() && life.kill.is_none();
        chair.retired.is_none()
            && chair.recycle.is_none()
            && slot.generation == generation
            && runs
            && match require {
                Require::Exists | Require::Started => true,
                Require::Ready => life.ready.is_some(),
                Require::Completed => false,
            }
    };
    let all: Vec<bool> = seats.map(fits).collect();
    all.len() == wanted && all.iter().all(|fits| *fits)
}
