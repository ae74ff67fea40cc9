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
        if old.iter().any(|to| edges.binary_search(to).is_err()) {
            self.weigh_again();
        }
    }

    /// An edge that was left out of the ranks may count now that another one has gone.
    pub(super) fn weigh_again(&mut self) {
        if self.contradicted {
            self.rank();
            self.all().into_iter().for_each(|ix| self.mark(ix));
        }
    }

    /// Ranks every service above what its sets depend on. The edges of target sets have no cycle: each
    /// comes from the last stack that listed its service, and a later stack cannot name what an earlier one
    /// removed. Edges of old sets may run the other way round, when an update turned them; such an edge is
    /// left out: nobody waits along it.
    pub(super) fn rank(&mut self) {
        let mut below: Vec<Vec<ServiceIx>> = vec![Vec::new(); self.units.len()];
        let mut old: Vec<(bool, ServiceIx, ServiceIx)> = Vec::new();
        for ix in self.all() {
            let unit = &self.units[ix.index()];
            if unit.gone {
                continue;
            }
            below[ix.index()] = unit.target_set().edges.iter().map(|edge| edge.to).collect();
            for set in unit.sets.iter().filter(|set| set.generation != unit.target) {
                let empty = !unit.slots.iter().any(|slot| slot.key.generation == set.generation);
                old.extend(set.edges.iter().map(|edge| (empty, ix, edge.to)));
            }
        }
        // Where two of them contradict each other, those under real seats count.
        old.sort_unstable();
        self.contradicted = false;
        for (_, from, to) in old {
            if reaches(&below, to, from) {
                self.contradicted = true;
            } else if !below[from.index()].contains(&to) {
                below[from.index()].push(to);
            }
        }
        self.rank_along(&below);
        self.reorder();
    }

    /// The longest way down, for all.
    fn rank_along(&mut self, below: &[Vec<ServiceIx>]) {
        let mut waits: Vec<usize> = below.iter().map(Vec::len).collect();
        let mut above: Vec<Vec<ServiceIx>> = vec![Vec::new(); below.len()];
        for ix in self.all() {
            self.units[ix.index()].rank = 0;
            for to in &below[ix.index()] {
                above[to.index()].push(ix);
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
    }
}

/// Whether there is a way down from one service to another.
fn reaches(below: &[Vec<ServiceIx>], from: ServiceIx, to: ServiceIx) -> bool {
    let mut seen = vec![false; below.len()];
    let mut queue = vec![from];
    while let Some(ix) = queue.pop() {
        if ix == to {
            return true;
        }
        if !std::mem::replace(&mut seen[ix.index()], true) {
            queue.extend(&below[ix.index()]);
        }
    }
    false
}
