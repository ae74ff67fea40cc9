//! A stack for one test.

use std::{ops::Deref, path::Path, sync::Arc, time::Duration};

use orco_core::{
    engine::Engine,
    load::load_file,
    probe::ProbeFactory,
    runtime::Runtime,
    spec::{Known, Stack},
};

use crate::{
    Error, Services,
    host::{Change, Holder, Order, carry_out},
    keep,
    launch::{self, Own},
    room::{self, Room},
    services::Place,
    unique,
};

/// To be ready within this time, unless said otherwise. The pulling of images does not count.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);

/// A stack for one test, to be started.
#[derive(Clone, Debug)]
#[must_use = "it runs once it is started"]
pub struct TestStack {
    stack: Stack,
    within: Duration,
    keep: Option<Duration>,
    own: Own,
}

impl TestStack {
    /// A stack that was built in code.
    pub fn new(stack: Stack) -> Self {
        Self { stack, within: WITHIN, keep: None, own: Own::default() }
    }

    /// The stack of a file. A relative path is one from the working directory; `cargo test` and nextest run tests in the
    /// folder of their package.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is wrong with it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        match load_file(path, &Known::anything()) {
            Ok(loaded) => Ok(Self::new(loaded.stack)),
            Err(rejected) => Err(Error::Invalid { path: path.to_owned(), rejected: Box::new(rejected) }),
        }
    }

    /// Everything has to be ready within this time (default 60 s), pulls of images aside.
    pub const fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// If the test panics or the start fails, the services are left running for so long, for whoever wants to look at
    /// them; how is printed. `ORCO_TEST_KEEP=1` (10 minutes) or `ORCO_TEST_KEEP=SECONDS` does the same for all tests. They
    /// then run in a process of their own from the start, so [`Running::engine`] is `None`. Runtimes and probes of the
    /// test's own cannot live there: a stack with such is not kept.
    pub const fn keep_on_failure(mut self, time: Duration) -> Self {
        self.keep = Some(time);
        self
    }

    /// Also with this runtime; it takes the place of one of the same name.
    pub fn runtime(mut self, runtime: impl Into<Arc<dyn Runtime>>) -> Self {
        self.own.runtimes.push(runtime.into());
        self
    }

    /// Also with this kind of probe; it takes the place of one of the same name.
    pub fn probe(mut self, probe: impl Into<Arc<dyn ProbeFactory>>) -> Self {
        self.own.probes.push(probe.into());
        self
    }

    /// Starts the services and waits until all are ready (oneshots: completed). Dropped at any point, or failed, it leaves
    /// nothing (unless it is to be kept).
    ///
    /// # Errors
    /// [`Error::NotReady`] names the service that stands in the way, its exit, what its probe said and its last lines.
    pub async fn start(self) -> Result<Running, Error> {
        match self.keep.or_else(keep::from_env).filter(|_| self.own.is_empty()) {
            Some(time) => self.start_in_host(time).await,
            None => self.start_here().await,
        }
    }

    async fn start_here(self) -> Result<Running, Error> {
        let room = Arc::new(Room::new().map_err(Error::place(std::env::temp_dir()))?);
        let name = self.stack.name().to_string();
        let engine = launch::engine(self.stack, &self.own, room.path())?;
        if let Err(failure) = launch::up(&engine, &name, self.within).await {
            engine.shutdown().await;
            return Err(Error::NotReady(Box::new(failure)));
        }
        Ok(Running { services: Services::new(name, None, Place::Here { engine, room }) })
    }

    async fn start_in_host(self, time: Duration) -> Result<Running, Error> {
        let name = self.stack.name().to_string();
        let root = room::root().map_err(Error::place(std::env::temp_dir()))?;
        let dir = root.join(format!("k-{}", unique::word()));
        let order = Order::new(&self.stack, self.within, Duration::ZERO);
        let holder = Holder::enter(&dir, &order, Some(time)).await?;
        Ok(Running { services: Services::new(name, Some(time), Place::Host(Arc::new(holder))) })
    }
}

/// A stack of one test, all of it ready. Cheap to clone. It ends with [`shutdown`](Self::shutdown), at the latest with its
/// last clone, and whatever happens with this process.
///
/// Without a shutdown nothing is stopped in order: what runs is killed. That needs no runtime and blocks nobody.
#[derive(Clone, Debug)]
pub struct Running {
    services: Services,
}

impl Running {
    /// The engine, for all that it can do. `None`: the services run in a process of their own, since they are to be kept
    /// if the test fails.
    pub fn engine(&self) -> Option<&Engine> {
        match &self.services.held.place {
            Place::Here { engine, .. } => Some(engine),
            Place::Host(_) => None,
        }
    }

    /// Starts a service that was stopped, and waits until it is ready.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Command`] when that cannot be, [`Error::Host`].
    pub async fn start(&self, service: &str) -> Result<(), Error> {
        self.change(service, Change::Start).await
    }

    /// Stops a service, and waits until it is gone. What depends on it stays.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn stop(&self, service: &str) -> Result<(), Error> {
        self.change(service, Change::Stop).await
    }

    /// Replaces a service's instances, and waits until the new ones are ready.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&self, service: &str) -> Result<(), Error> {
        self.change(service, Change::Restart).await
    }

    async fn change(&self, service: &str, change: Change) -> Result<(), Error> {
        match &self.services.held.place {
            Place::Here { engine, .. } => {
                carry_out(engine, service, change).await?.map_err(|why| Error::Refused(why.to_string()))
            }
            Place::Host(holder) => holder.change(service, change).await,
        }
    }

    /// Stops everything in reverse order. When it returns, nothing is left but the logs, which go with the last clone.
    ///
    /// # Errors
    /// [`Error::Host`] when the process that runs them does not answer; it ends with this one.
    pub async fn shutdown(&self) -> Result<(), Error> {
        match &self.services.held.place {
            Place::Here { engine, .. } => {
                engine.shutdown().await;
                Ok(())
            }
            Place::Host(holder) => holder.end().await,
        }
    }
}

impl Deref for Running {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
