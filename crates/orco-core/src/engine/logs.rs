//! Where output lies, and who waits for more of it.
//!
//! Bytes never pass through here unless somebody reads: runtimes write segments themselves, or hand
//! over a stream that one task writes. Readers have cursors; a slow one is just behind.

#[cfg(test)]
mod follow_tests;

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::Stream;
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

use crate::{
    crash,
    log::{
        Counter, Gather, LogSettings, Masks, Origin, Query, Reached, Record, Store,
        format::{SEGMENT_BYTES, Stem},
    },
    model::{InstanceId, ServiceName},
    probe::Follow,
    runtime::{Growth, LogSource, StartRequest},
    spec::{Logging, Stack},
};

use super::{
    clock::wall_micros,
    outputs::{Arrivals, Entry, Table, Tail},
    reader::{Instance, follow},
    stream::{Segments, Target, Written, write},
};

/// Ages are looked at no more often than this.
const OFTEN: Duration = Duration::from_secs(60);
/// And a sleep is no longer than this: clocks are set.
const SELDOM: Duration = Duration::from_secs(86_400);
/// `arrivals` when the engine has ended.
pub(super) const CLOSED: u64 = u64::MAX;

/// The log directory of one engine.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) store: Store,
    /// What wins over what stacks say.
    over: Logging,
    settings: watch::Sender<Arc<LogSettings>>,
    /// What is hidden in what anybody is shown. Log probes read what is there.
    pub(super) masks: Arc<Masks>,
    /// How much was printed, as far as somebody has asked. Held while files are read, by threads that may block.
    pub(super) counter: Mutex<Counter>,
    /// Who is there and who came. The lock is held for look-ups only.
    table: Mutex<Table>,
    /// Counts instances that were attached; [`CLOSED`] when the engine has ended.
    pub(super) arrivals: watch::Sender<u64>,
    /// Wakes the task that seals full segments and deletes the oldest ones.
    full: Notify,
    /// Writers and readers at work.
    pub(super) tasks: TaskTracker,
}

