//! Makes a failing plan smaller while it breaks the same promise.

use std::time::Duration;

use super::{Faults, Plan, run};
use crate::{
    brain::samples,
    spec::{Kind, Service},
};

/// So many tries at most.
const TRIES: u32 = 1500;

/// The smallest plan found that still breaks the promise `rule`.
pub fn shrink(plan: &Plan, rule: &'static str) -> Plan {
    let mut search = Search { best: plan.clone(), rule, tries: 0 };
    loop {
        let before = search.tries;
        if !search.round() || search.tries >= TRIES || search.tries == before {
            return search.best;
        }
    }
}

struct Search {
    best: Plan,
    rule: &'static str,
    tries: u32,
}

impl Search {
    /// Takes the candidate if it still fails.
    fn offer(&mut self, candidate: Plan) -> bool {
        self.tries += 1;
        let fails = self.tries <= TRIES && run(&candidate, false).violation.is_some_and(|v| v.rule == self.rule);
        if fails {
            self.best = candidate;
        }
        fails
    }

    /// One round of all ways to be smaller; true if one of them worked.
    fn round(&mut self) -> bool {
        let services = self.services();
        let orders = self.orders();
        let crashes = self.crashes();
        let faults = self.faults();
        let simpler = self.simpler();
        services || orders || crashes || faults || simpler
    }

    fn services(&mut self) -> bool {
        let names = self.best.services();
        let many = names.len() > 1;
        names.into_iter().filter(|name| many && self.offer(self.best.without_service(name))).count() > 0
    }

    fn orders(&mut self) -> bool {
        let mut smaller = false;
        let mut nth = self.best.orders.len();
        while nth > 1 {
            nth -= 1;
            let mut plan = self.best.clone();
            plan.orders.remove(nth);
            smaller |= self.offer(plan);
        }
        smaller
    }

    fn crashes(&mut self) -> bool {
        let mut smaller = false;
        for nth in (0..self.best.crashes.len()).rev() {
            let mut plan = self.best.clone();
            plan.crashes.remove(nth);
            smaller |= self.offer(plan);
        }
        for nth in (0..self.best.outages.len()).rev() {
            let mut plan = self.best.clone();
            plan.outages.remove(nth);
            smaller |= self.offer(plan);
        }
        for nth in (0..self.best.weather.absences.len()).rev() {
            let mut plan = self.best.clone();
            plan.weather.absences.remove(nth);
            smaller |= self.offer(plan);
        }
        for nth in (0..self.best.weather.mischief.len()).rev() {
            let mut plan = self.best.clone();
            plan.weather.mischief.remove(nth);
            smaller |= self.offer(plan);
        }
        if self.best.weather.late_born > 0 {
            let mut plan = self.best.clone();
            plan.weather.late_born = 0;
            smaller |= self.offer(plan);
        }
        if self.best.parting.is_some() {
            smaller |= self.offer(Plan { parting: None, ..self.best.clone() });
        }
        smaller
    }

    fn faults(&mut self) -> bool {
        let mut smaller = false;
        if !self.best.faults.on().is_empty() {
            smaller |= self.offer(Plan { faults: Faults::default(), ..self.best.clone() });
        }
        for name in self.best.faults.on() {
            smaller |= self.offer(Plan { faults: self.best.faults.without(name), ..self.best.clone() });
        }
        for name in self.best.cursed.keys().cloned().collect::<Vec<_>>() {
            let mut plan = self.best.clone();
            plan.cursed.remove(&name);
            smaller |= self.offer(plan);
        }
        if self.best.steps > 8 {
            smaller |= self.offer(Plan { steps: self.best.steps / 2, ..self.best.clone() });
        }
        if self.best.chaos > Duration::from_secs(1) {
            smaller |= self.offer(Plan { chaos: self.best.chaos / 2, ..self.best.clone() });
        }
        if self.best.revive {
            smaller |= self.offer(Plan { revive: false, ..self.best.clone() });
        }
        smaller
    }

    /// Plainer services: one aspect after the other goes back to its default.
    fn simpler(&mut self) -> bool {
        let aspects: [fn(&mut Service); 9] = [
            |s| s.liveness = None,
            |s| s.health = None,
            |s| s.replicas = 1,
            |s| s.image = None,
            |s| s.restart = if s.kind == Kind::Oneshot { samples::oneshot("x") } else { samples::service("x") }.restart,
            |s| s.update = samples::service("x").update,
            |s| s.stop = samples::service("x").stop,
            |s| s.ports.clear(),
            |s| s.depends_on.truncate(1),
        ];
        let mut smaller = false;
        for aspect in aspects {
            for name in self.best.services() {
                let plan = self.best.with_services(|s| {
                    if s.name == name {
                        aspect(s);
                    }
                });
                if format!("{plan}") != format!("{}", self.best) {
                    smaller |= self.offer(plan);
                }
            }
        }
        smaller
    }
}
