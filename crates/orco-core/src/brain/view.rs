//! What `decide` may see: one service whole, of its neighbours the faces.

use super::{
    face::Face,
    plant::{Plant, Plants},
    state::{Edge, Goal, RevSet, Unit},
    step::Wait,
};
use crate::{
    model::{ServiceIx, SlotKey},
    policy::gate::{self, Known},
};

/// A look at one service.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    units: &'a [Unit],
    ix: ServiceIx,
    plants: Plants,
}

impl<'a> View<'a> {
    pub(crate) const fn new(units: &'a [Unit], ix: ServiceIx, plants: Plants) -> Self {
        Self { units, ix, plants }
    }

    pub(crate) fn own(&self) -> &'a Unit {
        &self.units[self.ix.index()]
    }

    pub(crate) const fn ix(&self) -> ServiceIx {
        self.ix
    }

    pub(crate) fn has(&self, plant: Plant) -> bool {
        self.plants.has(plant)
    }

    pub(crate) fn face(&self, ix: ServiceIx) -> &'a Face {
        &self.units[ix.index()].face
    }

    fn above(&self, dependent: ServiceIx) -> bool {
        // An edge of an old set may run against the order of the newest stack, when an update turned it
        // round. Whoever waited along both would wait for ever.
        self.units[dependent.index()].rank > self.own().rank
    }

    /// The first service that keeps this removed one: it stays, and one of its sets names it.
    pub(crate) fn held_by(&self) -> Option<ServiceIx> {
        self.own().dependents.iter().copied().find(|&d| !self.face(d).leaving && self.above(d))
    }

    /// On its way out: wanted down, or removed and needed by nobody.
    pub(crate) fn leaving(&self) -> bool {
        let unit = self.own();
        matches!(unit.goal, Goal::Down(_)) || (!unit.listed && self.held_by().is_none())
    }

    /// The dependents with instances on their way out that stand on this service.
    pub(crate) fn leaning_on_it(&self) -> impl Iterator<Item = ServiceIx> {
        self.own()
            .dependents
            .iter()
            .copied()
            .filter(|&d| self.above(d) && self.face(d).leaning.binary_search(&self.ix).is_ok())
    }

    /// Whether a dependency meets its edge.
    pub(crate) fn open(&self, edge: &Edge) -> bool {
        let face = self.face(edge.to);
        gate::open(
            edge.require,
            Known {
                exists: face.exists,
                started: face.started || (face.live && self.has(Plant::GateOnIntention)),
                ready: face.ready,
                completed: face.completed,
                leaving: face.leaving && !self.has(Plant::GateOfLeaver),
            },
        )
    }

    /// The first closed gate of a set.
    pub(crate) fn closed_gate(&self, set: &RevSet) -> Option<Wait> {
        let closed = set.edges.iter().position(|edge| !self.open(edge))?;
        Some(Wait::Gate(set.generation, u32::try_from(closed).unwrap_or(u32::MAX)))
    }

    /// What keeps a seat of the target set from its first start in a replacement: a closed gate, or a
    /// dependency that is being replaced itself.
    pub(crate) fn not_yet(&self) -> Option<Wait> {
        let set = self.own().target_set();
        self.closed_gate(set).or_else(|| {
            set.edges.iter().find(|edge| self.face(edge.to).changing).map(|edge| Wait::DepChanging(edge.to))
        })
    }

    /// Its starts are limited: so many at once are as much as a container engine takes well.
    pub(crate) fn is_container(&self, key: SlotKey) -> bool {
        self.own().set(key.generation).is_some_and(|set| set.spec.image.is_some())
    }

    /// What keeps this seat from being started.
    pub(crate) fn shut(&self, key: SlotKey, first: bool) -> Option<Wait> {
        let unit = self.own();
        if first && unit.rollout.is_some() && key.generation == unit.target {
            return self.not_yet();
        }
        self.closed_gate(unit.set(key.generation)?)
    }
}
