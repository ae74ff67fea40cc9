//! Folds commands into the goals.

use std::collections::BTreeSet;

use super::{
    Brain, Command, Refused,
    plant::Plant,
    state::{Because, Goal, Leave, Phase, Ticket},
};
use crate::model::{Moment, ServiceIx, ServiceName};

/// What a stack file allows, too.
const MOST_REPLICAS: u32 = 1000;

impl Brain {
    pub(super) fn command(&mut self, command: Command, now: Moment) -> Result<(), Refused> {
        match command {
            Command::Apply(stack) => self.want(&stack, now),
            Command::Start { services, deps } => self.want_up(&services, deps)?,
            Command::Stop { services } => {
                for ix in self.find_all(&services)? {
                    self.want_down(ix);
                }
            }
            Command::Restart { services } => {
                for ix in self.find_listed(&services)? {
                    self.restart(ix, now);
                }
            }
            Command::Scale { service, replicas } => self.scale(&service, replicas)?,
            Command::Down => self.all_down(false),
            Command::Kill => self.all_down(true),
        }
        Ok(())
    }

    fn find_all(&self, names: &[ServiceName]) -> Result<Vec<ServiceIx>, Refused> {
        names
            .iter()
            .map(|name| {
                let known = self.names.get(name).copied().filter(|ix| !self.units[ix.index()].gone);
                known.ok_or_else(|| self.unknown(name))
            })
            .collect()
    }

    fn find_listed(&self, names: &[ServiceName]) -> Result<Vec<ServiceIx>, Refused> {
        let found = self.find_all(names)?;
        match found.iter().find(|ix| !self.units[ix.index()].listed) {
            Some(ix) => Err(self.unknown(&self.units[ix.index()].name)),
            None => Ok(found),
        }
    }

    fn unknown(&self, name: &ServiceName) -> Refused {
        let listed = self.units.iter().filter(|u| u.listed);
        let near = listed.map(|u| (distance(name.as_str(), u.name.as_str()), &u.name)).min();
        let near = near.filter(|(distance, _)| *distance <= 1 + name.as_str().len() / 4).map(|(_, n)| n.clone());
        Refused::UnknownService { name: name.to_string(), near }
    }

    fn want_up(&mut self, services: &[ServiceName], deps: bool) -> Result<(), Refused> {
        let named: BTreeSet<_> = self.find_listed(services)?.into_iter().collect();
        let mut wanted = named.clone();
        if services.is_empty() {
            self.asked_up = true;
            self.memory.stack_touched();
            wanted.extend(self.listed());
        }
        if deps {
            let mut queue: Vec<_> = wanted.iter().copied().collect();
            while let Some(ix) = queue.pop() {
                let edges = self.units[ix.index()].target_set().edges.clone();
                queue.extend(edges.iter().map(|edge| edge.to).filter(|to| wanted.insert(*to)));
            }
        }
        for ix in wanted {
            let again = named.contains(&ix) || self.plants.has(Plant::OneshotAgain);
            self.start_unit(ix, again);
        }
        Ok(())
    }

    fn listed(&self) -> Vec<ServiceIx> {
        self.names.values().copied().filter(|ix| self.units[ix.index()].listed).collect()
    }

    /// Wants it up, with a new try for seats that were given up or wait for their delay; for completed ones
    /// only if `again`.
    fn start_unit(&mut self, ix: ServiceIx, again: bool) {
        let reset_restarts = self.plants.has(Plant::RestartsReset);
        let unit = &mut self.units[ix.index()];
        if unit.goal != Goal::Up {
            unit.goal = Goal::Up;
            unit.was_ready = false;
        }
        unit.killing = false;
        if reset_restarts {
            unit.restarts = 0;
        }
        let mut queued = Vec::new();
        for slot in &mut unit.slots {
            slot.touched = true;
            let renew = match &slot.phase {
                Phase::Halted { completed } => again || !completed,
                Phase::Backoff { .. } => true,
                Phase::Idle | Phase::Starting { .. } | Phase::Running(_) | Phase::Stopping { .. } => false,
            };
            if slot.leave != Some(Leave::Retire) && (renew || slot.phase.live().is_some()) {
                slot.attempts = 0;
            }
            if renew && slot.leave.is_none() {
                slot.phase = Phase::Idle;
                slot.again = false;
                slot.ports_lost = 0;
                slot.reason = None;
                if slot.ticket != Ticket::None {
                    queued.push(slot.key);
                }
            }
        }
        for key in queued {
            self.unqueue(ix, key);
        }
        self.changed(ix);
    }

    fn want_down(&mut self, ix: ServiceIx) {
        self.units[ix.index()].goal = Goal::Down(Because::User);
        self.changed(ix);
    }

    fn all_down(&mut self, kill: bool) {
        self.asked_up = false;
        self.memory.stack_touched();
        for index in 0..self.units.len() {
            let unit = &mut self.units[index];
            unit.killing |= kill;
            if unit.goal == Goal::Up {
                unit.goal = Goal::Down(Because::User);
            }
        }
        // Goals first, faces after: nobody may look at a half of it.
        for index in 0..self.units.len() {
            self.changed(ServiceIx(u32::try_from(index).unwrap_or(u32::MAX)));
        }
    }

    /// A new set with the same spec; without an instance to replace it is a plain start.
    fn restart(&mut self, ix: ServiceIx, now: Moment) {
        let unit = &self.units[ix.index()];
        let stays = unit.goal == Goal::Up
            && unit.slots.iter().any(|slot| slot.phase.live().is_some() && slot.leave != Some(Leave::Retire));
        if !stays {
            return self.start_unit(ix, true);
        }
        let set = unit.target_set();
        let (spec, edges) = (set.spec.clone(), set.edges.clone());
        self.replace(ix, spec, edges, now);
    }

    fn scale(&mut self, name: &ServiceName, replicas: u32) -> Result<(), Refused> {
        let ix = self.find_listed(std::slice::from_ref(name))?[0];
        let unit = &mut self.units[ix.index()];
        // As in the rules for stack files: a process without a port of its own binds the target's itself.
        let spec = unit.spec();
        let itself = spec.runtime == "process" && !spec.uses_own_port();
        let fixed = spec.ports.iter().find_map(|port| port.host.or_else(|| itself.then_some(port.target)));
        let why = match (replicas, fixed) {
            (0, _) => Some("use `stop` to have none".to_owned()),
            (MOST_REPLICAS.., _) if replicas > MOST_REPLICAS => Some(format!("at most {MOST_REPLICAS}")),
            (2.., Some(port)) => Some(format!("they cannot all listen on port {port}, and `${{port}}` is not used")),
            _ => None,
        };
        if let Some(why) = why {
            return Err(Refused::Scale { name: name.clone(), replicas, why });
        }
        unit.replicas = replicas;
        self.changed(ix);
        Ok(())
    }
}

/// The number of letters to add, drop or change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
