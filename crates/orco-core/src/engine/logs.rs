//! Where output lies, and who waits for more of it.
//!
//! Bytes never pass through here unless somebody reads: runtimes write segments themselves, or hand
//! over a stream that one task writes. Readers have cursors; a slow one is just behind.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures::{StreamExt, stream};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    log::{Cursor, Origin, Start, Writer, format::Stem},
    model::{InstanceId, ServiceName},
    probe::{Follow, RecordStream},
    runtime::{Growth, LogSource, LogStream, StartRequest},
};

use super::clock::wall_micros;

/// Records handed on at once.
const BATCH: usize = 512;

/// One instance whose output can be followed.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub(super) origin: Origin,
    pub(super) dir: PathBuf,
    pub(super) growth: Arc<dyn Growth>,
    /// True once all output is in the files.
    pub(super) ended: watch::Receiver<bool>,
}

impl Tail {
    /// Waits until there is more than `seen` bytes or the output has ended. `before` is what was seen at the
    /// last call: growth that brought nothing means that the end is near, and only it is waited for. Cancel-safe.
    pub(super) async fn more(&self, seen: u64, before: Option<u64>) {
        let mut ended = self.ended.clone();
        if before == Some(seen) {
            let _ = ended.wait_for(|e| *e).await;
            return;
        }
        // Both arms are cancel-safe: by the contract of `beyond`, and a watch loses nothing.
        tokio::select! {
            () = self.growth.beyond(seen) => {}
            _ = ended.wait_for(|e| *e) => {}
        }
    }
}

#[derive(Debug)]
struct Entry {
    tail: Tail,
    ended: watch::Sender<bool>,
    writing: Option<JoinHandle<()>>,
}

/// The log directory of one engine.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) root: PathBuf,
    /// Live instances. The lock is held for look-ups only.
    live: Mutex<BTreeMap<InstanceId, Entry>>,
    /// Counts instances that were attached; closed when the engine ends.
    pub(super) arrivals: watch::Sender<u64>,
}

impl Logs {
    #[expect(clippy::disallowed_methods, reason = "the log directory is made here")]
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        Ok(Self { root, live: Mutex::default(), arrivals: watch::Sender::new(0) })
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Entry>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory of a service, made if need be.
    #[expect(clippy::disallowed_methods, reason = "the log directory is made here")]
    pub(super) fn directory(&self, service: &ServiceName) -> Result<PathBuf, String> {
        use std::os::unix::fs::DirBuilderExt;
        let dir = self.root.join(service.as_str());
        match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(format!("cannot create {}: {e}", dir.display())),
            _ => Ok(dir),
        }
    }

    /// A started instance's output begins.
    pub(super) fn attach(&self, request: &StartRequest, source: LogSource) {
        let origin = Origin::new(request.service.name.clone(), request.replica, request.run);
        let dir = request.log.dir.clone();
        let (ended, ended_rx) = watch::channel(false);
        let (growth, writing): (Arc<dyn Growth>, _) = match source {
            LogSource::Segments(growth) => (growth, None),
            LogSource::Stream(stream) => {
                let (written, rx) = watch::channel(0);
                let stem = Stem { replica: request.replica, run: request.run };
                let task = tokio::spawn(write(stream, dir.clone(), stem, written));
                (Arc::new(Written(rx)), Some(task))
            }
        };
        let tail = Tail { origin, dir, growth, ended: ended_rx };
        self.live().insert(request.instance, Entry { tail, ended, writing });
        self.arrivals.send_modify(|n| *n += 1);
    }

    /// An instance is over: its readers come to their end when they have read what there is.
    pub(super) async fn ended(&self, inst: InstanceId) {
        let Some(entry) = self.live().remove(&inst) else { return };
        if let Some(writing) = entry.writing {
            // The stream of an ended instance ends; one that does not is cut off.
            let abort = writing.abort_handle();
            if tokio::time::timeout(std::time::Duration::from_secs(5), writing).await.is_err() {
                abort.abort();
            }
        }
        entry.ended.send_replace(true);
    }

    /// All live instances.
    pub(super) fn tails(&self) -> Vec<Tail> {
        self.live().values().map(|e| e.tail.clone()).collect()
    }

    /// One live instance, for log probes.
    pub(super) fn follow_instance(&self, inst: InstanceId) -> Option<Arc<dyn Follow>> {
        self.live().get(&inst).map(|e| Arc::new(Instance(e.tail.clone())) as Arc<dyn Follow>)
    }
}

/// Writes a stream of output as segments.
async fn write(mut stream: LogStream, dir: PathBuf, stem: Stem, written: watch::Sender<u64>) {
    let mut writer = match Writer::create(&dir, stem) {
        Ok(writer) => writer,
        Err(error) => {
            tracing::warn!(%error, dir = %dir.display(), "cannot write this log");
            return;
        }
    };
    while let Some(chunk) = stream.next().await {
        // A full disk drops and counts; the service goes on.
        if let Err(error) = writer.append(chunk.stderr, &chunk.bytes, wall_micros()) {
            tracing::warn!(%error, "log bytes dropped");
        }
        written.send_replace(writer.written());
    }
    if let Err(error) = writer.finish(wall_micros()) {
        tracing::warn!(%error, "cannot finish a log");
    }
}

/// Growth of a log that the engine writes itself.
#[derive(Debug)]
struct Written(watch::Receiver<u64>);

#[async_trait]
impl Growth for Written {
    async fn beyond(&self, seen: u64) {
        // An error: the writer is gone, so the output has ended.
        let _ = self.0.clone().wait_for(|n| *n > seen).await;
    }
}

/// Follows one instance.
#[derive(Debug)]
struct Instance(Tail);

impl Follow for Instance {
    fn records(&self) -> RecordStream {
        let tail = self.0.clone();
        let cursor = Cursor::open(&tail.dir, tail.origin.clone(), Start::Beginning);
        let cursor = match cursor {
            Ok(cursor) => cursor,
            Err(error) => {
                tracing::warn!(%error, "cannot read this log");
                return Box::pin(stream::empty());
            }
        };
        Box::pin(stream::unfold((tail, cursor), |(tail, mut cursor)| async move {
            let mut before = None;
            loop {
                // Read before the files: what is written before the flag is set is then not missed.
                let ended = *tail.ended.borrow();
                if ended {
                    cursor.set_ended();
                }
                match cursor.batch(BATCH) {
                    Ok(batch) if !batch.is_empty() => return Some((batch, (tail, cursor))),
                    Ok(_) if ended => return None,
                    Ok(_) => {
                        let seen = cursor.read_bytes();
                        tail.more(seen, before).await;
                        before = Some(seen);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot read this log");
                        return None;
                    }
                }
            }
        }))
    }
}
impl Logs {
    pub(super) fn runs(&self) -> Vec<(ServiceName, u32, u32)> { Vec::new() }
    pub(super) fn read(&self, query: crate::log::Query) -> Vec<crate::log::Record> { Vec::new() }
    pub(super) fn stream(&self, query: crate::log::Query, follow: bool) -> impl futures::Stream<Item = Vec<crate::log::Record>> + Send + 'static + use<> { stream::empty() }
}
