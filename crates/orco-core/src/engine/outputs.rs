//! Whose output there is: live instances, and the latest arrivals.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use tokio::{sync::watch, task::JoinHandle};

use crate::{log::Origin, model::InstanceId, runtime::Growth};

/// So many ended instances are a reason to look at the size, besides full segments; in a bigger stack as many as it
/// has, for a look costs time in proportion.
const ENDS: u64 = 64;

/// One instance whose output can be followed.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub(super) origin: Origin,
    pub(super) dir: PathBuf,
    pub(super) growth: Arc<dyn Growth>,
    /// True once all output is in the files.
    pub(super) ended: watch::Receiver<bool>,
}

impl Tail {
    /// Waits until there is more than `seen` bytes or the output has ended. `before` is what was seen at the
    /// last call: growth that brought nothing means that the end is near, and only it is waited for. Cancel-safe.
    pub(super) async fn more(&self, seen: u64, before: Option<u64>) {
        let mut ended = self.ended.clone();
        if before == Some(seen) {
            let _ = ended.wait_for(|e| *e).await;
            return;
        }
        // Both arms are cancel-safe: by the contract of `beyond`, and a watch loses nothing.
        tokio::select! {
            () = self.growth.beyond(seen) => {}
            _ = ended.wait_for(|e| *e) => {}
        }
    }
}

/// A live instance.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tail: Tail,
    pub(super) ended: watch::Sender<bool>,
    pub(super) writing: Option<JoinHandle<()>>,
}

/// Live instances, and the latest arrivals: one that comes and goes between two looks of a reader is in
/// the second only.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) live: BTreeMap<InstanceId, Entry>,
    arrived: VecDeque<Origin>,
    /// Arrivals in all.
    count: u64,
    /// The most that ever lived at once.
    most: u64,
    /// Ended since the last look at the size.
    ends: u64,
}

/// So many arrivals are remembered; a reader that slept through more looks at the directory instead.
const REMEMBERED: usize = 4096;

impl Table {
    pub(super) fn arrive(&mut self, inst: InstanceId, entry: Entry) -> u64 {
        if self.arrived.len() == REMEMBERED {
            self.arrived.pop_front();
        }
        self.arrived.push_back(entry.tail.origin.clone());
        self.live.insert(inst, entry);
        self.most = self.most.max(self.live.len() as u64);
        self.count += 1;
        self.count
    }

    /// Takes an ended instance out, and says whether it is time to look at the size.
    pub(super) fn leave(&mut self, inst: InstanceId) -> Option<(Entry, bool)> {
        let entry = self.live.remove(&inst)?;
        self.ends += 1;
        let look = self.ends >= self.most.max(ENDS);
        if look {
            self.ends = 0;
        }
        Some((entry, look))
    }

    /// Who came after the first `from` arrivals, and who lives.
    pub(super) fn since(&self, from: u64) -> Arrivals {
        let news = usize::try_from(self.count - from).unwrap_or(usize::MAX);
        let known = self.arrived.len();
        let origins = (news <= known).then(|| self.arrived.range(known - news..).cloned().collect());
        Arrivals { origins, tails: self.tails(), count: self.count }
    }

    /// All live instances.
    pub(super) fn tails(&self) -> Vec<Tail> {
        self.live.values().map(|entry| entry.tail.clone()).collect()
    }
}

/// What came since a reader last looked.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// `None`: too many to remember.
    pub(super) origins: Option<Vec<Origin>>,
    /// All that live now.
    pub(super) tails: Vec<Tail>,
    /// From where to look the next time.
    pub(super) count: u64,
}
