//! An engine dies, and the next one on the same state goes on with what runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use orco_core::{
    brain::Command,
    engine::{Durable, Engine, Event, EventQuery, Occasion, State},
    model::{EventKind, Exit, InstanceId, ServiceName, StackId},
    runtime::{Found, Handle, How, Known, LogPosition, LogSource, Runtime, RuntimeError, StartRequest},
    spec::{Service, ServiceBuilder, Stack},
};
use tokio::sync::watch;

/// Whose an instance is, and how it ended.
type Body = (ServiceName, watch::Sender<Option<Exit>>);

/// How the answer to a start is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lost {
    /// It never comes: whoever asks dies meanwhile, and it is left half done.
    Never,
    /// Nobody knows what it would have been.
    Unanswered,
}

/// A runtime whose instances live on when an engine dies, and whose exits are kept until they are taken.
#[derive(Debug, Default)]
struct World {
    all: Mutex<BTreeMap<InstanceId, Body>>,
    starts: AtomicUsize,
    /// Starts that were asked for, also in vain.
    tries: AtomicUsize,
    /// It is an engine of its own.
    remote: bool,
    /// That engine does not answer.
    away: watch::Sender<bool>,
    /// So many ports more turn out to be a stranger's.
    taken: AtomicUsize,
    /// What is made and does not run yet.
    made: Mutex<BTreeSet<InstanceId>>,
    /// What its starts of `db` answer, though they are heard.
    lost: Mutex<Option<Lost>>,
    /// The ports of the host that were asked for.
    published: Mutex<Vec<u16>>,
    /// So often it was asked what there is.
    lists: AtomicUsize,
}

impl World {
    fn end(&self, service: &str, exit: Exit) {
        for (name, over) in self.all.lock().unwrap().values() {
            if name.as_str() == service {
                over.send_replace(Some(exit));
            }
        }
    }

    fn live(&self) -> Vec<InstanceId> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|(_, (_, over))| over.borrow().is_none()).map(|(id, _)| *id).collect()
    }

    /// An engine of containers.
    fn remote() -> Arc<Self> {
        Arc::new(Self { remote: true, ..Self::default() })
    }

    fn here(&self) -> Result<(), RuntimeError> {
        if *self.away.borrow() { Err(RuntimeError::unavailable("the engine is away")) } else { Ok(()) }
    }

    async fn back(&self) {
        let _ = self.away.subscribe().wait_for(|away| !away).await;
    }

    fn over(&self, id: InstanceId) -> Option<watch::Receiver<Option<Exit>>> {
        self.all.lock().unwrap().get(&id).map(|(_, over)| over.subscribe())
    }
}

