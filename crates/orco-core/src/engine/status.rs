//! What the engine shows: the brain's snapshot with what only the engine knows.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use tokio::sync::watch;

use crate::model::{InstanceId, Moment, Snapshot};

/// What the engine knows of a live instance beyond the snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Overlay {
    /// Its main process.
    pub pid: Option<u32>,
    /// Its container.
    pub container: Option<String>,
    /// Its first port's address.
    pub endpoint: Option<SocketAddr>,
    /// The addresses of all its ports, by the port the program listens on.
    pub endpoints: BTreeMap<u16, SocketAddr>,
}

/// The stack at one moment.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Rises with every publication.
    pub version: u64,
    /// Microseconds since the Unix epoch.
    pub generated_at: u64,
    /// What the brain says.
    pub snapshot: Snapshot,
    /// What the engine adds, for live instances.
    pub overlays: BTreeMap<InstanceId, Overlay>,
    /// The stack was asked down as a whole.
    pub going_down: bool,
}

impl Status {
    /// The wall-clock time of a moment, in microseconds since the Unix epoch, counted back from
    /// this status so that a clock that jumped in between does not matter.
    pub fn wall(&self, moment: Moment) -> u64 {
        let ago = u64::try_from(self.snapshot.at.since(moment).as_micros()).unwrap_or(u64::MAX);
        self.generated_at.saturating_sub(ago)
    }
}

/// Whether the stack as a whole is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has asked it down.
    Wanted,
    /// It was asked down, and something is left.
    GoingDown,
    /// It was asked down, and is.
    Down,
}

/// Follows the [`Standing`]. Costs nothing while it stays the same; no statuses are published for it.
#[derive(Debug)]
pub struct StandingWatch {
    pub(super) rx: watch::Receiver<Standing>,
}

impl StandingWatch {
    /// As it is now.
    pub fn latest(&self) -> Standing {
        *self.rx.borrow()
    }

    /// Waits until it is another than this. `None`: the engine has ended. Cancel-safe.
    pub async fn other_than(&mut self, known: Standing) -> Option<Standing> {
        self.rx.wait_for(|now| *now != known).await.ok().map(|now| *now)
    }
}

/// Follows the status. Cheap; only while one exists are statuses published at all.
#[derive(Debug)]
pub struct Watch {
    pub(super) rx: watch::Receiver<Arc<Status>>,
}

impl Watch {
    /// The latest published.
    pub fn latest(&self) -> Arc<Status> {
        Arc::clone(&self.rx.borrow())
    }

    /// Waits for the next one (the latest wins; none is queued). `None`: the engine has ended.
    /// Cancel-safe.
    pub async fn changed(&mut self) -> Option<Arc<Status>> {
        self.rx.changed().await.ok()?;
        Some(Arc::clone(&self.rx.borrow_and_update()))
    }

    /// Waits until `what` gives something for a status, beginning with the latest. `None`: the engine
    /// has ended. Cancel-safe.
    pub async fn until<T>(&mut self, mut what: impl FnMut(&Status) -> Option<T>) -> Option<T> {
        loop {
            let latest = Arc::clone(&self.rx.borrow_and_update());
            if let Some(found) = what(&latest) {
                return Some(found);
            }
            self.rx.changed().await.ok()?;
        }
    }
}
