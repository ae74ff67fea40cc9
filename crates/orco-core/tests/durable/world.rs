//! A world that outlives engines, and engines that can be killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use orco_core::{
    brain::Command,
    engine::{Durable, Engine, Occasion, State},
    model::{Exit, InstanceId, ServiceName, StackId},
    runtime::{Found, Handle, How, Known, LogPosition, LogSource, Runtime, RuntimeError, StartRequest},
    spec::{Service, ServiceBuilder, Stack},
};
use tokio::sync::watch;

/// Whose an instance is, and how it ended.
pub type Body = (ServiceName, watch::Sender<Option<Exit>>);

/// How the answer to a start is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// It never comes: whoever asks dies meanwhile, and it is left half done.
    Never,
    /// Nobody knows what it would have been.
    Unanswered,
}

/// A runtime whose instances live on when an engine dies, and whose exits are kept until they are taken.
#[derive(Debug, Default)]
pub struct World {
    pub all: Mutex<BTreeMap<InstanceId, Body>>,
    pub starts: AtomicUsize,
    /// Starts that were asked for, also in vain.
    pub tries: AtomicUsize,
    /// It is an engine of its own.
    pub remote: bool,
    /// That engine does not answer.
    pub away: watch::Sender<bool>,
    /// So many ports more turn out to be a stranger's.
    pub taken: AtomicUsize,
    /// What is made and does not run yet.
    pub made: Mutex<BTreeSet<InstanceId>>,
    /// A list does not have it yet.
    pub unseen: AtomicBool,
    /// What its starts of `db` answer, though they are heard.
    pub lost: Mutex<Option<Lost>>,
    /// The ports of the host that were asked for.
    pub published: Mutex<Vec<u16>>,
    /// Its instances take no notice of the stop signal.
    pub deaf: AtomicBool,
    /// So often it was asked what there is.
    pub lists: AtomicUsize,
}

impl World {
    pub fn end(&self, service: &str, exit: Exit) {
        for (name, over) in self.all.lock().unwrap().values() {
            if name.as_str() == service {
                over.send_replace(Some(exit));
            }
        }
    }

    pub fn live(&self) -> Vec<InstanceId> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|(_, (_, over))| over.borrow().is_none()).map(|(id, _)| *id).collect()
    }

    /// An engine of containers.
    pub fn remote() -> Arc<Self> {
        Arc::new(Self { remote: true, ..Self::default() })
    }

    pub fn here(&self) -> Result<(), RuntimeError> {
        if *self.away.borrow() { Err(RuntimeError::unavailable("the engine is away")) } else { Ok(()) }
    }

    pub async fn back(&self) {
        let _ = self.away.subscribe().wait_for(|away| !away).await;
    }

    pub fn over(&self, id: InstanceId) -> Option<watch::Receiver<Option<Exit>>> {
        self.all.lock().unwrap().get(&id).map(|(_, over)| over.subscribe())
    }
}