#[derive(Debug)]
struct Survivors(&'static str, Arc<World>);

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
        let all = self.1.all.lock().unwrap();
        Ok(all.iter().map(|(id, (name, _))| Found::new(Handle::new(*id, "t"), name.clone())).collect())
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

fn stack() -> Stack {
    Stack::builder("demo")
        .service(ServiceBuilder::process("db", ["db"]))
        .service(ServiceBuilder::process("seed", ["seed"]).oneshot())
        .service(ServiceBuilder::process("api", ["api", "${port}"]).replicas(2).depends_on("db"))
        .build()
        .unwrap()
}

/// An engine in a runtime of its own, so that it can be killed: dropped in the middle of whatever it does.
struct Life {
    tokio: Option<tokio::runtime::Runtime>,
    engine: Engine,
    elsewhere: Arc<World>,
}

impl Life {
    fn begin(dir: &Path, world: &Arc<World>, occasion: Option<&str>) -> Self {
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

    fn block<T>(&self, future: impl Future<Output = T>) -> T {
        let limited = async { tokio::time::timeout(Duration::from_secs(20), future).await.expect("in time") };
        self.tokio.as_ref().unwrap().block_on(limited)
    }

    fn kill(mut self) {
        // What is under way is dropped where it stands.
        self.tokio.take().unwrap().shutdown_background();
    }

    fn restarts(&self, service: &str) -> u64 {
        let status = self.block(self.engine.status()).unwrap();
        status.snapshot.services.iter().find(|s| s.name.as_str() == service).unwrap().restarts
    }
}

fn finish_seed(world: &World) {
    for _ in 0..2000 {
        world.end("seed", Exit::Code(0));
        if world.live().len() == 3 {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the oneshot never started");
}

#[test]
fn the_next_engine_goes_on_with_the_same_instances() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    let ports = first.block(first.engine.endpoints("api")).unwrap();
    let (live, starts) = (world.live(), world.starts.load(Ordering::Relaxed));
    first.kill();
    for round in 0..5 {
        // The same occasion is no new one, and none at all goes on with what is remembered.
        let next = Life::begin(dir.path(), &world, (round % 2 == 0).then_some("one"));
        next.block(next.engine.ready()).unwrap();
        assert_eq!(world.live(), live);
        assert_eq!(world.starts.load(Ordering::Relaxed), starts, "nothing is started again, a oneshot neither");
        assert_eq!(next.block(next.engine.endpoints("api")).unwrap(), ports);
        assert_eq!(next.elsewhere.lists.load(Ordering::Relaxed), 1, "who is not used is not waited for");
        next.kill();
    }
}

#[test]
fn an_exit_that_no_engine_saw_is_told_to_the_next_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    first.kill();
    world.end("db", Exit::Code(3));
    let next = Life::begin(dir.path(), &world, None);
    for _ in 0..2000 {
        if next.restarts("db") == 1 && world.live().len() == 3 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(next.restarts("db"), 1);
    let events: Vec<_> = next.block(futures::StreamExt::collect(next.engine.events(EventQuery::all())));
    assert!(events.windows(2).all(|w| w[0].seq + 1 == w[1].seq), "no number is missing or given twice");
    assert!(events.iter().any(|e| e.kind.as_str() == "EngineRecovered"));
    assert!(events.iter().any(|e| e.kind.as_str() == "ServiceCrashed" && e.message.contains("exit code 3")));
    next.kill();
    let third = Life::begin(dir.path(), &world, None);
    assert_eq!(third.restarts("db"), 1, "the count survives");
    third.block(third.engine.shutdown());
    assert!(world.live().is_empty());
}

#[test]
fn what_nobody_remembers_is_ended_and_a_reboot_is_a_new_life() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let stranger = InstanceId(4711);
    let entry = (ServiceName::new("db").unwrap(), watch::Sender::new(None));
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    first.kill();
    world.all.lock().unwrap().insert(stranger, entry);
    let next = Life::begin(dir.path(), &world, None);
    for _ in 0..2000 {
        if !world.live().contains(&stranger) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!world.live().contains(&stranger));
    assert_eq!(world.live().len(), 3);
    next.kill();

    // All is gone: the next `up` begins a new life, in which oneshots run again.
    world.all.lock().unwrap().clear();
    let starts = world.starts.load(Ordering::Relaxed);
    let reborn = Life::begin(dir.path(), &world, Some("two"));
    finish_seed(&world);
    reborn.block(reborn.engine.ready()).unwrap();
    assert_eq!(world.starts.load(Ordering::Relaxed), starts + 4);
    reborn.kill();
}

#[test]
fn an_engine_that_leaves_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::default());
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    let live = world.live();
    first.block(first.engine.leave()).unwrap();
    assert!(first.block(first.engine.status()).is_none());
    let next = Life::begin(dir.path(), &world, None);
    next.block(next.engine.ready()).unwrap();
    assert_eq!(world.live(), live);
    let down = next.block(next.engine.down()).unwrap();
    next.block(down.done()).unwrap();
    assert!(world.live().is_empty());
    next.kill();
    let last = Life::begin(dir.path(), &world, None);
    std::thread::sleep(Duration::from_millis(100));
    assert!(world.live().is_empty(), "what was asked down stays down");
    last.kill();
}

/// Polls, for things that happen on other threads.
fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// Unknown is not dead: what an engine of containers cannot tell is taken over as it is remembered.
#[test]
fn what_a_runtime_cannot_list_is_led_on_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    let first = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    first.block(first.engine.ready()).unwrap();
    first.kill();
    let starts = world.starts.load(Ordering::Relaxed);
    world.away.send_replace(true);
    world.end("db", Exit::Code(3));
    let stranger = InstanceId(4711);
    let entry = (ServiceName::new("db").unwrap(), watch::Sender::new(None));
    world.all.lock().unwrap().insert(stranger, entry);
    let next = Life::begin(dir.path(), &world, None);
    assert_eq!(next.restarts("db"), 0, "nobody knows yet");
    assert_eq!(world.starts.load(Ordering::Relaxed), starts);
    world.away.send_replace(false);
    soon("the exit is told, and the stranger goes", || {
        next.restarts("db") == 1 && world.live().len() == 3 && !world.live().contains(&stranger)
    });
    assert_eq!(world.starts.load(Ordering::Relaxed), starts + 1, "only what ended is started again");
    next.block(next.engine.shutdown());
}

#[test]
fn a_runtime_that_cannot_work_is_waited_for_and_costs_no_retry() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    world.away.send_replace(true);
    let life = Life::begin(dir.path(), &world, Some("one"));
    let message = || message(&life, "db");
    soon("the reason is told", || message() == "cannot start yet: the engine is away");
    let blocked = || {
        let events: Vec<_> = life.block(futures::StreamExt::collect(life.engine.events(EventQuery::all())));
        let blocked = |e: &Arc<Event>| e.kind == EventKind::ServiceBlocked && *e.message == *message();
        events.iter().filter(|e| blocked(e) && e.service.as_ref().is_some_and(|s| s.as_str() == "db")).count()
    };
    soon("and it is told", || blocked() == 1);
    let tries = world.tries.load(Ordering::Relaxed);
    soon("it is tried again", || world.tries.load(Ordering::Relaxed) > tries + 4);
    assert_eq!(blocked(), 1, "once");
    world.away.send_replace(false);
    finish_seed(&world);
    life.block(life.engine.ready()).unwrap();
    assert_eq!(life.restarts("db"), 0);
    assert_eq!(message(), "");
    // What is not wanted any more is not waited for.
    world.away.send_replace(true);
    world.end("db", Exit::Code(1));
    life.block(async { life.engine.stop("api").await.map(drop) }).unwrap();
    world.away.send_replace(false);
    life.block(life.engine.shutdown());
    assert!(world.live().is_empty());
}

