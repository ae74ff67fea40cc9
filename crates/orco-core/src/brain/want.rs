//! Makes another stack the wanted one: services appear, change in place, are replaced or leave.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Brain,
    face::Face,
    state::{Because, Edge, Goal, Phase, RevSet, Rollout, Stage, Unit, role_index},
    tell::Told,
};
use crate::{
    model::{EventKind, Gen, Moment, ProbeVersion, Role, ServiceIx, ServiceName},
    spec::{Service, Stack},
};

impl Brain {
    pub(super) fn want(&mut self, stack: &Stack, now: Moment) {
        self.memory.stack_touched();
        self.order.clear();
        // Half of the new stack may contradict the other half of the old one: ranks come at the end.
        self.contradicted = false;
        for spec in stack.services() {
            let ix = self.register(spec, now);
            self.order.push(ix);
        }
        for spec in stack.services() {
            let Some(&ix) = self.names.get(&spec.name) else { continue };
            let edges = self.edges_of(spec);
            if self.units[ix.index()].listed {
                self.update(ix, spec, edges, now);
            } else {
                self.list(ix, spec, edges, now);
            }
            self.units[ix.index()].replicas = spec.replicas;
            self.relink(ix);
        }
        let listed: BTreeSet<_> = self.order.iter().copied().collect();
        for ix in self.all() {
            self.units[ix.index()].listed = listed.contains(&ix);
        }
        self.rank();
        // Removed services are held by others, so faces depend on faces: those above first.
        let mut all = self.all();
        all.sort_by_key(|ix| std::cmp::Reverse(self.units[ix.index()].rank));
        for ix in all {
            self.changed(ix);
        }
    }

    pub(super) fn all(&self) -> Vec<ServiceIx> {
        (0..self.units.len()).map(|i| ServiceIx(u32::try_from(i).unwrap_or(u32::MAX))).collect()
    }

    pub(super) fn edges_of(&self, spec: &Service) -> Arc<[Edge]> {
        let edge = |d: &crate::spec::Dependency| {
            let to = self.names.get(&d.target).copied()?;
            Some(Edge { to, require: d.require, timeout: d.timeout, on_failure: d.on_failure })
        };
        spec.depends_on.iter().filter_map(edge).collect()
    }