impl Logs {
    #[expect(clippy::disallowed_methods, reason = "the log directory is made here")]
    pub(super) fn open(root: PathBuf, over: Logging) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        let (masks, damage) = Masks::open_or_set_aside(&root)?;
        if let Some(error) = damage {
            tracing::warn!(%error, "it was set aside: values that are out of use are not masked any more");
        }
        Ok(Self {
            masks: Arc::new(masks),
            store: Store::new(root),
            over,
            settings: watch::Sender::default(),
            counter: Mutex::default(),
            table: Mutex::default(),
            arrivals: watch::Sender::new(0),
            full: Notify::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// This stack is wanted from now on: its `logging` holds.
    pub(super) fn settle(&self, stack: &Stack) {
        let settings = LogSettings::new(stack, &self.over);
        self.settings.send_if_modified(|held| {
            let differs = **held != settings;
            if differs {
                *held = Arc::new(settings);
            }
            differs
        });
    }

    /// Tells what holds to those who read when no engine runs. Writes a file, if they do not know.
    pub(super) fn tell(&self, settings: &LogSettings) {
        if let Err(error) = settings.tell(self.store.root()) {
            tracing::warn!(%error, "cannot write down where lines are cut: who reads when the stack is down cuts elsewhere");
        }
    }

    /// What holds, and what comes to hold.
    pub(super) fn settings_watch(&self) -> watch::Receiver<Arc<LogSettings>> {
        self.settings.subscribe()
    }

    /// What holds now.
    pub(super) fn settings(&self) -> Arc<LogSettings> {
        Arc::clone(&self.settings.borrow())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory of a service, made if need be.
    #[expect(clippy::disallowed_methods, reason = "the log directory is made here")]
    pub(super) fn directory(&self, service: &ServiceName) -> Result<PathBuf, String> {
        use std::os::unix::fs::DirBuilderExt;
        let dir = self.store.dir(service);
        match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(format!("cannot create {}: {e}", dir.display())),
            _ => Ok(dir),
        }
    }

    /// A started instance's output begins.
    ///
    /// `from`: where the stream goes on, if another engine began with it. `marks`: another may have to go on after us.
    pub(super) fn attach(
        self: &Arc<Self>,
        request: &StartRequest,
        source: LogSource,
        from: Option<Reached>,
        marks: bool,
    ) {
        let origin = Origin::new(request.service.name.clone(), request.replica, request.run);
        let dir = request.log.dir.clone();
        let (ended, ended_rx) = watch::channel(false);
        let (growth, writing): (Arc<dyn Growth>, _) = match source {
            LogSource::Segments(growth) => (growth, None),
            LogSource::Stream(stream) => {
                let (written, bytes) = watch::channel(0);
                let (turns, segments) = watch::channel(Segments::default());
                let stem = Stem { replica: request.replica, run: request.run };
                let target = Target { dir: dir.clone(), stem, from, marks, segments };
                let task = self.tasks.spawn(write(Arc::clone(self), stream, target, written));
                (Arc::new(Written { bytes, segments: turns }), Some(task))
            }
        };
        let tail = Tail { origin, dir, growth, ended: ended_rx };
        let (service, growth) = (tail.origin.service.clone(), Arc::clone(&tail.growth));
        let count = self.table().arrive(request.instance, Entry { tail, ended, writing });
        // After it came: whoever changes the settings from now on tells it.
        let size = self.settings().of(&service).max_file_size;
        if size != SEGMENT_BYTES {
            growth.segments(size, None);
        }
        self.arrivals.send_replace(count);
    }

    /// An instance is over: its readers come to their end when they have read what there is.
    pub(super) async fn ended(&self, inst: InstanceId) {
        let writing = self.table().live.get_mut(&inst).and_then(|entry| entry.writing.take());
        if let Some(writing) = writing {
            // The stream of an ended instance ends; one that does not is cut off.
            let abort = writing.abort_handle();
            if tokio::time::timeout(Duration::from_secs(5), writing).await.is_err() {
                abort.abort();
            }
        }
        // Only now: who is not live has all its output in the files.
        let Some((entry, look)) = self.table().leave(inst) else { return };
        entry.ended.send_replace(true);
        if look {
            self.rotated();
        }
    }

    /// A segment is full, or many instances have ended: it is time to look at the size.
    pub(super) fn rotated(&self) {
        self.full.notify_one();
    }

    /// Seals full segments and deletes the oldest output above the limit, whenever there is reason to.
    /// `done` is told after each round.
    pub(super) async fn keep_small(self: Arc<Self>, done: impl Fn()) {
        let mut changed = self.settings.subscribe();
        // Changed while an earlier engine's instances were taken over.
        self.limit_all(false);
        // The first look tells when something will be too old, if anything ever is.
        let mut next = self.settings().shortest_age().map(|_| Duration::ZERO);
        loop {
            // All arms are cancel-safe: a permit and a version are kept, and a sleep is made anew.
            tokio::select! {
                () = self.full.notified() => {}
                _ = changed.changed() => self.limit_all(true),
                () = due(next) => {}
            }
            let logs = Arc::clone(&self);
            let settings = self.settings();
            let round = self.tasks.spawn_blocking(move || {
                let live: BTreeSet<Origin> = logs.tails().into_iter().map(|t| t.origin).collect();
                let is_live = |origin: &Origin| live.contains(origin);
                logs.tell(&settings);
                crash::point("retain.before");
                logs.store.seal(&is_live)?;
                let dropped = logs.store.trim(&settings, wall_micros(), &is_live);
                crash::point("retain.after");
                dropped
            });
            next = None;
            match round.await {
                Ok(Ok(trimmed)) => {
                    let dropped = trimmed.dropped;
                    if dropped.segments > 0 {
                        tracing::debug!(lines = dropped.lines, bytes = dropped.bytes, "oldest log segments deleted");
                    }
                    next = trimmed.next.map(|at| Duration::from_micros(at.saturating_sub(wall_micros())).max(OFTEN));
                    if !trimmed.turn.is_empty() {
                        // Where the disk does not let it be, it is asked again.
                        next = Some(next.unwrap_or(OFTEN).min(OFTEN));
                        self.turn(&trimmed.turn);
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "cannot trim the logs"),
                Err(error) => tracing::warn!(%error, "trimming the logs failed"),
            }
            done();
        }
    }

    /// Has live instances close these segments.
    fn turn(&self, segments: &[(Origin, u64)]) {
        let settings = self.settings();
        for tail in self.tails() {
            let old = segments.iter().find(|(origin, _)| *origin == tail.origin);
            if let Some((origin, number)) = old {
                tail.growth.segments(settings.of(&origin.service).max_file_size, Some(*number));
            }
        }
    }

    /// Tells live instances how long their segments may be; unless it was another size before, only of other sizes than
    /// the usual one.
    fn limit_all(&self, again: bool) {
        let settings = self.settings();
        for tail in self.tails() {
            let size = settings.of(&tail.origin.service).max_file_size;
            if again || size != SEGMENT_BYTES {
                tail.growth.segments(size, None);
            }
        }
    }

    /// The engine has ended: readers end when they have read what there is.
    pub(super) fn close(&self) {
        self.arrivals.send_replace(CLOSED);
    }

    /// The highest run of each replica that has logs here from an earlier life.
    pub(super) fn runs(&self) -> io::Result<Vec<(ServiceName, u32, u32)>> {
        self.store.highest_runs()
    }

    /// What a query finds now. Reads files.
    pub(super) fn read(&self, query: &Query) -> Vec<Record> {
        let live: BTreeSet<Origin> = self.tails().into_iter().map(|t| t.origin).collect();
        let masks = Some(Arc::clone(&self.masks));
        let query = Query {
            asked: Some(wall_micros()),
            only_past: true,
            masks,
            settings: Some(self.settings()),
            ..query.clone()
        };
        let found = query.follow(&self.store, &|origin| live.contains(origin));
        match found {
            Ok(follower) => follower.batches(usize::MAX).flatten().flatten().collect(),
            Err(error) => {
                tracing::warn!(%error, "cannot read the logs");
                Vec::new()
            }
        }
    }

    /// What a query finds, and with `go_on` what comes.
    pub(super) fn stream<G: Gather + Default>(
        self: &Arc<Self>,
        query: Query,
        go_on: bool,
    ) -> impl Stream<Item = G::Batch> + Send + 'static + use<G> {
        let masks = Some(Arc::clone(&self.masks));
        let settings = Some(self.settings());
        let asked = Some(wall_micros());
        if query.tail.is_some() || query.since.is_some() {
            // What it has to count of segments that still grow the next one need not.
            self.rotated();
        }
        follow::<G>(Arc::clone(self), Query { asked, only_past: !go_on, masks, settings, ..query }, go_on)
    }

    /// Who came after the first `from` arrivals, and who lives: one view of both.
    pub(super) fn since(&self, from: u64) -> Arrivals {
        self.table().since(from)
    }

    /// All live instances.
    pub(super) fn tails(&self) -> Vec<Tail> {
        self.table().tails()
    }

    /// One live instance, for log probes.
    pub(super) fn follow_instance(&self, inst: InstanceId) -> Option<Arc<dyn Follow>> {
        self.table().live.get(&inst).map(|e| Arc::new(Instance(e.tail.clone())) as Arc<dyn Follow>)
    }
}

/// When the time has come; `None`: never.
async fn due(after: Option<Duration>) {
    match after {
        Some(after) => tokio::time::sleep(after.min(SELDOM)).await,
        None => std::future::pending().await,
    }
}
