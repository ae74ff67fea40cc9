//! The runtime's parts, and what they share.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use orco_core::model::{InstanceId, StackId};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    credentials::Credentials,
    engine::Client,
    fate::Fate,
    flights::Flights,
    news::News,
    pull::{Pulls, Report},
    register::Register,
    stack::Belongings,
    watch::Watch,
};

/// Runs services as containers, on Docker or on Podman. No I/O before the first call.
///
/// ```no_run
/// use orco_runtime_docker::Docker;
///
/// let docker = Docker::new();
/// let elsewhere = Docker::builder().host("unix:///run/other.sock").build();
/// # drop((docker, elsewhere));
/// ```
pub struct Docker {
    pub(crate) inner: Arc<Inner>,
}

/// What the tasks of a runtime share.
pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
    pub(crate) fate: Fate,
    pub(crate) keep_volumes: bool,
    /// What is known of instances.
    pub(crate) register: Register,
    /// Starts under way.
    pub(crate) flights: Flights,
    pub(crate) watch: Watch,
    pub(crate) pulls: Pulls,
    /// What pulls have to say.
    pub(crate) news: Arc<News>,
    /// Networks and volumes.
    stacks: Mutex<BTreeMap<StackId, Arc<Belongings>>>,
    /// Stacks that an engine was asked for and of which nothing is known: there may never have been an engine.
    unheard: Mutex<BTreeSet<StackId>>,
    /// All tasks; they end when `closing` is cancelled.
    pub(crate) tasks: TaskTracker,
    pub(crate) closing: CancellationToken,
    numbers: AtomicU64,
    /// Tells what this runtime has made from what an earlier one made.
    token: u64,
}

impl Inner {
    pub(crate) fn new(name: &'static str, client: Client, fate: Fate, keep_volumes: bool, login: Credentials) -> Self {
        let news = Arc::new(News::default());
        let report: Report = {
            let news = Arc::clone(&news);
            Arc::new(move |word| news.tell(word))
        };
        Self {
            pulls: Pulls::new(client.clone(), login, report),
            news,
            name,
            client,
            fate,
            keep_volumes,
            register: Register::default(),
            flights: Flights::default(),
            watch: Watch::default(),
            stacks: Mutex::default(),
            unheard: Mutex::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            numbers: AtomicU64::new(1),
            token: RandomState::new().hash_one(std::process::id()),
        }
    }

    fn stacks(&self) -> MutexGuard<'_, BTreeMap<StackId, Arc<Belongings>>> {
        self.stacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What belongs to the stack, and is to be there before its first container.
    pub(crate) fn belongings(&self, stack: StackId) -> Arc<Belongings> {
        Arc::clone(self.stacks().entry(stack).or_default())
    }

    /// The engine is about to be asked for all of the stack. `known`: there is something of it, or was a moment ago.
    pub(crate) fn asked_for(&self, stack: StackId, known: bool) {
        if known {
            self.belongings(stack);
        }
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner).insert(stack);
    }

    /// Stacks of which nothing was ever heard.
    pub(crate) fn unheard_stacks(&self) -> Vec<StackId> {
        let known = self.known_stacks();
        let unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        unheard.iter().filter(|stack| !known.contains(stack)).copied().collect()
    }

    /// Something of it has gone: the next start looks anew.
    pub(crate) fn look_anew(&self, stack: StackId) {
        self.stacks().remove(&stack);
    }

    /// All stacks that this runtime had to do with.
    pub(crate) fn known_stacks(&self) -> Vec<StackId> {
        let mut stacks: Vec<_> = self.stacks().keys().copied().collect();
        stacks.extend(self.register.stacks());
        stacks.sort_unstable();
        stacks.dedup();
        stacks
    }

    /// The instance is this stack's, and its own.
    pub(crate) fn enter(&self, instance: InstanceId, stack: StackId) {
        let another = !self.register.stacks().contains(&stack);
        self.register.enter(instance, stack);
        if another {
            self.watch.renew();
        }
    }

    /// What marks the container of a hook: whose it is, and a number.
    pub(crate) fn hook_mark(&self) -> String {
        format!("{:016x}.{}", self.token, self.number())
    }

    /// Whether this runtime has made it.
    pub(crate) fn is_own_hook(&self, mark: &str) -> bool {
        mark.split_once('.').is_some_and(|(token, _)| token == format!("{:016x}", self.token))
    }

    /// A number that this runtime has not used yet.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Docker").field("name", &self.name).field("engine", &self.client.host()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Docker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.inner.closing.cancel();
    }
}
