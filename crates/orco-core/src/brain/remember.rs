//! What changed and is to be remembered. Whoever changes a service touches it; only what was touched is
//! written again, and only what then differs from what was last given is given.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{
    Brain, hash,
    plant::Plant,
    saved::{FORMAT, SavedSlot, SavedStack, SavedUnit},
    state::{Phase, Unit},
};
use crate::{
    model::{Gen, ServiceIx, SlotKey},
    spec::Service,
};

/// So many instance numbers are taken at a time: as many are lost at most when an engine dies.
const BLOCK: u64 = 1000;

/// One thing to remember. Values are JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its name: `stack`, `service/NAME`, `set/NAME/GEN` or `slot/NAME/GEN/REPLICA`.
    pub key: Box<str>,
    /// Its new value; `None`: it is to be forgotten.
    pub value: Option<Box<[u8]>>,
}

/// What was last given.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// No instance above this number was made; all below are used up for whoever comes after a crash.
    pub(super) reserved: u64,
    /// The entry `stack` is as given.
    stack_given: bool,
    stack: Option<u64>,
    /// By service.
    given: Vec<Given>,
    touched: Vec<ServiceIx>,
}

/// The entries of one service, as hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) unit: Option<u64>,
    /// With the very specification they were written from.
    pub(super) sets: BTreeMap<Gen, (Arc<Service>, u64)>,
    pub(super) slots: BTreeMap<SlotKey, u64>,
}

impl Memory {
    /// As after all of these entries were given.
    pub(super) const fn with(reserved: u64, stack: u64, given: Vec<Given>) -> Self {
        Self { reserved, stack_given: false, stack: Some(stack), given, touched: Vec::new() }
    }

    /// Something that belongs to no service changed.
    pub(super) const fn stack_touched(&mut self) {
        self.stack_given = false;
    }
}

impl Brain {
    /// What is to be remembered and was not yet given by the last call: all of it is to be written at once
    /// (one batch, all or nothing), and before any action of the turn takes effect. Costs nothing when
    /// nothing durable changed, in proportion to the touched services otherwise.
    pub fn changes(&mut self) -> Vec<Change> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.memory.stack_given, true) {
            let value = json(&self.saved_stack());
            if self.memory.stack.replace(hash::bytes(&value)) != Some(hash::bytes(&value)) {
                out.push(Change { key: "stack".into(), value: Some(value) });
            }
        }
        let mut touched = std::mem::take(&mut self.memory.touched);
        for ix in touched.drain(..) {
            self.changes_of(ix, &mut out);
        }
        // Its room is used again.
        self.memory.touched = touched;
        out
    }

    fn changes_of(&mut self, ix: ServiceIx, out: &mut Vec<Change>) {
        if self.memory.given.len() < self.units.len() {
            self.memory.given.resize_with(self.units.len(), Given::default);
        }
        let given = &mut self.memory.given[ix.index()];
        let value = json(&SavedUnit::of(&self.units, ix));
        if differs(&mut given.unit, &value) {
            out.push(Change { key: unit_key(&self.units[ix.index()]), value: Some(value) });
        }
        for at in 0..self.units[ix.index()].slots.len() {
            if !std::mem::take(&mut self.units[ix.index()].slots[at].touched) {
                continue;
            }
            let unit = &self.units[ix.index()];
            let slot = &unit.slots[at];
            if self.plants.has(Plant::ChangeForgotten) && matches!(slot.phase, Phase::Backoff { .. }) {
                continue;
            }
            let value = json(&SavedSlot::of(&self.units, slot));
            let hash = hash::bytes(&value);
            if given.slots.insert(slot.key, hash) != Some(hash) {
                out.push(Change { key: slot_key(unit, slot.key), value: Some(value) });
            }
        }
        let unit = &mut self.units[ix.index()];
        unit.touched = false;
        if given.slots.len() > unit.slots.len() {
            given.slots.retain(|key, _| {
                let stays = unit.slot(*key).is_some();
                if !stays {
                    out.push(Change { key: slot_key(unit, *key), value: None });
                }
                stays
            });
        }
        changed_sets(unit, given, out);
    }

    /// It may differ from what was last given.
    pub(super) fn touch(&mut self, ix: ServiceIx) {
        let unit = &mut self.units[ix.index()];
        if !std::mem::replace(&mut unit.touched, true) {
            self.memory.touched.push(ix);
        }
    }

    /// An instance number was used: the mark that is remembered stays ahead.
    pub(super) const fn reserve(&mut self) {
        if self.instances > self.memory.reserved {
            self.memory.reserved = self.instances + BLOCK - 1;
            self.memory.stack_touched();
        }
    }

    fn saved_stack(&self) -> SavedStack {
        SavedStack {
            format: FORMAT,
            services: self.units.len(),
            order: self.order.iter().map(|ix| self.units[ix.index()].name.as_str().into()).collect(),
            asked_up: self.asked_up,
            instances: self.memory.reserved,
        }
    }

    /// Everything to be remembered, from scratch: what all changes add up to.
    #[doc(hidden)]
    pub fn durable(&self) -> BTreeMap<Box<str>, Box<[u8]>> {
        let mut all = BTreeMap::new();
        all.insert("stack".into(), json(&self.saved_stack()));
        for ix in self.all() {
            let unit = &self.units[ix.index()];
            all.insert(unit_key(unit), json(&SavedUnit::of(&self.units, ix)));
            for set in &unit.sets {
                all.insert(set_key(unit, set.generation), set.spec.to_json().into());
            }
            for slot in &unit.slots {
                all.insert(slot_key(unit, slot.key), json(&SavedSlot::of(&self.units, slot)));
            }
        }
        all
    }
}

fn changed_sets(unit: &Unit, given: &mut Given, out: &mut Vec<Change>) {
    for set in &unit.sets {
        let known = given.sets.get(&set.generation);
        // Written once, unless another one took its place.
        if known.is_some_and(|(spec, _)| Arc::ptr_eq(spec, &set.spec)) {
            continue;
        }
        let value: Box<[u8]> = set.spec.to_json().into();
        let hash = hash::bytes(&value);
        if known.is_none_or(|(_, known)| *known != hash) {
            out.push(Change { key: set_key(unit, set.generation), value: Some(value) });
        }
        given.sets.insert(set.generation, (set.spec.clone(), hash));
    }
    if given.sets.len() > unit.sets.len() {
        given.sets.retain(|generation, _| {
            let stays = unit.set(*generation).is_some();
            if !stays {
                out.push(Change { key: set_key(unit, *generation), value: None });
            }
            stays
        });
    }
}

fn differs(given: &mut Option<u64>, value: &[u8]) -> bool {
    let hash = hash::bytes(value);
    given.replace(hash) != Some(hash)
}

fn unit_key(unit: &Unit) -> Box<str> {
    format!("service/{}", unit.name).into()
}

fn set_key(unit: &Unit, generation: Gen) -> Box<str> {
    format!("set/{}/{}", unit.name, generation.0).into()
}

fn slot_key(unit: &Unit, key: SlotKey) -> Box<str> {
    format!("slot/{}/{}/{}", unit.name, key.generation.0, key.replica).into()
}

/// The values are structs of numbers and texts: writing them cannot fail.
fn json(value: &impl Serialize) -> Box<[u8]> {
    let bytes = serde_json::to_vec(value);
    debug_assert!(bytes.is_ok(), "{bytes:?}");
    bytes.unwrap_or_default().into()
}
