//! What the operator has asked for so far: the wanted state, worked out without the brain.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    brain::Command,
    model::{Moment, ServiceName},
    spec::{Service, Stack},
};

/// What is wanted of one service of the current stack.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its specification.
    pub service: Arc<Service>,
    /// Up or down.
    pub up: bool,
    /// How many.
    pub replicas: u32,
    /// When somebody last asked for it by start, restart or a changed file: counts begin again.
    pub asked: Moment,
    /// When somebody last asked for it by its name, or changed what it runs.
    pub named: Moment,
    /// When it was last made another program, or restarted: what is older is on its way out.
    pub renewed: Moment,
    /// When it was last taken down.
    pub fell: Moment,
    /// When its number of replicas last changed, or what it runs: bounds on totals rest for a while.
    pub reshaped: Moment,
    /// When its policies last changed in place.
    pub retuned: Moment,
}

impl Wish {
    fn fall(&mut self, now: Moment) {
        if std::mem::replace(&mut self.up, false) {
            self.fell = now;
        }
    }
}

/// The operator's memory.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    /// The wishes by name; services that were removed are not in it.
    pub wishes: BTreeMap<ServiceName, Wish>,
    /// Removed services that have not gone yet, and whether they were wanted up: taken back, they still are.
    pub removed: BTreeMap<ServiceName, Wish>,
    /// The stack was asked up as a whole.
    pub whole: bool,
    /// A kill was ordered at this moment.
    pub killed: Option<Moment>,
    /// The last stack.
    pub stack: Option<Arc<Stack>>,
}

impl Operator {
    /// Books a command that was taken.
    pub fn asked(&mut self, command: &Command, now: Moment) {
        match command {
            Command::Apply(stack) => self.apply(stack, now),
            Command::Start { services, deps } => self.start(services, *deps, now),
            Command::Stop { services } => {
                for name in services {
                    if let Some(wish) = self.wishes.get_mut(name) {
                        wish.fall(now);
                    }
                    if let Some(wish) = self.removed.get_mut(name) {
                        wish.up = false;
                    }
                }
            }
            Command::Restart { services } => {
                for name in services {
                    if let Some(wish) = self.wishes.get_mut(name) {
                        (wish.asked, wish.named, wish.up) = (now, now, true);
                        wish.reshaped = now;
                    }
                }
            }
            Command::Scale { service, replicas } => {
                if let Some(wish) = self.wishes.get_mut(service) {
                    wish.replicas = *replicas;
                    wish.reshaped = now;
                }
            }
            Command::Down | Command::Kill => {
                self.whole = false;
                if matches!(command, Command::Kill) {
                    self.killed = Some(now);
                }
                for wish in self.wishes.values_mut() {
                    wish.fall(now);
                }
                for wish in self.removed.values_mut() {
                    wish.up = false;
                }
            }
        }
    }

    fn apply(&mut self, stack: &Arc<Stack>, now: Moment) {
        let mut wishes = BTreeMap::new();
        for service in stack.services() {
            let fresh = Wish {
                service: Arc::clone(service),
                up: self.removed.get(&service.name).map_or(self.whole, |wish| wish.up),
                replicas: service.replicas,
                asked: now,
                named: now,
                renewed: now,
                fell: now,
                reshaped: now,
                retuned: now,
            };
            let wish = match self.wishes.get(&service.name) {
                None => fresh,
                Some(old) => {
                    let replaced = old.service.revision != service.revision;
                    let retuned = *old.service != **service;
                    let reshaped = replaced || old.replicas != service.replicas || old.service.update != service.update;
                    Wish {
                        up: old.up,
                        asked: if replaced { now } else { old.asked },
                        named: if replaced { now } else { old.named },
                        renewed: if replaced { now } else { old.renewed },
                        fell: old.fell,
                        reshaped: if reshaped { now } else { old.reshaped },
                        retuned: if retuned { now } else { old.retuned },
                        ..fresh
                    }
                }
            };
            wishes.insert(service.name.clone(), wish);
        }
        for (name, wish) in std::mem::replace(&mut self.wishes, wishes) {
            self.removed.insert(name, wish);
        }
        self.removed.retain(|name, _| !self.wishes.contains_key(name));
        self.stack = Some(Arc::clone(stack));
    }

    fn start(&mut self, services: &[ServiceName], deps: bool, now: Moment) {
        self.whole |= services.is_empty();
        for name in services {
            if let Some(wish) = self.wishes.get_mut(name) {
                wish.named = now;
            }
        }
        let mut todo: Vec<ServiceName> =
            if services.is_empty() { self.wishes.keys().cloned().collect() } else { services.to_vec() };
        let mut seen = std::collections::BTreeSet::new();
        while let Some(name) = todo.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some(wish) = self.wishes.get_mut(&name) {
                (wish.up, wish.asked) = (true, now);
                if deps {
                    todo.extend(wish.service.depends_on.iter().map(|d| d.target.clone()));
                }
            }
        }
    }

    /// The services that a stack would make other programs of.
    pub fn replaced_by<'a>(&'a self, stack: &'a Stack) -> impl Iterator<Item = &'a ServiceName> {
        let known = |name| self.wishes.get(name).or_else(|| self.removed.get(name));
        let services = stack.services().iter();
        services
            .filter(move |s| known(&s.name).is_some_and(|wish| wish.service.revision != s.revision))
            .map(|s| &s.name)
    }

    /// The machine was started anew: its clock counts from zero again, and all that was asked was before.
    pub fn rebooted(&mut self) {
        for wish in self.wishes.values_mut().chain(self.removed.values_mut()) {
            for at in [
                &mut wish.asked,
                &mut wish.named,
                &mut wish.renewed,
                &mut wish.fell,
                &mut wish.reshaped,
                &mut wish.retuned,
            ] {
                *at = Moment::ZERO;
            }
        }
        self.killed = self.killed.map(|_| Moment::ZERO);
    }

    /// A removed service has gone.
    pub fn gone(&mut self, name: &ServiceName) {
        self.removed.remove(name);
    }

    /// The failure of a dependency stopped this service (`onFailure: stop`).
    pub fn stopped_by_dependency(&mut self, name: &ServiceName, now: Moment) {
        if let Some(wish) = self.wishes.get_mut(name) {
            wish.fall(now);
        }
    }
}
