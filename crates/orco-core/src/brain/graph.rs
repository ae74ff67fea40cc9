//! Who depends on whom, over all sets that may still run.

use super::Brain;
use crate::model::ServiceIx;

impl Brain {
    /// Recomputes the edges of a service from its sets, and the reverse ones where they changed.
    pub(super) fn relink(&mut self, ix: ServiceIx) {
        let unit = &mut self.units[ix.index()];
        let mut edges: Vec<ServiceIx> = Vec::new();
        if !unit.gone {
            edges.extend(unit.sets.iter().flat_map(|set| set.edges.iter().map(|edge| edge.to)));
            edges.sort_unstable();
            edges.dedup();
        }
        if edges == unit.edges {
            return;
        }
        let old = std::mem::replace(&mut unit.edges, edges.clone());
        for &to in old.iter().filter(|to| edges.binary_search(to).is_err()) {
            self.units[to.index()].dependents.retain(|d| *d != ix);
            self.mark(to);
        }
        for &to in edges.iter().filter(|to| old.binary_search(to).is_err()) {
            let dependents = &mut self.units[to.index()].dependents;
            if let Err(at) = dependents.binary_search(&ix) {
                dependents.insert(at, ix);
            }
            self.mark(to);
        }
        self.mark(ix);
    }

    /// Ranks every service above what its target set depends on. Those edges have no cycle: each target
    /// set comes from the last stack that listed its service, and a later stack cannot name what an
    /// earlier one removed.
    pub(super) fn rank(&mut self) {
        let mut waits: Vec<usize> = vec![0; self.units.len()];
        let mut above: Vec<Vec<ServiceIx>> = vec![Vec::new(); self.units.len()];
        for ix in self.all() {
            let unit = &mut self.units[ix.index()];
            unit.rank = 0;
            if unit.gone {
                continue;
            }
            let edges = unit.target_set().edges.clone();
            waits[ix.index()] = edges.len();
            for edge in edges.iter() {
                above[edge.to.index()].push(ix);
            }
        }
        let mut free: Vec<_> = self.all().into_iter().filter(|ix| waits[ix.index()] == 0).collect();
        while let Some(ix) = free.pop() {
            let rank = self.units[ix.index()].rank + 1;
            for &dependent in &above[ix.index()] {
                let unit = &mut self.units[dependent.index()];
                unit.rank = unit.rank.max(rank);
                waits[dependent.index()] -= 1;
                if waits[dependent.index()] == 0 {
                    free.push(dependent);
                }
            }
        }
        debug_assert!(waits.iter().all(|&n| n == 0), "the stack has a cycle");
        self.reorder();
    }
}
