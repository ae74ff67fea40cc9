//! The keeper as the engine uses it.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use orco_core::model::{Exit, InstanceId};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    config::Config,
    error::{Refusal, SpawnError, StartError},
    ids::Ids,
    instance::{Instance, Papers},
    link::{Link, lock},
    shared::Shared,
};
use crate::{
    ledger::Ledger,
    wire::{Backend, Order, Spawn},
};

/// What a command left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ExecOutput {
    /// How it ended; `None`: its timeout killed it.
    pub exit: Option<Exit>,
    /// The last 64 KiB of its standard output and error.
    pub output: Vec<u8>,
    /// So many bytes came before that and were not kept.
    pub omitted: u64,
}

/// Something that nobody asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The keeper died. All it held has ended, and the ends have been told; or, of a detached one, another keeper has
    /// taken over all it held.
    KeeperLost(String),
    /// An instance's segment of this number is closed. To be answered by [`Client::acknowledge`].
    Rotated {
        /// The instance.
        id: InstanceId,
        /// The number.
        segment: u32,
    },
}

/// A keeper. When the last clone is dropped, everything that it holds is ended.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
}

impl Client {
    /// A client without a keeper: it is started when it is needed.
    pub fn new(config: Config) -> Self {
        let (events, heard) = mpsc::unbounded_channel();
        let (signals, asked) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            config,
            ids: Ids::new(),
            link: RwLock::new(None),
            starting: tokio::sync::Mutex::new(()),
            keepers: AtomicU64::new(0),
            leaving: AtomicBool::new(false),
            inventory: Mutex::new(Vec::new()),
            links: watch::Sender::new(0),
            turnover: Mutex::default(),
            settling: Mutex::default(),
            losses: watch::Sender::new(0),
            guard: Mutex::new(None),
            instances: Mutex::new(HashMap::new()),
            events,
            heard: tokio::sync::Mutex::new(heard),
            signals,
            asked: tokio::sync::Mutex::new(asked),
            ledger: Ledger::default(),
        });
        Self { shared }
    }

    /// Starts a keeper, if there is none.
    ///
    /// # Errors
    /// When this program cannot be a keeper, the program cannot be run, or does not answer.
    pub async fn connect(&self) -> Result<(), StartError> {
        self.shared.linked().await.map(drop)
    }

    /// What keepers are started with.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Starts an instance; returns the pid of its main process when the program has been executed. Dropping the
    /// future undoes nothing: [`kill`](Self::kill) and [`wait`](Self::wait) then end it.
    ///
    /// # Errors
    /// Nothing was started, or the keeper was lost and all it held has ended.
    pub async fn spawn(&self, spawn: Spawn) -> Result<u32, SpawnError> {
        let link = self.link().await?;
        let id = spawn.launch.id;
        let papers = Papers {
            token: Box::default(),
            stop_signal: spawn.stop_signal,
            log_dir: spawn.log_dir.clone(),
            log_stem: spawn.log_stem.clone(),
        };
        let instance = Arc::new(Instance::new(link.number, papers));
        lock(&self.shared.instances).insert(id, Arc::clone(&instance));
        let (answer, answered) = oneshot::channel();
        lock(&link.waiters).spawns.insert(id, answer);
        if let Err(error) = link.send(&Order::Spawn { spawn }) {
            lock(&link.waiters).spawns.remove(&id);
            self.shared.take(id);
            return Err(error);
        }
        drop(link);
        answered.await.unwrap_or_else(|_| {
            // The keeper died before the order reached it, and its end was told without this instance.
            instance.ended(Exit::Unknown, None);
            Err(SpawnError::new(Refusal::KeeperLost))
        })
    }

    /// Sends a signal to the instance's process group. Does nothing to one that is over.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn stop(&self, id: InstanceId, signal: i32) -> io::Result<()> {
        self.request(id, |request| Order::Stop { request, id, signal }).await
    }

    /// Kills the instance's whole tree. [`wait`](Self::wait) tells when it is gone.
    ///
    /// # Errors
    /// None at present.
    pub async fn kill(&self, id: InstanceId) -> io::Result<()> {
        self.request(id, |request| Order::Kill { request, id }).await
    }

    /// Sends a signal to the instance's main process alone.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn signal(&self, id: InstanceId, signal: i32) -> io::Result<()> {
        self.request(id, |request| Order::Signal { request, id, signal }).await
    }

    async fn request(&self, id: InstanceId, order: impl Fn(u64) -> Order) -> io::Result<()> {
        loop {
            let Some(instance) = self.shared.instance(id) else { return Ok(()) };
            // A detached keeper is replaced, and its successor is asked.
            let link = match self.shared.config.detached {
                Some(_) => self.shared.relinked().await.ok(),
                None => self.shared.current().filter(|link| link.number == instance.keeper()),
            };
            let Some(link) = link else { return Ok(()) };
            if instance.state().exit.is_some() {
                return Ok(());
            }
            let request = self.shared.ids.request();
            let (answer, answered) = oneshot::channel();
            lock(&link.waiters).requests.insert(request, answer);
            link.send(&order(request)).map_err(io::Error::other)?;
            drop(link);
            match answered.await {
                Err(_) if self.shared.config.detached.is_some() && !self.shared.departs() => {}
                // The keeper is lost and the instance with it.
                Err(_) | Ok(0 | libc::ESRCH) => return Ok(()),
                Ok(errno) => return Err(io::Error::from_raw_os_error(errno)),
            }
        }
    }

    /// Waits for the instance's end: its main process has exited, nothing of its tree is left, its output is in the
    /// log. `None`: no such instance. Cancel-safe, repeatable.
    pub async fn wait(&self, id: InstanceId) -> Option<Exit> {
        let instance = self.shared.instance(id)?;
        let mut watch = instance.watch();
        watch.wait_for(|state| state.exit.is_some()).await.ok()?.exit
    }

    /// Returns when more than `seen` bytes are in the instance's log, or it is over or unknown. Cancel-safe.
    pub async fn beyond(&self, id: InstanceId, seen: u64) {
        let Some(instance) = self.shared.instance(id) else { return };
        let mut watch = instance.watch();
        loop {
            let state = *watch.borrow_and_update();
            if state.written > seen || state.exit.is_some() {
                return;
            }
            if instance.arm(seen)
                && let Some(link) = self.shared.current()
            {
                // Too long it cannot be.
                let _ = link.send(&Order::Arm { id, beyond: seen });
            }
            if watch.changed().await.is_err() {
                return;
            }
        }
    }

    /// Closes the instance's segments at this size from now on, and the one of number `turn` at once if it is the one
    /// that is being written and holds anything. Answered by nothing: [`Event::Rotated`] tells of segments.
    pub fn segments(&self, id: InstanceId, bytes: u64, turn: Option<u32>) {
        let Some(instance) = self.shared.instance(id) else { return };
        if (instance.segments(bytes) || turn.is_some())
            && let Some(link) = self.shared.current()
        {
            // Too long it cannot be.
            let _ = link.send(&Order::Segments { id, bytes, turn });
        }
    }

    /// The engine is done with all closed segments.
    pub fn acknowledge(&self) {
        if let Some(link) = self.shared.current() {
            let _ = link.send(&Order::Acknowledge {});
        }
    }

    /// The next event. Cancel-safe; for one caller at a time.
    pub async fn event(&self) -> Event {
        match self.shared.heard.lock().await.recv().await {
            Some(event) => event,
            // The sender lives as long as we do.
            None => std::future::pending().await,
        }
    }

    /// The next signal that came to the detached keeper and is meant for the engine. Never returns in the foreground.
    /// Cancel-safe; for one caller at a time.
    pub async fn asked(&self) -> i32 {
        match self.shared.asked.lock().await.recv().await {
            Some(signal) => signal,
            // The sender lives as long as we do.
            None => std::future::pending().await,
        }
    }

    /// All instances that are not forgotten, with the pids that their main processes have or had.
    pub fn held(&self) -> Vec<(InstanceId, Option<u32>)> {
        lock(&self.shared.instances).iter().map(|(id, instance)| (*id, instance.state().pid)).collect()
    }

    /// All instances that are not over, with the pids of their main processes.
    pub fn live(&self) -> Vec<(InstanceId, Option<u32>)> {
        let instances = lock(&self.shared.instances);
        let states = instances.iter().map(|(id, instance)| (*id, instance.state()));
        states.filter(|(_, state)| state.exit.is_none()).map(|(id, state)| (id, state.pid)).collect()
    }

    /// The pid of a live instance's main process.
    pub fn pid(&self, id: InstanceId) -> Option<u32> {
        let state = self.shared.instance(id)?.state();
        state.pid.filter(|_| state.exit.is_none())
    }

    /// Forgets an instance that is over; so does a detached keeper.
    pub fn forget(&self, id: InstanceId) {
        let mut instances = lock(&self.shared.instances);
        if instances.get(&id).is_some_and(|instance| instance.state().exit.is_some()) {
            instances.remove(&id);
            drop(instances);
            self.recorded(id);
        }
    }

    /// How trees are killed.
    pub fn backend(&self) -> Option<Backend> {
        self.shared.current().map(|link| link.backend)
    }

    /// The keeper's pid.
    pub fn keeper_pid(&self) -> Option<u32> {
        self.shared.current().map(|link| link.keeper_pid)
    }

    /// Ends everything that is left, then the keeper; returns when they are gone. What is still registered to be cleaned
    /// up is cleaned up, for at most half a minute. A detached keeper only hangs up: it
    /// ends after its engine, so that nobody takes the stack for gone before the engine has cleared up.
    pub async fn shutdown(&self) {
        if self.shared.config.detached.is_some() && self.shared.current().is_none() {
            // One is being replaced, and must hear of it.
            let _ = self.shared.relinked().await;
        }
        self.before_leaving().await;
        self.shared.leaving.store(true, Ordering::Release);
        self.shared.links.send_modify(|links| *links += 1);
        let mut losses = self.shared.losses.subscribe();
        let Some(link) = self.shared.current() else { return };
        let _ = link.send(&Order::Shutdown {});
        drop(link);
        if self.shared.config.detached.is_some() {
            // The sender lives as long as we do.
            let _ = losses.changed().await;
            return;
        }
        let guard = lock(&self.shared.guard).clone();
        if let Some(guard) = guard {
            // Readable when it has ended; an error means the same.
            let _ = guard.readable().await;
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) async fn link(&self) -> Result<Arc<Link>, SpawnError> {
        match self.shared.linked().await {
            Ok(link) => Ok(link),
            Err(error) => Err(SpawnError::new(Refusal::NoKeeper(chain(&error)))),
        }
    }
}

fn chain(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