#[test]
fn a_port_that_a_stranger_has_is_given_up_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    world.taken.store(2, Ordering::Relaxed);
    let life = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    life.block(life.engine.ready()).unwrap();
    assert_eq!(life.restarts("api"), 0);
    let published = world.published.lock().unwrap().clone();
    assert_eq!(published.len(), 4, "two replicas, two strangers");
    let distinct: std::collections::BTreeSet<u16> = published.iter().copied().collect();
    assert_eq!(distinct.len(), 4, "{published:?}");
    life.block(life.engine.shutdown());
}

#[test]
fn an_end_does_not_wait_for_ever_for_a_runtime_that_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::remote();
    let life = Life::begin(dir.path(), &world, Some("one"));
    finish_seed(&world);
    life.block(life.engine.ready()).unwrap();
    world.away.send_replace(true);
    let begun = std::time::Instant::now();
    let killed = life.block(life.engine.kill()).unwrap();
    life.block(killed.done()).unwrap();
    life.block(life.engine.shutdown());
    assert!(begun.elapsed() > Duration::from_secs(5), "it was given time");
    assert_eq!(world.live().len(), 3, "nothing else can be done about them");
}

/// The first engine has asked for `db` and dies before it is answered; what it asked for has happened.
fn dies_while_it_asks(dir: &Path, world: &Arc<World>) -> InstanceId {
    *world.lost.lock().unwrap() = Some(Lost::Never);
    let first = Life::begin(dir, world, Some("one"));
    let asked = || {
        let all = world.all.lock().unwrap();
        all.iter().find(|(_, (name, _))| name.as_str() == "db").map(|(id, _)| *id)
    };
    soon("the start is under way", || asked().is_some());
    first.kill();
    world.away.send_replace(true);
    *world.lost.lock().unwrap() = None;
    asked().unwrap()
}

fn message(life: &Life, service: &str) -> String {
    let status = life.block(life.engine.status()).unwrap();
    status.snapshot.services.iter().find(|s| s.name.as_str() == service).unwrap().message.clone()
}

#[test]
fn a_start_in_flight_is_asked_for_again_by_the_next_engine() {
    for away in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let world = World::remote();
        let db = dies_while_it_asks(dir.path(), &world);
        world.away.send_replace(away);
        let next = Life::begin(dir.path(), &world, None);
        if away {
            soon("it is held", || message(&next, "db") == "cannot start yet: the engine is away");
            world.away.send_replace(false);
        }
        finish_seed(&world);
        next.block(next.engine.ready()).unwrap();
        let of_db = |(_, (name, _)): &(&InstanceId, &Body)| name.as_str() == "db";
        let containers: Vec<InstanceId> = world.all.lock().unwrap().iter().filter(of_db).map(|(id, _)| *id).collect();
        assert_eq!(containers, [db], "exactly the one that there was; away: {away}");
        assert!(world.live().contains(&db) && world.made.lock().unwrap().is_empty());
        assert_eq!(next.restarts("db"), 0);
        next.block(next.engine.shutdown());
        assert!(world.live().is_empty());
    }
}

/// Nobody knows whether it runs: it is down when the runtime has said so, and not before.
#[test]
fn a_start_that_may_have_happened_is_not_down_before_it_is_cleared_away() {
    for same_engine in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let world = World::remote();
        let life = if same_engine {
            *world.lost.lock().unwrap() = Some(Lost::Unanswered);
            let life = Life::begin(dir.path(), &world, Some("one"));
            soon("it is held", || message(&life, "db") == "cannot start yet: no answer");
            world.away.send_replace(true);
            soon("its runtime is away", || message(&life, "db") == "cannot start yet: the engine is away");
            life
        } else {
            let db = dies_while_it_asks(dir.path(), &world);
            let life = Life::begin(dir.path(), &world, None);
            assert!(world.live().contains(&db));
            life
        };
        world.end("seed", Exit::Code(0));
        let left = life.block(async {
            let down = life.engine.down().await.unwrap();
            let told = async {
                down.done().await.unwrap();
                world.live()
            };
            let back = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                world.away.send_replace(false);
            };
            tokio::join!(told, back).0
        });
        assert_eq!(left, [], "same engine: {same_engine}");
        life.kill();
    }
}
