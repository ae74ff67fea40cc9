//! The brain itself: what holds the units together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(any(test, feature = "sim"))]
use super::Plant;
use super::{BrainConfig, Input, Refused, Turn, plant::Plants, state::Unit};
use crate::model::{Happening, Moment, ServiceIx, ServiceName, Snapshot};

/// The decision core of one stack.
#[derive(Debug)]
pub struct Brain {
    pub(super) config: BrainConfig,
    pub(super) units: Vec<Unit>,
    pub(super) names: BTreeMap<ServiceName, ServiceIx>,
    pub(super) happenings: Vec<Happening>,
    pub(super) wakes: BTreeSet<(Moment, ServiceIx)>,
    pub(super) plants: Plants,
}

impl Brain {
    /// A brain that knows no service yet.
    pub fn new(config: BrainConfig) -> Self {
        Self {
            config,
            units: Vec::new(),
            names: BTreeMap::new(),
            happenings: Vec::new(),
            wakes: BTreeSet::new(),
            plants: Plants::default(),
        }
    }

    /// Folds one input into the state. Facts never refuse; stale ones change nothing.
    ///
    /// # Errors
    /// [`Refused`] for a command that cannot be taken; nothing has changed then.
    pub fn apply(&mut self, input: Input, now: Moment) -> Result<(), Refused> {
        let _ = now;
        match input {
            Input::Command(_) | Input::Fact(_) => Ok(()),
        }
    }

    /// Decides until nothing is left to decide at `now`.
    pub fn turn(&mut self, now: Moment) -> Turn {
        let _ = now;
        Turn { happenings: std::mem::take(&mut self.happenings), ..Turn::default() }
    }

    /// When to call [`turn`](Self::turn) again even if nothing happens.
    pub fn next_wake(&self) -> Option<Moment> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// What everything looks like now.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        Snapshot { at: now, services: Vec::new() }
    }

    /// The number of a service.
    pub fn ix(&self, name: &str) -> Option<ServiceIx> {
        self.names.get(name).copied()
    }

    /// The name of a service.
    pub fn name(&self, ix: ServiceIx) -> &ServiceName {
        &self.units[ix.index()].name
    }

    /// Plants a bug, for tests of the tests.
    #[cfg(any(test, feature = "sim"))]
    #[doc(hidden)]
    pub fn plant(&mut self, plant: Plant) {
        self.plants = Plants::one(plant);
    }

    /// Looks at every service, not only at the dirty ones: with an empty dirty set there must be
    /// nothing to do, and every cached value must equal the computed one.
    ///
    /// # Errors
    /// What is wrong.
    #[doc(hidden)]
    pub fn check(&self, now: Moment) -> Result<(), String> {
        let _ = now;
        Ok(())
    }

    /// The whole state as text, for traces.
    #[doc(hidden)]
    pub fn dump(&self) -> String {
        format!("{:#?}", self.units)
    }
}
