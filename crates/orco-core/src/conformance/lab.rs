//! Where the runtime kit starts instances, and cleans up after each check.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{
    fixture::{Behaviour, Fixture, MARK},
    output::{Output, Said},
    report::{Stop, ensure, fail},
};
use crate::{
    log::Origin,
    model::{Exit, InstanceId, StackId},
    runtime::{Handle, How, LogTarget, Runtime, RuntimeError, StartRequest},
    spec::Stack,
};

/// An odd number of 128 bits without a pattern (the golden ratio's).
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// A started instance.
#[derive(Debug)]
pub(super) struct Living {
    pub(super) handle: Handle,
    pub(super) request: Arc<StartRequest>,
    pub(super) output: Output,
}

/// One run of the kit.
pub(super) struct Lab<'a> {
    pub(super) fixture: &'a dyn Fixture,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) stack: StackId,
    /// Nobody's.
    pub(super) other_stack: StackId,
    bound: Duration,
    base: u128,
    next: AtomicU64,
    started: Mutex<Vec<InstanceId>>,
}

impl<'a> Lab<'a> {
    pub(super) fn new(fixture: &'a dyn Fixture) -> Self {
        let chance = RandomState::new();
        let base = u128::from(chance.hash_one(0)) << 64 | u128::from(chance.hash_one(1)) & !0xffff_ffff;
        Self {
            fixture,
            runtime: fixture.runtime(),
            stack: StackId::from_bits(chance.hash_one(2)),
            other_stack: StackId::from_bits(chance.hash_one(3)),
            bound: fixture.bound(),
            base,
            next: AtomicU64::new(1),
            started: Mutex::default(),
        }
    }

    /// An id that nobody has.
    pub(super) fn fresh(&self) -> InstanceId {
        // As engines make them: different in every part, for a runtime may take some digits for a name.
        let number = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        InstanceId(self.base.wrapping_add(number.wrapping_mul(SPREAD)))
    }

    /// No call may hang.
    pub(super) async fn within<T>(&self, what: &str, call: impl Future<Output = T>) -> Result<T, Stop> {
        match timeout(self.bound, call).await {
            Ok(value) => Ok(value),
            Err(_) => fail(format!("{what} did not return within {:?}", self.bound)),
        }
    }

    /// No call may hang or fail.
    pub(super) async fn done<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, RuntimeError>>,
    ) -> Result<T, Stop> {
        self.within(what, call).await?.map_err(|error| Stop::Fail(format!("{what} failed: {}", error.chain())))
    }

    /// Everything needed to start a service of this behaviour.
    pub(super) fn request(&self, behaviour: Behaviour) -> Result<StartRequest, Stop> {
        let Some(service) = self.fixture.service(behaviour) else {
            return Err(Stop::Skip(format!("no service for {behaviour:?}")));
        };
        let built = Stack::builder("conformance").workdir(self.fixture.scratch()).service(service).build();
        let stack = built.map_err(|error| Stop::Fail(format!("the fixture's service is not valid: {error}")))?;
        let Some(service) = stack.services().first() else { return fail("the fixture made no service") };
        let instance = self.fresh();
        let run = self.next.load(Ordering::Relaxed) as u32;
        let dir = self.fixture.scratch().join(service.name.as_str());
        std::fs::create_dir_all(&dir).map_err(|error| Stop::Fail(format!("no log directory: {error}")))?;
        let log = LogTarget::new(dir, format!("0.{run}"));
        let mut request = StartRequest::new(self.stack, instance, Arc::clone(service), log);
        request.run = run;
        request.env.insert(MARK.to_owned(), Some(instance.to_string()));
        self.started.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        Ok(request)
    }

    pub(super) async fn start(&self, behaviour: Behaviour) -> Result<Living, Stop> {
        let request = self.request(behaviour)?;
        let handle = self.done("start", self.runtime.start(request.clone())).await?;
        Ok(self.living(handle, request))
    }

    pub(super) fn living(&self, handle: Handle, request: StartRequest) -> Living {
        let origin = Origin::new(request.service.name.clone(), request.replica, request.run);
        let output = Output::new(self.runtime.logs(&handle, None), request.log.dir.clone(), origin);
        Living { handle, request: Arc::new(request), output }
    }

    /// Starts it and waits until it has said that it is ready.
    pub(super) async fn start_ready(&self, behaviour: Behaviour) -> Result<Living, Stop> {
        let living = self.start(behaviour).await?;
        let says_ready = async {
            let mut seen = 0;
            loop {
                let (said, bytes) = living.output.read(false).map_err(|e| Stop::Fail(e.to_string()))?;
                if said.iter().any(|(_, line)| line == "ready") {
                    return Ok(());
                }
                // Growth may be announced before it can be read.
                if bytes == seen {
                    sleep(Duration::from_millis(1)).await;
                }
                seen = bytes;
                living.output.beyond(seen).await;
            }
        };
        self.within("the line `ready`", says_ready).await??;
        Ok(living)
    }

    pub(super) async fn wait(&self, living: &Living) -> Result<Exit, Stop> {
        self.done("wait", self.runtime.wait(&living.handle)).await
    }

    pub(super) async fn stop(&self, living: &Living, how: How) -> Result<(), Stop> {
        self.done("stop", self.runtime.stop(&living.handle, how)).await
    }

    /// All it printed, after its end.
    pub(super) async fn all_said(&self, living: &Living) -> Result<Vec<Said>, Stop> {
        self.within("the end of the output", living.output.beyond(u64::MAX)).await?;
        let (said, _) = living.output.read(true).map_err(|e| Stop::Fail(format!("output: {e}")))?;
        Ok(said)
    }

    /// Nothing of it is left; checked at once, since that is what `wait` and `reap` promise.
    pub(super) fn nothing_left(&self, instance: InstanceId, after: &str) -> Result<(), Stop> {
        let left = self.fixture.alive(instance).unwrap_or(0);
        ensure(left == 0, || format!("{left} processes of it are left after {after}"))
    }

    /// Nothing of it is left, before long.
    pub(super) async fn soon_nothing_left(&self, instance: InstanceId, after: &str) -> Result<(), Stop> {
        let gone = async {
            while self.fixture.alive(instance).unwrap_or(0) > 0 {
                sleep(Duration::from_millis(2)).await;
            }
        };
        self.within(&format!("the end of everything after {after}"), gone).await
    }

    /// Whether the runtime lists it.
    pub(super) async fn is_listed(&self, instance: InstanceId) -> Result<bool, Stop> {
        let found = self.done("list", self.runtime.list(&self.stack, &[])).await?;
        let mut times = BTreeMap::<_, u32>::new();
        for one in &found {
            *times.entry(one.handle.instance).or_default() += 1;
        }
        match times.get(&instance) {
            None => Ok(false),
            Some(1) => Ok(true),
            Some(n) => fail(format!("list has one instance {n} times")),
        }
    }

    /// Ends whatever the last check left running.
    pub(super) async fn clean(&self) -> Result<(), Stop> {
        let started = std::mem::take(&mut *self.started.lock().unwrap_or_else(PoisonError::into_inner));
        for instance in started {
            self.done("reap", self.runtime.reap(instance)).await?;
        }
        Ok(())
    }
}
