//! The keeper as the engine uses it.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use orco_core::model::{Exit, InstanceId};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    config::Config,
    error::{Refusal, SpawnError, StartError},
    held::Held,
    ids::Ids,
    instance::{Instance, Papers},
    link::{GuardFd, Incoming, Link, lock},
    loss,
    succession::Turnover,
};
use crate::wire::{Backend, Exec, Launch, Order, Spawn};

/// What a command left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ExecOutput {
    /// How it ended; `None`: its timeout killed it.
    pub exit: Option<Exit>,
    /// The last 64 KiB of its standard output and error.
    pub output: Vec<u8>,
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
    shared: Arc<Shared>,
}

/// What tasks and callers share.
#[derive(Debug)]
pub(super) struct Shared {
    config: Config,
    ids: Ids,
    link: RwLock<Option<Arc<Link>>>,
    /// Held while a keeper is being started.
    starting: tokio::sync::Mutex<()>,
    keepers: AtomicU64,
    leaving: AtomicBool,
    inventory: Mutex<Vec<Held>>,
    /// How many connections there have been, or may be waited for in vain.
    links: watch::Sender<u64>,
    pub(super) turnover: Mutex<Turnover>,
    /// Whom the newest keeper has not answered for yet, and what is to be told when it has.
    settling: Mutex<Option<(BTreeSet<InstanceId>, String)>>,
    /// How many keepers have been lost.
    losses: watch::Sender<u64>,
    guard: Mutex<Option<Arc<tokio::io::unix::AsyncFd<GuardFd>>>>,
    instances: Mutex<HashMap<InstanceId, Arc<Instance>>>,
    events: mpsc::UnboundedSender<Event>,
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    /// Signals that came to the detached keeper.
    signals: mpsc::UnboundedSender<i32>,
    asked: tokio::sync::Mutex<mpsc::UnboundedReceiver<i32>>,
}

/// What a lost keeper held.
pub(super) struct Lost {
    pub(super) instances: Vec<(InstanceId, Arc<Instance>)>,
    pub(super) keeper_pid: u32,
    pub(super) leaving: bool,
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

    /// Runs a command and returns its end and output. `id` of the launch is replaced by a fresh one. At the timeout,
    /// or when the future is dropped, its whole tree is killed.
    ///
    /// # Errors
    /// Nothing was started, or the keeper was lost and the command ended.
    pub async fn exec(&self, mut launch: Launch, timeout: Duration) -> Result<ExecOutput, SpawnError> {
        let link = self.link().await?;
        let id = self.shared.ids.command();
        launch.id = id;
        let (answer, answered) = oneshot::channel();
        lock(&link.waiters).execs.insert(id, answer);
        let timeout_ms =
            u64::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).min(u64::MAX / 2_000_000);
        let mut running = Running { link, id, over: false, request: self.shared.ids.request() };
        running.link.send(&Order::Exec { exec: Exec { launch, timeout_ms } })?;
        let answer = answered.await;
        running.over = true;
        answer.unwrap_or_else(|_| Err(SpawnError::new(Refusal::KeeperLost)))
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

    /// Ends everything that is left, then the keeper; returns when they are gone. A detached keeper only hangs up: it
    /// ends after its engine, so that nobody takes the stack for gone before the engine has cleared up.
    pub async fn shutdown(&self) {
        if self.shared.config.detached.is_some() && self.shared.current().is_none() {
            // One is being replaced, and must hear of it.
            let _ = self.shared.relinked().await;
        }
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

/// A command that is running. Dropped before its end, it is killed.
struct Running {
    link: Arc<Link>,
    id: InstanceId,
    request: u64,
    over: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.link.waiters).execs.remove(&self.id);
            let _ = self.link.send(&Order::Kill { request: self.request, id: self.id });
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

impl Shared {
    /// The connection, if there is one.
    pub(super) fn current(&self) -> Option<Arc<Link>> {
        self.link.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection; a lost keeper is replaced.
    async fn linked(self: &Arc<Self>) -> Result<Arc<Link>, StartError> {
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
        let (link, incoming) = Link::open(&self.config, number).await?;
        Ok(self.connect(link, incoming))
    }

    /// The connection to a detached keeper; one that is lost is being replaced.
    async fn relinked(&self) -> Result<Arc<Link>, StartError> {
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
        self.links.send_modify(|links| *links += 1);
        lock(&self.turnover).begins();
        tokio::spawn(loss::listen(incoming, Arc::downgrade(self)));
        link
    }

    /// Takes the connection of a lost keeper away, so that the next start makes a new one.
    pub(super) fn unlink(&self, number: u64) -> Lost {
        let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
        let lost = if link.as_ref().is_some_and(|link| link.number == number) { link.take() } else { None };
        drop(link);
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

    /// Asks the keeper again to tell when the instance's log grows.
    pub(super) fn rearm(&self, id: InstanceId, instance: &Instance) {
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
