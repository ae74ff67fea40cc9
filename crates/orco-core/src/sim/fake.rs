//! `runtime: fake`: instances that exist only in memory, for tests of your own stacks. Each is
//! scripted by its service's variables; time is tokio's, so a paused clock is obeyed.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `FAKE_START_AFTER` | how long a start takes (`10ms`) |
//! | `FAKE_START_ERROR` | a start is refused with this text |
//! | `FAKE_READY_AFTER` | the age from which probes pass; without it, at once |
//! | `FAKE_EXIT_AFTER` | the age at which it ends by itself |
//! | `FAKE_EXIT_CODE` | with which code, 0 without it |
//! | `FAKE_STOP_AFTER` | how long a stop takes |
//! | `FAKE_IGNORE_STOP` | if set, only a kill ends it |
//! | `FAKE_LOG` | a line that it writes when it starts |

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt as _;
use tokio::{sync::watch, time::Instant};

use super::story::duration;
use crate::{
    model::{Exit, InstanceId, ServiceName, StackId, Verdict},
    probe::{Probe, ProbeFactory, Target},
    runtime::{
        ExecRequest, ExecResult, Found, Handle, How, Known, LogChunk, LogPosition, LogSource, Runtime, RuntimeError,
        StartRequest,
    },
    spec::{Diagnostic, ProbeSpec, Service},
};

/// The fake runtime lives in tokio's time, which tests may pause.
#[expect(clippy::disallowed_methods, reason = "the fake world's clock")]
fn now() -> Instant {
    Instant::now()
}

/// One instance: when it began, how it behaves, and when it ends, as far as that is known.
#[derive(Debug)]
struct Fake {
    stack: StackId,
    service: ServiceName,
    born: Instant,
    ready_after: Duration,
    stop_after: Duration,
    ignores_stop: bool,
    log: Option<String>,
    end: watch::Sender<Option<(Instant, Exit)>>,
}

impl Fake {
    fn is_over(&self) -> bool {
        self.end.borrow().is_some_and(|(at, _)| at <= now())
    }

    /// It ends then, unless it ends earlier.
    fn end_at(&self, at: Instant, exit: Exit) {
        self.end.send_if_modified(|end| {
            let sooner = end.is_none_or(|(known, _)| at < known);
            if sooner {
                *end = Some((at, exit));
            }
            sooner
        });
    }

    fn is_ready(&self) -> bool {
        !self.is_over() && self.born + self.ready_after <= now()
    }

    /// Returns when it is over. Cancel-safe: it holds nothing but a place to listen at.
    async fn over(&self) -> Exit {
        let mut news = self.end.subscribe();
        loop {
            let end = *news.borrow_and_update();
            match end {
                Some((at, exit)) => tokio::select! {
                    () = tokio::time::sleep_until(at) => return exit,
                    // The sender lives in `self`, so this only says that the end has moved.
                    _ = news.changed() => {}
                },
                None => {
                    let _ = news.changed().await;
                }
            }
        }
    }
}

/// The runtime. Cheap to clone; clones share their instances.
#[derive(Clone, Debug, Default)]
pub struct FakeRuntime {
    instances: Arc<Mutex<BTreeMap<InstanceId, Arc<Fake>>>>,
}

impl FakeRuntime {
    /// A runtime without instances.
    pub fn new() -> Self {
        Self::default()
    }

    /// The probe kind `fake`, which asks this runtime's instances.
    pub fn probe(&self) -> FakeProbe {
        FakeProbe { runtime: self.clone() }
    }

    /// Ends an instance now, as if it had crashed. False if it does not run.
    pub fn crash(&self, instance: InstanceId, exit: Exit) -> bool {
        let found = self.find(instance).filter(|fake| !fake.is_over());
        if let Some(fake) = &found {
            fake.end_at(now(), exit);
        }
        found.is_some()
    }

    /// The instances of a service that run.
    pub fn running(&self, service: &str) -> Vec<InstanceId> {
        let all = self.lock();
        all.iter().filter(|(_, fake)| fake.service == service && !fake.is_over()).map(|(id, _)| *id).collect()
    }

    /// Nothing that holds the lock can panic half-way, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Arc<Fake>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, instance: InstanceId) -> Option<Arc<Fake>> {
        self.lock().get(&instance).cloned()
    }
}

fn variable<'a>(env: &'a BTreeMap<String, Option<String>>, name: &str) -> Option<&'a str> {
    env.get(name)?.as_deref()
}

fn time(env: &BTreeMap<String, Option<String>>, name: &str) -> Result<Option<Duration>, String> {
    variable(env, name).map(|text| duration(text).map_err(|why| format!("{name}: {why}"))).transpose()
}

