//! From a stack and plug-ins to a running engine.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    brain::BrainConfig,
    model::{ServiceName, StackId},
    probe::ProbeFactory,
    runtime::Runtime,
    spec::{Diagnostic, Logging, Service, Severity, Stack},
};

use super::{
    driver::{Driver, Inbox, REQUESTS},
    durable::Durable,
    events::EventLog,
    export::Exporting,
    handle::Engine,
    ledger::Ledger,
    logs::Logs,
    opening::{Occasion, Opening},
    past::Past,
    ports::Ports,
    progress::Waits,
    registry::Registry,
    report::{CAPACITY, Report, Reports},
    world::World,
};

/// Where an engine keeps its logs and other state.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum State {
    /// A private directory that goes with the engine.
    #[default]
    Temporary,
    /// This directory (0700); it stays. Nothing is remembered of what runs: it ends with the engine.
    Dir(PathBuf),
    /// What runs outlives the engine, and the next one goes on with it. Needs runtimes whose instances do.
    Durable(Box<Durable>),
}

/// Why an engine did not start. Nothing was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The plug-ins cannot do what the stack asks for.
    #[error("the stack does not fit the plug-ins: {}", join(.0))]
    Invalid(Vec<Diagnostic>),
    /// The state directory cannot be used.
    #[error("cannot use the state directory {}", .path.display())]
    State {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// [`EngineBuilder::start`] was called outside a Tokio runtime.
    #[error("an engine starts only inside a Tokio runtime")]
    NoTokio,
}

