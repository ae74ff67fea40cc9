//! The client of an engine that a keeper has started.

use std::{
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use orco_core::model::InstanceId;
use tokio::sync::oneshot;

use super::{
    config::Config,
    error::StartError,
    held::Held,
    instance::{Instance, Papers},
    keeper::Client,
    link::{Link, lock},
};
use crate::wire::Order;

impl Client {
    /// A client of the keeper that has started this engine, with what it holds. `config.detached` says what another
    /// keeper needs should this one be lost; when the last clone is dropped, nothing is ended.
    ///
    /// # Errors
    /// What is on the descriptor is no keeper of our version, or the asked-for backend does not work.
    pub async fn attach(config: Config, link: OwnedFd, keeper_pid: u32) -> Result<Self, StartError> {
        let client = Self::new(config);
        let shared = &client.shared;
        let number = shared.keepers.fetch_add(1, Ordering::Relaxed);
        let (link, incoming, held) = Link::attach(&shared.config, number, link, keeper_pid).await?;
        for one in &held {
            let papers = Papers {
                token: one.token.as_bytes().into(),
                stop_signal: one.stop_signal,
                log_dir: one.log_dir.as_os_str().as_bytes().into(),
                log_stem: one.log_stem.as_bytes().into(),
            };
            let instance = Arc::new(Instance::new(number, papers));
            instance.started(one.pid);
            if let Some(exit) = one.exit {
                instance.ended(exit, Some(one.bytes));
            }
            lock(&shared.instances).insert(one.id, instance);
        }
        *lock(&shared.inventory) = held;
        shared.connect(link, incoming);
        Ok(client)
    }

    /// What the keeper held when this engine came.
    pub fn inventory(&self) -> Vec<Held> {
        lock(&self.shared.inventory).clone()
    }

    /// The end of this instance is recorded: the keeper forgets it.
    pub fn recorded(&self, id: InstanceId) {
        self.order(&Order::Recorded { id });
    }

    /// This engine has recovered and answers.
    pub fn serving(&self) {
        self.order(&Order::Serving {});
    }

    /// This engine is about to end; the keeper starts the program at this path in its place, and this one again
    /// should that one never serve. To be followed by [`heard`](Self::heard) before this process ends.
    pub fn succeed(&self, program: &Path) {
        self.order(&Order::Succeed { program: program.as_os_str().as_bytes().into() });
    }

    /// Returns when the keeper has taken in what was said before, or is gone. To be awaited before this process ends.
    pub async fn heard(&self) {
        let Some(link) = self.shared.current() else { return };
        let (request, id) = (self.shared.ids.request(), self.shared.ids.command());
        let (answer, answered) = oneshot::channel();
        lock(&link.waiters).requests.insert(request, answer);
        // A signal to nobody: orders are carried out in turn, and this one is answered.
        let _ = link.send(&Order::Signal { request, id, signal: 0 });
        drop(link);
        let _ = answered.await;
    }

    /// An order that only a detached keeper knows, and that needs no answer.
    fn order(&self, order: &Order) {
        if self.shared.config.detached.is_some()
            && let Some(link) = self.shared.current()
        {
            // Too long it cannot be.
            let _ = link.send(order);
        }
    }
}