#[derive(Debug)]
pub struct Survivors(pub &'static str, pub Arc<World>);

#[async_trait]
impl Runtime for Survivors {
    fn name(&self) -> &str {
        self.0
    }

    fn is_remote(&self) -> bool {
        self.1.remote
    }

    fn isolates(&self, _: &Service) -> bool {
        self.1.remote
    }

    async fn list(&self, _: &StackId, _: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        self.1.lists.fetch_add(1, Ordering::Relaxed);
        self.1.here()?;
        let (all, made) = (self.1.all.lock().unwrap(), self.1.made.lock().unwrap());
        let unseen = self.1.unseen.load(Ordering::Relaxed);
        let seen = all.iter().filter(|(id, _)| !(unseen && made.contains(id)));
        Ok(seen.map(|(id, (name, _))| Found::new(Handle::new(*id, "t"), name.clone())).collect())
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        self.1.tries.fetch_add(1, Ordering::Relaxed);
        self.1.here()?;
        if let Some(publish) = request.publish.first() {
            self.1.published.lock().unwrap().push(publish.host);
            let one_less = |n: usize| n.checked_sub(1);
            if self.1.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
                return Err(RuntimeError::port_taken(publish.host, "a stranger has it"));
            }
        }
        let again = self.1.over(request.instance).is_some();
        assert!(self.1.remote || !again, "an id is given twice");
        if !again {
            // Asked for once more, engines of containers find what they have made.
            self.1.starts.fetch_add(1, Ordering::Relaxed);
            let entry = (request.service.name.clone(), watch::Sender::new(None));
            self.1.all.lock().unwrap().insert(request.instance, entry);
        }
        let lost = *self.1.lost.lock().unwrap();
        match lost.filter(|_| request.service.name.as_str() == "db") {
            Some(Lost::Never) => {
                self.1.made.lock().unwrap().insert(request.instance);
                std::future::pending().await
            }
            Some(Lost::Unanswered) => Err(RuntimeError::unanswered("no answer")),
            None => {
                self.1.made.lock().unwrap().remove(&request.instance);
                Ok(Handle::new(request.instance, "t"))
            }
        }
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        self.1.back().await;
        if self.1.made.lock().unwrap().remove(&handle.instance) {
            // It never ran, and never will.
            self.1.all.lock().unwrap().remove(&handle.instance);
        }
        let Some(mut over) = self.1.over(handle.instance) else {
            return if self.1.remote { Ok(Exit::Unknown) } else { Err(RuntimeError::unknown("no such instance")) };
        };
        Ok(over.wait_for(Option::is_some).await.unwrap().unwrap())
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        self.1.here()?;
        let exit = match how {
            How::Graceful(_) if self.1.deaf.load(Ordering::Relaxed) => return Ok(()),
            How::Graceful(signal) => Exit::Signal(signal),
            How::Kill => Exit::Signal(9),
        };
        if let Some((_, over)) = self.1.all.lock().unwrap().get(&handle.instance) {
            over.send_if_modified(|now| now.is_none() && now.replace(exit).is_none());
        }
        Ok(())
    }

    async fn signal(&self, _: &Handle, _: i32) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        self.1.here()?;
        self.1.all.lock().unwrap().remove(&instance);
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.1.all.lock().unwrap().remove(&handle.instance);
        Ok(())
    }

    fn logs(&self, _: &Handle, _: Option<&LogPosition>) -> LogSource {
        LogSource::Stream(Box::pin(futures::stream::empty()))
    }
}

pub fn stack() -> Stack {
    Stack::builder("demo")
        .service(ServiceBuilder::process("db", ["db"]))
        .service(ServiceBuilder::process("seed", ["seed"]).oneshot())
        .service(ServiceBuilder::process("api", ["api", "${port}"]).replicas(2).depends_on("db"))
        .build()
        .unwrap()
}

/// An engine in a runtime of its own, so that it can be killed: dropped in the middle of whatever it does.
pub struct Life {
    pub tokio: Option<tokio::runtime::Runtime>,
    pub engine: Engine,
    pub elsewhere: Arc<World>,
}

impl Life {
    pub fn begin(dir: &Path, world: &Arc<World>, occasion: Option<&str>) -> Self {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        // Another engine of containers, which this machine lacks and no service asks for.
        let elsewhere = World::remote();
        elsewhere.away.send_replace(true);
        let engine = tokio.block_on(async {
            let durable = Durable::open(dir).unwrap();
            let stack = durable.stack().cloned().filter(|_| occasion.is_none()).unwrap_or_else(stack);
            let mut builder = Engine::builder(stack)
                .id(StackId::from_bits(7))
                .state(State::Durable(Box::new(durable)))
                .runtime(Arc::new(Survivors("process", Arc::clone(world))) as Arc<dyn Runtime>)
                .runtime(Arc::new(Survivors("elsewhere", Arc::clone(&elsewhere))) as Arc<dyn Runtime>);
            if let Some(id) = occasion {
                let command = Command::Start { services: Vec::new(), deps: true };
                builder = builder.occasion(Occasion::new(id, command));
            }
            let engine = builder.start().unwrap();
            engine.recovered().await;
            engine
        });
        Self { tokio: Some(tokio), engine, elsewhere }
    }

    pub fn block<T>(&self, future: impl Future<Output = T>) -> T {
        let limited = async { tokio::time::timeout(Duration::from_secs(20), future).await.expect("in time") };
        self.tokio.as_ref().unwrap().block_on(limited)
    }

    pub fn kill(mut self) {
        // What is under way is dropped where it stands.
        self.tokio.take().unwrap().shutdown_background();
    }

    pub fn restarts(&self, service: &str) -> u64 {
        let status = self.block(self.engine.status()).unwrap();
        status.snapshot.services.iter().find(|s| s.name.as_str() == service).unwrap().restarts
    }
}

pub fn finish_seed(world: &World) {
    for _ in 0..2000 {
        world.end("seed", Exit::Code(0));
        if world.live().len() == 3 {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the oneshot never started");
}

/// Polls, for things that happen on other threads.
pub fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}