fn join(all: &[Diagnostic]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Puts an engine together.
#[derive(Debug)]
#[must_use]
pub struct EngineBuilder {
    stack: Stack,
    registry: Registry,
    state: State,
    id: Option<StackId>,
    seed: Option<u128>,
    occasion: Option<Occasion>,
    logging: Logging,
}

impl EngineBuilder {
    pub(super) fn new(stack: Stack) -> Self {
        Self {
            stack,
            registry: Registry::default(),
            state: State::default(),
            id: None,
            seed: None,
            occasion: None,
            logging: Logging::default(),
        }
    }

    /// Registers a runtime under its name; the last of one name wins.
    pub fn runtime(mut self, runtime: impl Into<Arc<dyn Runtime>>) -> Self {
        let runtime = runtime.into();
        self.registry.runtimes.insert(runtime.name().to_owned(), runtime);
        self
    }

    /// Registers a kind of probe under its name; the last of one name wins.
    pub fn probe(mut self, probe: impl Into<Arc<dyn ProbeFactory>>) -> Self {
        let probe = probe.into();
        self.registry.probes.insert(probe.name().to_owned(), probe);
        self
    }

    /// Registers several kinds of probes.
    pub fn probes(mut self, probes: impl IntoIterator<Item = Arc<dyn ProbeFactory>>) -> Self {
        for probe in probes {
            self = self.probe(probe);
        }
        self
    }

    /// Where logs go. Default: a temporary directory.
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// What wins over the `logging` of the stack, and of every stack that is applied later.
    pub fn logging(mut self, over: Logging) -> Self {
        self.logging = over;
        self
    }

    /// The stack's identity. Default: random.
    pub const fn id(mut self, id: StackId) -> Self {
        self.id = Some(id);
        self
    }

    /// Fixes what is random otherwise (instance ids, jitter, the id of a stack without one), for tests.
    pub const fn seed(mut self, seed: u128) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What to do when the state is taken over: apply the builder's stack and carry out the occasion's command, unless an
    /// engine has begun with this occasion before. Without an occasion, a [`State::Durable`] that holds a stack goes on
    /// with that one.
    pub fn occasion(mut self, occasion: Occasion) -> Self {
        self.occasion = Some(occasion);
        self
    }

    /// Starts the engine. No service is started before [`Engine::up`] (or an [`occasion`](Self::occasion)). Not `async`,
    /// so there is nothing to cancel: an engine whose last handle is dropped kills what it started and ends.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started then.
    pub fn start(self) -> Result<Engine, StartError> {
        let tokio = tokio::runtime::Handle::try_current().map_err(|_| StartError::NoTokio)?;
        let refused: Vec<_> =
            self.registry.check(&self.stack).into_iter().filter(|d| d.severity == Severity::Error).collect();
        if !refused.is_empty() {
            return Err(StartError::Invalid(refused));
        }
        let seed = self.seed.unwrap_or_else(random);
        let id = self.id.unwrap_or_else(|| StackId::from_bits(u64::try_from(seed >> 64).unwrap_or(0)));
        let (home, durable) = Home::open(self.state, seed)?;
        let failed = |source| StartError::State { path: home.path().to_owned(), source };
        let logs = Arc::new(Logs::open(home.path().join("logs"), self.logging).map_err(failed)?);
        let (reports_tx, reports) = mpsc::channel(CAPACITY);
        let (requests_tx, requests) = mpsc::channel(REQUESTS);
        let mut config = BrainConfig::new(seed);
        config.runs = logs.runs().map_err(failed)?;
        let mut past = Past::read(durable, config).map_err(|why| failed(io::Error::other(why)))?;
        let events = Arc::new(EventLog::new(std::mem::take(&mut past.events)));
        let ledger = match past.files.take() {
            Some(files) => Ledger::start(files, Arc::clone(&events)).map_err(failed)?,
            None => Ledger::none(),
        };
        logs.learn(&self.stack);
        past.stack.iter().for_each(|stack| logs.learn(stack));
        let wanted = past.stack.take().unwrap_or_else(|| self.stack.clone());
        logs.settle(&wanted);
        logs.tell(&logs.settings());
        let mut ports = Ports::new(u64::try_from(seed & u128::from(u64::MAX)).unwrap_or(0));
        std::mem::take(&mut past.ports).into_iter().for_each(|(port, seated)| ports.restore(port, seated));
        let world = Arc::new(World {
            stack: id,
            stack_name: Arc::from(self.stack.name().as_str()),
            registry: self.registry,
            logs: Arc::clone(&logs),
            reports: Reports(reports_tx),
            ledger,
            ending: CancellationToken::new(),
            hurry: CancellationToken::new(),
            abandoned: CancellationToken::new(),
            ports: Mutex::new(ports),
            directory: Mutex::new(directory(&wanted)),
            waits: Waits::default(),
            wanted: Mutex::new(wanted),
        });
        let (done, recovered) = watch::channel(false);
        let opening = Opening {
            restored: past.restored,
            handles: past.handles,
            begun: past.begun,
            stack: self.stack,
            occasion: self.occasion,
            done,
        };
        let inbox = Inbox { requests, reports };
        let mut driver = Driver::new(past.brain, past.clock, Arc::clone(&world), Arc::clone(&events), inbox);
        driver.export = Some(Exporting::start(Arc::clone(&world.logs), id, recovered.clone()));
        let quit = CancellationToken::new();
        for (name, runtime) in &world.registry.runtimes {
            tokio.spawn(listen(name.clone(), Arc::clone(runtime), Arc::clone(&world), quit.clone()));
        }
        let keep = {
            let (world, quit) = (Arc::clone(&world), quit.clone());
            let mut recovered = recovered.clone();
            async move {
                // Until then nobody knows who lives and writes.
                let _ = recovered.wait_for(|done| *done).await;
                let tidied = || world.registry.runtimes.values().for_each(|r| r.tidied());
                // Cancel-safe: a round that was begun goes on on its own thread.
                tokio::select! {
                    () = Arc::clone(&world.logs).keep_small(tidied) => {}
                    () = quit.cancelled() => {}
                }
            }
        };
        tokio.spawn(keep);
        let guard = quit.drop_guard();
        let state_dir = home.path().to_owned();
        tokio.spawn(async move {
            driver.run(opening).await;
            drop(guard);
            drop(home);
        });
        Ok(Engine::new(id, state_dir, world, events, requests_tx, recovered))
    }
}

/// Each service with its number of replicas.
pub(super) fn directory(stack: &Stack) -> BTreeMap<ServiceName, (Arc<Service>, u32)> {
    stack.services().iter().map(|s| (s.name.clone(), (Arc::clone(s), s.replicas))).collect()
}

/// Passes a runtime's news on until the engine ends.
async fn listen(runtime: String, source: Arc<dyn Runtime>, world: Arc<World>, quit: CancellationToken) {
    loop {
        // Cancel-safe by the contract of `notice`.
        tokio::select! {
            notice = source.notice() => {
                world.reports.send(Report::Notice { runtime: runtime.clone(), notice }).await;
            }
            () = quit.cancelled() => return,
        }
    }
}

/// 128 random bits without a dependency: the standard library seeds its hash maps from the system.
fn random() -> u128 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let half = || u128::from(RandomState::new().build_hasher().finish());
    half() << 64 | half()
}

/// The state directory; a temporary one is removed when the driver has ended, and not before: until then instances
/// write their logs there.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    temporary: bool,
}

impl Home {
    #[expect(clippy::disallowed_methods, reason = "the state directory is made here")]
    fn open(state: State, seed: u128) -> Result<(Self, Option<Durable>), StartError> {
        let mut durable = None;
        let (path, temporary) = match state {
            State::Dir(path) => (path, false),
            State::Durable(opened) => (durable.insert(*opened).dir.clone(), false),
            State::Temporary => (std::env::temp_dir().join(format!("orco-{:016x}", seed >> 64)), true),
        };
        match fs::DirBuilder::new().recursive(!temporary).mode(0o700).create(&path) {
            Ok(()) => Ok((Self { path, temporary }, durable)),
            Err(source) => Err(StartError::State { path, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    #[expect(clippy::disallowed_methods, reason = "the temporary state directory goes with the engine")]
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
