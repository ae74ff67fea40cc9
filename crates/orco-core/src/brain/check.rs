//! The full scan: with an empty dirty set there must be nothing to do anywhere, and whatever is cached
//! must equal what is computed.

use std::collections::BTreeMap;

use super::{Brain, decide::decide, face, step::Decision};
use crate::model::{Moment, ServiceIx};

impl Brain {
    /// Looks at every service, not only at the dirty ones, at the `now` of the last turn.
    ///
    /// # Errors
    /// What is wrong.
    #[doc(hidden)]
    pub fn check(&self, now: Moment) -> Result<(), String> {
        if self.dirty_now() {
            return Err("the dirty set is not empty".to_owned());
        }
        let (mut wanted, mut unmet, mut live) = (0, 0, 0);
        let mut decision = Decision::default();
        for ix in self.all() {
            self.check_one(ix, now, &mut decision).map_err(|e| format!("{}: {e}", self.name(ix)))?;
            let face = &self.units[ix.index()].face;
            wanted += usize::from(face.wanted);
            unmet += usize::from(face.wanted && !face.fine());
            live += usize::from(face.live);
        }
        if (wanted, unmet, live) != self.counted() {
            return Err(format!("counted {:?}, there are {:?}", self.counted(), (wanted, unmet, live)));
        }
        if !self.admission.fair(self.limit(), now) {
            return Err("starts wait although there is room".to_owned());
        }
        Ok(())
    }

    fn check_one(&self, ix: ServiceIx, now: Moment, decision: &mut Decision) -> Result<(), String> {
        let unit = &self.units[ix.index()];
        decide(&self.view(ix), now, decision);
        if !decision.steps.is_empty() {
            return Err(format!("there is something to do: {:?}", decision.steps));
        }
        if decision.wake != unit.wake {
            return Err(format!("wakes at {:?}, should at {:?}", unit.wake, decision.wake));
        }
        let face = face::of(&self.view(ix));
        if face != unit.face {
            return Err(format!("shows {:?}, is {face:?}", unit.face));
        }
        for to in &unit.edges {
            if !self.units[to.index()].dependents.contains(&ix) {
                return Err(format!("{} does not know it as a dependent", self.name(*to)));
            }
        }
        for from in &unit.dependents {
            if !self.units[from.index()].edges.contains(&ix) {
                return Err(format!("{} is no dependent of it", self.name(*from)));
            }
        }
        if !unit.slots.is_sorted_by_key(|slot| slot.key) {
            return Err("seats are out of order".to_owned());
        }
        let speechless = unit.slots.iter().find(|slot| {
            let at_rest = slot.completed()
                || slot.ready()
                || (slot.running().is_some()
                    && self.view(ix).own().set(slot.key.generation).is_some_and(super::state::RevSet::ready_at_end));
            !at_rest && unit.broken.is_none() && !decision.waits.iter().any(|(key, _)| *key == Some(slot.key))
        });
        match speechless {
            Some(slot) => Err(format!("{:?} neither acts nor says what it waits for", slot.key)),
            None => Ok(()),
        }
    }

    /// Whether the changes given so far add up to what there is to remember, and a brain made out of that
    /// remembers the same and shows the same faces. After a turn; [`Brain::changes`] must have been called
    /// since, and `given` hold all it ever gave.
    ///
    /// # Errors
    /// What is wrong.
    #[doc(hidden)]
    pub fn check_memory(&self, given: &BTreeMap<Box<str>, Box<[u8]>>) -> Result<(), String> {
        let durable = self.durable();
        same("given", given, "to remember", &durable)?;
        let entries = durable.iter().map(|(key, value)| (&**key, &**value));
        let restored = Self::restore(self.config.clone(), entries, self.now).map_err(|e| e.to_string())?;
        same("remembered", &durable, "restored", &restored.durable())?;
        if self.units.iter().any(|unit| unit.broken.is_some()) {
            return Ok(());
        }
        for (was, is) in self.units.iter().zip(&restored.units) {
            if was.face != is.face {
                return Err(format!("{} showed {:?}, restored it shows {:?}", was.name, was.face, is.face));
            }
            if (&was.edges, &was.dependents) != (&is.edges, &is.dependents) {
                return Err(format!("{} has other neighbours once restored", was.name));
            }
        }
        Ok(())
    }

    /// The whole state as text, for traces.
    #[doc(hidden)]
    pub fn dump(&self) -> String {
        format!("{:#?}", self.units)
    }
}

/// The first entry that differs.
fn same(
    one: &str,
    ones: &BTreeMap<Box<str>, Box<[u8]>>,
    other: &str,
    others: &BTreeMap<Box<str>, Box<[u8]>>,
) -> Result<(), String> {
    let text = |value: Option<&Box<[u8]>>| value.map(|v| String::from_utf8_lossy(v).into_owned());
    let keys = ones.keys().chain(others.keys());
    match keys.into_iter().find(|key| ones.get(*key) != others.get(*key)) {
        Some(key) => {
            Err(format!("`{key}` is {one} as {:?}, {other} as {:?}", text(ones.get(key)), text(others.get(key))))
        }
        None => Ok(()),
    }
}
