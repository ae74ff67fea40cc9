//! An engine with real processes in a directory of its own, and eyes on the processes.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::{FutureExt, StreamExt};
use orco::{
    engine::{Engine, Event, EventQuery},
    log::{Query, Record},
    model::{EventKind, ServiceView},
    probes,
    process::{KillBackend, ProcessRuntime},
    spec::{ServiceBuilder, Stack},
};

/// No wait in a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a test is repeated: a few times in the daily run, `ORCO_ROUNDS` times when the full count is asked for.
pub fn rounds(few: usize) -> usize {
    std::env::var("ORCO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// A text that no other process on this machine has.
pub fn tag() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    format!("accept-{now}-{}-{}.", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A service that runs this script. Its dollars are the shell's.
pub fn sh(name: impl Into<String>, script: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "process").shell(script.replace('$', "$$"))
}

pub struct World {
    pub engine: Engine,
    pub dir: tempfile::TempDir,
    /// Stands in the environment of every service.
    pub tag: String,
}

impl World {
    pub fn new(services: impl IntoIterator<Item = ServiceBuilder>) -> Self {
        Self::on(ProcessRuntime::new(), services)
    }

    pub fn on(runtime: ProcessRuntime, services: impl IntoIterator<Item = ServiceBuilder>) -> Self {
        let (dir, tag) = (tempfile::tempdir().unwrap(), tag());
        let services = services.into_iter().map(|s| s.env("ACCEPTANCE", &tag));
        let stack = Stack::builder("acceptance").workdir(dir.path()).services(services).build().unwrap();
        let engine = Engine::builder(stack).runtime(runtime).probes(probes::all()).start().unwrap();
        Self { engine, dir, tag }
    }

    /// Everything is up and ready.
    pub async fn up(&self) {
        let up = async { self.engine.up().await.unwrap().done().await };
        match tokio::time::timeout(PATIENCE, up).await {
            Ok(done) => done.unwrap(),
            Err(_) => panic!("took too long: {:#?}", self.engine.status().await.map(|s| s.snapshot.clone())),
        }
    }

    /// Everything is wanted; how it goes is the test's question.
    pub async fn begin(&self) {
        let _ = self.engine.up().await.unwrap();
    }

    /// Ends it, and nothing may be left.
    pub async fn end(self) -> Vec<Arc<Event>> {
        within(self.engine.shutdown()).await;
        assert_eq!(marked(&self.tag), Vec::<String>::new());
        self.events()
    }

    /// What has happened so far.
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.engine.events(EventQuery::all()).collect().now_or_never().unwrap()
    }

    pub fn events_of(&self, service: &str, kind: EventKind) -> Vec<Arc<Event>> {
        let mut events = self.events();
        events.retain(|e| e.kind == kind && e.service.as_ref().is_some_and(|s| *s == service));
        events
    }

    pub async fn service(&self, name: &str) -> ServiceView {
        self.engine.status().await.unwrap().snapshot.service(name).unwrap().clone()
    }

    /// Waits until the service is as wanted.
    pub async fn until(&self, name: &str, is: impl Fn(&ServiceView) -> bool) -> ServiceView {
        let mut watch = self.engine.watch().await.unwrap();
        let found = watch.until(|s| s.snapshot.service(name).filter(|s| is(s)).cloned());
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found.unwrap(),
            Err(_) => panic!("in vain: {:?}", self.service(name).await),
        }
    }

    pub async fn logs(&self) -> Vec<Record> {
        let batches: Vec<Vec<Record>> = within(self.engine.logs(Query::default(), false).collect()).await;
        batches.concat()
    }

    /// All output of one service.
    pub async fn said_by(&self, service: &str) -> Vec<String> {
        let all = self.logs().await;
        all.into_iter().filter(|r| r.service == service).map(|r| r.msg).collect()
    }
}

/// The ways of killing trees that must be tried. Where tests must not be skipped, both.
pub async fn backends() -> Vec<KillBackend> {
    let cgroup = ProcessRuntime::builder().kill_backend(KillBackend::Cgroup).start().await;
    match cgroup {
        Ok(_) => vec![KillBackend::Sweep, KillBackend::Cgroup],
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "control groups do not work here: {why}");
            vec![KillBackend::Sweep]
        }
    }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("took too long")
}

/// Polls until it is so.
pub async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everybody alive (by state: a zombie is not) who has this text in the arguments or the environment.
pub fn marked(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if !entry.file_name().to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        let read = |file| fs::read(entry.path().join(file)).unwrap_or_default();
        let line = read("cmdline");
        if (has(&line, text) || has(&read("environ"), text)) && alive(&entry.path()) {
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn alive(proc: &std::path::Path) -> bool {
    let Ok(stat) = fs::read_to_string(proc.join("stat")) else { return false };
    stat.rsplit(')').next().is_some_and(|rest| !matches!(rest.trim_start().as_bytes()[0], b'Z' | b'X'))
}

/// A measured figure, for whoever runs the full count with `--nocapture`.
pub fn figure(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
}