    /// Knows the service from now on.
    fn register(&mut self, spec: &Arc<Service>, now: Moment) -> ServiceIx {
        if let Some(&ix) = self.names.get(&spec.name) {
            return ix;
        }
        let ix = ServiceIx(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        let mut runs = Vec::new();
        self.used_before(&spec.name, &mut runs);
        self.names.insert(spec.name.clone(), ix);
        self.units.push(Unit {
            name: spec.name.clone(),
            goal: Goal::Down(Because::Never),
            listed: false,
            gone: true,
            killing: false,
            replicas: spec.replicas,
            sets: vec![RevSet {
                generation: Gen(0),
                spec: spec.clone(),
                edges: Arc::from([]),
                versions: [ProbeVersion(0); 2],
            }],
            target: Gen(0),
            next_gen: 0,
            rollout: None,
            slots: Vec::new(),
            rank: 0,
            edges: Vec::new(),
            dependents: Vec::new(),
            face: Face::default(),
            block: None,
            was_ready: false,
            was_up: false,
            restarts: 0,
            runs,
            first_seen: now,
            last_event: now,
            ended: None,
            wake: None,
            dirty: false,
            touched: false,
            broken: None,
        });
        ix
    }

    /// No run that was used before is used again.
    pub(super) fn used_before(&self, service: &ServiceName, runs: &mut Vec<u32>) {
        for (_, replica, run) in self.config.runs.iter().filter(|(name, ..)| name == service) {
            let replica = *replica as usize;
            runs.resize(runs.len().max(replica + 1), 0);
            runs[replica] = runs[replica].max(*run);
        }
    }

    /// Takes a service into the stack that was not in it.
    fn list(&mut self, ix: ServiceIx, spec: &Arc<Service>, edges: Arc<[Edge]>, now: Moment) {
        let up = self.asked_up;
        let unit = &mut self.units[ix.index()];
        unit.listed = true;
        if !std::mem::replace(&mut unit.gone, false) {
            // It was removed and has not gone yet.
            return self.update(ix, spec, edges, now);
        }
        unit.goal = if up { Goal::Up } else { Goal::Down(Because::Never) };
        unit.was_ready = false;
        self.fresh(ix, spec.clone(), edges);
    }

    /// A service of the old stack and the new one.
    fn update(&mut self, ix: ServiceIx, spec: &Arc<Service>, edges: Arc<[Edge]>, now: Moment) {
        let unit = &self.units[ix.index()];
        let old = unit.target_set();
        if old.spec.revision == spec.revision {
            return self.in_place(ix, spec, &edges, now);
        }
        // Back to a revision that still stands: the same replacement turned round.
        let standing = |set: &&RevSet| {
            set.spec.revision == spec.revision
                && unit.slots.iter().any(|s| s.key.generation == set.generation && s.phase.live().is_some())
        };
        let back = unit.sets.iter().rev().find(standing).map(|set| set.generation);
        match back {
            Some(back) => {
                let unit = &mut self.units[ix.index()];
                // A set that has no seat yet is nothing to come back to.
                let seated = unit.slots.iter().any(|slot| slot.key.generation == unit.target);
                let from = if seated { unit.target } else { back };
                unit.rollout = Some(Rollout { from, stage: Stage::Roll });
                unit.target = back;
                self.in_place(ix, spec, &edges, now);
                self.tell(ix, now, Told::new(EventKind::UpdatePhase, "replacement turned back"));
            }
            None => {
                self.replace(ix, spec.clone(), edges.clone(), now);
                // A set of this revision that is only kept to turn back to follows the same rules.
                self.in_place(ix, spec, &edges, now);
            }
        }
    }

    /// The same program under other rules, in every set that holds it.
    fn in_place(&mut self, ix: ServiceIx, spec: &Arc<Service>, edges: &Arc<[Edge]>, now: Moment) {
        let unit = &mut self.units[ix.index()];
        let mut ready = Vec::new();
        for set in unit.sets.iter_mut().filter(|set| set.spec.revision == spec.revision) {
            for (role, old, new) in [
                (Role::Readiness, &set.spec.health, &spec.health),
                (Role::Liveness, &set.spec.liveness, &spec.liveness),
            ] {
                if old != new {
                    set.versions[role_index(role)].0 += 1;
                }
            }
            let old = std::mem::replace(&mut set.edges, edges.clone());
            set.spec = spec.clone();
            let unchecked = spec.health.is_none() && !set.ready_at_end();
            for slot in unit.slots.iter_mut().filter(|slot| slot.key.generation == set.generation) {
                slot.touched = true;
                let Phase::Running(live) = &mut slot.phase else { continue };
                if old != *edges {
                    live.leans = live.leans.iter().filter_map(|n| renumbered(&old, edges, *n)).collect();
                }
                live.sick &= spec.liveness.is_some();
                if unchecked && live.ready_since.is_none() {
                    live.ready_since = Some(now);
                    live.was_ready = true;
                    ready.push(slot.key.replica);
                }
            }
        }
        for replica in ready {
            self.tell(ix, now, Told::new(EventKind::ServiceReady, "ready: nothing is checked any more").of(replica));
        }
    }

    /// Replaces what runs by a new set. Without anything that lives there is nothing to replace.
    pub(super) fn replace(&mut self, ix: ServiceIx, spec: Arc<Service>, edges: Arc<[Edge]>, now: Moment) {
        let unit = &mut self.units[ix.index()];
        if !unit.any_live() {
            return self.fresh(ix, spec, edges);
        }
        let from = unit.rollout.map_or(unit.target, |r| r.from);
        self.new_set(ix, spec, edges);
        let unit = &mut self.units[ix.index()];
        unit.rollout = Some(Rollout { from, stage: Stage::Roll });
        let begun = unit.goal == Goal::Up;
        self.relink(ix);
        self.changed(ix);
        if begun {
            self.tell(ix, now, Told::new(EventKind::UpdatePhase, "replacement begins, one replica at a time"));
        }
    }

    /// Begins anew with one set and no seats.
    fn fresh(&mut self, ix: ServiceIx, spec: Arc<Service>, edges: Arc<[Edge]>) {
        let keys: Vec<_> = self.units[ix.index()].slots.iter().map(|slot| slot.key).collect();
        for key in keys {
            self.unqueue(ix, key);
        }
        let unit = &mut self.units[ix.index()];
        unit.slots.clear();
        unit.sets.clear();
        unit.rollout = None;
        self.new_set(ix, spec, edges);
        self.relink(ix);
        self.changed(ix);
    }

    fn new_set(&mut self, ix: ServiceIx, spec: Arc<Service>, edges: Arc<[Edge]>) {
        let unit = &mut self.units[ix.index()];
        unit.next_gen += 1;
        let generation = Gen(unit.next_gen);
        unit.target = generation;
        unit.sets.push(RevSet { generation, spec, edges, versions: [ProbeVersion(0); 2] });
    }
}

/// The number of an edge in the new list, if it is still there under the same rule.
fn renumbered(old: &[Edge], new: &[Edge], number: u32) -> Option<u32> {
    let edge = old.get(number as usize)?;
    let at = new.iter().position(|e| e.to == edge.to && e.on_failure == edge.on_failure)?;
    u32::try_from(at).ok()
}
