//! What the tasks of a client and its callers share.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use orco_core::model::InstanceId;
use tokio::sync::{mpsc, watch};

use super::{
    config::Config,
    error::StartError,
    held::Held,
    ids::Ids,
    instance::Instance,
    keeper::Event,
    link::{GuardFd, Incoming, Link, lock},
    loss,
    succession::Turnover,
};
use crate::{ledger::Ledger, wire::Order};

/// What tasks and callers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) ids: Ids,
    pub(super) link: RwLock<Option<Arc<Link>>>,
    /// Held while a keeper is being started.
    pub(super) starting: tokio::sync::Mutex<()>,
    pub(super) keepers: AtomicU64,
    pub(super) leaving: AtomicBool,
    pub(super) inventory: Mutex<Vec<Held>>,
    /// How many connections there have been, or may be waited for in vain.
    pub(super) links: watch::Sender<u64>,
    pub(super) turnover: Mutex<Turnover>,
    /// Whom the newest keeper has not answered for yet, and what is to be told when it has.
    pub(super) settling: Mutex<Option<(BTreeSet<InstanceId>, String)>>,
    /// How many keepers have been lost.
    pub(super) losses: watch::Sender<u64>,
    pub(super) guard: Mutex<Option<Arc<tokio::io::unix::AsyncFd<GuardFd>>>>,
    pub(super) instances: Mutex<HashMap<InstanceId, Arc<Instance>>>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    /// Signals that came to the detached keeper.
    pub(super) signals: mpsc::UnboundedSender<i32>,
    pub(super) asked: tokio::sync::Mutex<mpsc::UnboundedReceiver<i32>>,
    /// What is to be cleaned up after us.
    pub(super) ledger: Ledger,
}

/// What a lost keeper held.
pub(super) struct Lost {
    pub(super) instances: Vec<(InstanceId, Arc<Instance>)>,
    pub(super) keeper_pid: u32,
    pub(super) leaving: bool,
}

impl Shared {
    /// The connection, if there is one.
    pub(super) fn current(&self) -> Option<Arc<Link>> {
        self.link.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection; a lost keeper is replaced.
    pub(super) async fn linked(self: &Arc<Self>) -> Result<Arc<Link>, StartError> {
        if let Some(link) = self.current() {
            return Ok(link);
        }
        if self.leaving.load(Ordering::Acquire) {
            return Err(StartError::ShutDown);
        }
        // Who replaces a lost one gives it what it has to take over first.
        if self.config.detached.is_some() && *self.links.borrow() > 0 {
            return self.relinked().await;
        }
        let _starting = self.starting.lock().await;
        if let Some(link) = self.current() {
            return Ok(link);
        }
        let number = self.next_number();
        let (link, incoming) = Link::open(&self.config, number, &self.ledger).await?;
        Ok(self.connect(link, incoming))
    }

    /// The connection to a detached keeper; one that is lost is being replaced.
    pub(super) async fn relinked(&self) -> Result<Arc<Link>, StartError> {
        let mut links = self.links.subscribe();
        loop {
            links.mark_unchanged();
            if let Some(link) = self.current() {
                return Ok(link);
            }
            if self.leaving.load(Ordering::Acquire) || *links.borrow() == 0 || links.changed().await.is_err() {
                return Err(StartError::ShutDown);
            }
        }
    }

    pub(super) fn next_number(&self) -> u64 {
        self.keepers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn connect(self: &Arc<Self>, link: Link, incoming: Incoming) -> Arc<Link> {
        let link = Arc::new(link);
        *lock(&self.guard) = Some(Arc::clone(&incoming.guard));
        *self.link.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
        self.ledger.kept(link.number);
        self.links.send_modify(|links| *links += 1);
        lock(&self.turnover).begins();
        tokio::spawn(loss::listen(incoming, Arc::downgrade(self)));
        link
    }

    /// Takes the connection of a lost keeper away, so that the next start makes a new one.
    pub(super) fn cut(&self, number: u64) -> Option<Arc<Link>> {
        let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
        if link.as_ref().is_some_and(|link| link.number == number) { link.take() } else { None }
    }

    /// Takes the connection of a lost keeper away, with all that it held.
    pub(super) fn unlink(&self, number: u64) -> Lost {
        let lost = self.cut(number);
        self.losses.send_modify(|losses| *losses += 1);
        let of_it = |(_, instance): &(&InstanceId, &Arc<Instance>)| instance.keeper() == number;
        let instances = lock(&self.instances).iter().filter(of_it).map(|(id, it)| (*id, Arc::clone(it))).collect();
        let keeper_pid = lost.map_or(0, |link| link.keeper_pid);
        Lost { instances, keeper_pid, leaving: self.leaving.load(Ordering::Acquire) }
    }

    pub(super) fn instance(&self, id: InstanceId) -> Option<Arc<Instance>> {
        lock(&self.instances).get(&id).cloned()
    }

    pub(super) fn put(&self, id: InstanceId, instance: Arc<Instance>) {
        lock(&self.instances).insert(id, instance);
    }

    /// To be told that a keeper was lost, once all these are answered for.
    pub(super) fn settle(&self, ids: BTreeSet<InstanceId>, words: String) {
        *lock(&self.settling) = Some((ids, words));
        self.settled(None);
    }

    /// The newest keeper has answered for this one.
    pub(super) fn settled(&self, id: Option<InstanceId>) {
        let mut settling = lock(&self.settling);
        let Some((ids, _)) = settling.as_mut() else { return };
        if let Some(id) = id {
            ids.remove(&id);
        }
        if ids.is_empty()
            && let Some((_, words)) = settling.take()
        {
            self.tell(Event::KeeperLost(words));
        }
    }

    /// All that is not over.
    pub(super) fn alive(&self) -> Vec<(InstanceId, Arc<Instance>)> {
        let instances = lock(&self.instances);
        let alive = instances.iter().filter(|(_, instance)| instance.state().exit.is_none());
        alive.map(|(id, instance)| (*id, Arc::clone(instance))).collect()
    }

    /// Asks the keeper again to tell when the instance's log grows, and how long its segments may be.
    pub(super) fn rearm(&self, id: InstanceId, instance: &Instance) {
        if let Some(bytes) = instance.segment()
            && let Some(link) = self.current()
        {
            let _ = link.send(&Order::Segments { id, bytes, turn: None });
        }
        if let Some(beyond) = instance.armed()
            && let Some(link) = self.current()
        {
            // Too long it cannot be.
            let _ = link.send(&Order::Arm { id, beyond });
        }
    }

    /// Forgets an instance.
    pub(super) fn take(&self, id: InstanceId) -> Option<Arc<Instance>> {
        lock(&self.instances).remove(&id)
    }

    /// Whether this is the end of a detached stack: the keeper has hung up and waits for us.
    pub(super) fn departs(&self) -> bool {
        self.config.detached.is_some() && self.leaving.load(Ordering::Acquire)
    }

    pub(super) fn ask(&self, signal: i32) {
        // The receiver lives as long as we do.
        let _ = self.signals.send(signal);
    }

    pub(super) fn tell(&self, event: Event) {
        // The receiver lives as long as we do.
        let _ = self.events.send(event);
    }
}

/// Whoever drops the last client is done, even if its process goes on. The link goes after this, and with it the keeper.
impl Drop for Shared {
    fn drop(&mut self) {
        self.ledger.due();
    }
}