fn code(env: &BTreeMap<String, Option<String>>) -> Result<i32, String> {
    let text = variable(env, "FAKE_EXIT_CODE").unwrap_or("0");
    text.parse().map_err(|_| format!("FAKE_EXIT_CODE: `{text}` is no exit code"))
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn validate(&self, service: &Service) -> Vec<Diagnostic> {
        let env = &service.env;
        let times = ["FAKE_START_AFTER", "FAKE_READY_AFTER", "FAKE_EXIT_AFTER", "FAKE_STOP_AFTER"];
        let problems = times.into_iter().filter_map(|name| time(env, name).err()).chain(code(env).err());
        problems.map(|why| Diagnostic::error("bad-fake", why)).collect()
    }

    /// It asks nobody: clones share their instances, so another engine's clone finds them all.
    async fn list(&self, stack: &StackId, _: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        let all = self.lock();
        let ours = all.iter().filter(|(_, fake)| fake.stack == *stack);
        Ok(ours
            .map(|(id, fake)| Found { handle: Handle::new(*id, id.to_string()), service: fake.service.clone() })
            .collect())
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        let env = &request.env;
        let read = |name| time(env, name).map_err(RuntimeError::refused);
        if let Some(after) = read("FAKE_START_AFTER")? {
            tokio::time::sleep(after).await;
        }
        if let Some(why) = variable(env, "FAKE_START_ERROR") {
            return Err(RuntimeError::refused(why));
        }
        let born = now();
        let exit = Exit::Code(code(env).map_err(RuntimeError::refused)?);
        let fake = Fake {
            stack: request.stack,
            service: request.service.name.clone(),
            born,
            ready_after: read("FAKE_READY_AFTER")?.unwrap_or_default(),
            stop_after: read("FAKE_STOP_AFTER")?.unwrap_or_default(),
            ignores_stop: variable(env, "FAKE_IGNORE_STOP").is_some(),
            log: variable(env, "FAKE_LOG").map(str::to_owned),
            end: watch::Sender::new(read("FAKE_EXIT_AFTER")?.map(|age| (born + age, exit))),
        };
        self.lock().insert(request.instance, Arc::new(fake));
        Ok(Handle::new(request.instance, request.instance.to_string()))
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        match self.find(handle.instance) {
            Some(fake) => Ok(fake.over().await),
            None => Ok(Exit::Unknown),
        }
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        if let Some(fake) = self.find(handle.instance) {
            match how {
                How::Kill => fake.end_at(now(), Exit::Signal(9)),
                How::Graceful(_) if fake.ignores_stop => {}
                How::Graceful(signal) => fake.end_at(now() + fake.stop_after, Exit::Signal(signal)),
            }
        }
        Ok(())
    }

    async fn signal(&self, handle: &Handle, signal: i32) -> Result<(), RuntimeError> {
        match signal {
            9 => self.stop(handle, How::Kill).await,
            // INT and TERM end what has no handlers of its own.
            2 | 15 => self.stop(handle, How::Graceful(signal)).await,
            _ => Ok(()),
        }
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        let fake = self.lock().remove(&instance);
        if let Some(fake) = fake {
            fake.end_at(now(), Exit::Signal(9));
        }
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.lock().remove(&handle.instance);
        Ok(())
    }

    fn logs(&self, handle: &Handle, _: Option<&LogPosition>) -> LogSource {
        let Some(fake) = self.find(handle.instance) else { return LogSource::Stream(futures::stream::empty().boxed()) };
        let line = fake.log.clone().map(|line| LogChunk::new(false, format!("{line}\n").into_bytes()));
        let rest = futures::stream::once(async move { fake.over().await }).filter_map(async |_| None);
        LogSource::Stream(futures::stream::iter(line).chain(rest).boxed())
    }

    /// `fake-ready` exits with 0 while the instance's probes would pass; everything else succeeds.
    async fn exec(&self, request: ExecRequest) -> Result<ExecResult, RuntimeError> {
        let asks = request.argv.first().is_some_and(|program| program == "fake-ready");
        let ready = !asks || self.find(request.instance).is_some_and(|fake| fake.is_ready());
        Ok(ExecResult::new(Some(Exit::Code(i32::from(!ready))), Vec::new()))
    }

    fn can_exec(&self) -> bool {
        true
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// The probe kind `fake`: passes once `FAKE_READY_AFTER` is over.
#[derive(Clone)]
pub struct FakeProbe {
    runtime: FakeRuntime,
}

impl fmt::Debug for FakeProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeProbe")
    }
}

#[async_trait]
impl Probe for FakeProbe {
    async fn check(&self, target: &Target) -> Verdict {
        match self.runtime.find(target.instance) {
            Some(fake) if fake.is_ready() => Verdict::Pass,
            Some(_) => Verdict::Fail("fake: not ready yet".into()),
            None => Verdict::Unknown("fake: no such instance".into()),
        }
    }
}

impl ProbeFactory for FakeProbe {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn build(&self, _: &ProbeSpec) -> Result<Arc<dyn Probe>, String> {
        Ok(Arc::new(self.clone()))
    }
}
