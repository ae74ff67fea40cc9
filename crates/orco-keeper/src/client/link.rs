//! The connection to one keeper: two tasks, one that writes batches and one that reads them.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use orco_core::model::InstanceId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest, unix::AsyncFd},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, oneshot},
};

use super::{
    adopt::Fate,
    config::Config,
    error::{Refusal, SpawnError, StartError},
    held::Held,
    keeper::ExecOutput,
    launch::{self, Guard, Launched},
};
use crate::{
    ledger::Ledger,
    wire::{Backend, Frames, Hello, MAX_FRAME, Order, Report, VERSION, frame},
};

/// A keeper that has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who waits for which answer.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    pub(super) spawns: HashMap<InstanceId, oneshot::Sender<Result<u32, SpawnError>>>,
    pub(super) execs: HashMap<InstanceId, oneshot::Sender<Result<ExecOutput, SpawnError>>>,
    pub(super) requests: HashMap<u64, oneshot::Sender<i32>>,
    pub(super) adoptions: HashMap<InstanceId, oneshot::Sender<Fate>>,
}

/// The connection to one keeper. Dropping the last one ends the keeper and all it holds.
#[derive(Debug)]
pub(super) struct Link {
    /// Counts keepers.
    pub(super) number: u64,
    pub(super) keeper_pid: u32,
    pub(super) backend: Backend,
    outbox: Arc<Outbox>,
    pub(super) waiters: Arc<Mutex<Waiters>>,
}

/// Frames on their way to the writer.
#[derive(Debug, Default)]
struct Outbox {
    bytes: Mutex<Vec<u8>>,
    closed: std::sync::atomic::AtomicBool,
    more: Notify,
}

/// What the reading side keeps.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) read: OwnedReadHalf,
    pub(super) frames: Frames,
    pub(super) guard: Arc<AsyncFd<GuardFd>>,
    pub(super) waiters: Arc<Mutex<Waiters>>,
    pub(super) number: u64,
}

/// The guard, to be waited for.
#[derive(Debug)]
pub(super) struct GuardFd(pub(super) Guard);

impl AsRawFd for GuardFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.pidfd.as_raw_fd()
    }
}

impl AsFd for GuardFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.pidfd.as_fd()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Starts a keeper and shakes hands with it.
    pub(super) async fn open(config: &Config, number: u64, ledger: &Ledger) -> Result<(Self, Incoming), StartError> {
        let launched = launch::launch(config, number, ledger)?;
        let (link, incoming, _) = Self::shake(config, number, launched).await?;
        Ok((link, incoming))
    }

    /// Shakes hands with the keeper that has started this engine, and hears what it holds.
    pub(super) async fn attach(
        config: &Config,
        number: u64,
        socket: OwnedFd,
        keeper: u32,
    ) -> Result<(Self, Incoming, Vec<Held>), StartError> {
        let failed = |source: io::Error| StartError::Launch { program: "keeper".to_owned(), source: Arc::new(source) };
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true).map_err(failed)?;
        let guard = Guard::of(keeper).map_err(failed)?;
        Self::shake(config, number, Launched { socket, guard }).await
    }

    async fn shake(
        config: &Config,
        number: u64,
        launched: Launched,
    ) -> Result<(Self, Incoming, Vec<Held>), StartError> {
        let program = launch::program(config).display().to_string();
        let failed = |source: io::Error| StartError::Launch { program: program.clone(), source: Arc::new(source) };
        let guard = GuardFd(launched.guard);
        // SAFETY: it owns its descriptor and answers with the same one for as long as it lives.
        let guard = unsafe { AsyncFd::register_with_interest(guard, Interest::READABLE) };
        let guard = Arc::new(guard.map_err(|error| failed(error.into_parts().1))?);
        let socket = UnixStream::from_std(launched.socket).map_err(failed)?;
        let (read, mut write) = socket.into_split();
        let (segment_bytes, unacknowledged_bytes) = (config.segment_bytes, config.unacknowledged_bytes);
        let (nofile, env) = (config.nofile, config.variables());
        let mut bytes = Vec::new();
        let hello = Hello { version: VERSION, segment_bytes, unacknowledged_bytes, nofile, env };
        frame(&Order::Hello { hello }, &mut bytes);
        // A program that is no keeper may hang up before it has read.
        let _ = write.write_all(&bytes).await;
        let waiters = Arc::new(Mutex::new(Waiters::default()));
        let mut incoming = Incoming { read, frames: Frames::default(), guard, waiters: Arc::clone(&waiters), number };
        let version = tokio::time::timeout(PATIENCE, incoming.version()).await;
        match version {
            Ok(Some(VERSION)) => {}
            Ok(Some(theirs)) => return Err(StartError::Version { program, theirs, ours: VERSION }),
            Ok(None) | Err(_) => return Err(no_answer(config, program)),
        }
        let ready = tokio::time::timeout(PATIENCE, incoming.next()).await;
        let Ok(Some(Report::Ready { pid, backend, refused, .. })) = ready else {
            return Err(no_answer(config, program));
        };
        if let Some(errno) = refused {
            return Err(StartError::Backend(Arc::new(io::Error::from_raw_os_error(errno))));
        }
        let held = if config.detached.is_some() { incoming.inventory().await } else { Some(Vec::new()) };
        let held = held.ok_or_else(|| no_answer(config, program))?;
        let outbox = Arc::new(Outbox::default());
        tokio::spawn(write_all(write, Arc::clone(&outbox)));
        Ok((Self { number, keeper_pid: pid, backend, outbox, waiters }, incoming, held))
    }

    /// Sends an order, together with others that come at the same time.
    pub(super) fn send(&self, order: &Order) -> Result<(), SpawnError> {
        let mut bytes = lock(&self.outbox.bytes);
        let start = bytes.len();
        frame(order, &mut bytes);
        if bytes.len() - start > MAX_FRAME {
            bytes.truncate(start);
            return Err(SpawnError::new(Refusal::TooLong));
        }
        drop(bytes);
        self.outbox.more.notify_one();
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.outbox.closed.store(true, std::sync::atomic::Ordering::Release);
        self.outbox.more.notify_one();
    }
}

/// What it wrote last to its standard error may tell why.
fn no_answer(config: &Config, program: String) -> StartError {
    let said = launch::errors_file(config).and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(1000)..]).into_owned();
    StartError::NoAnswer { program, said }
}

/// Writes whatever has gathered, again and again. Ending closes this direction, which tells the keeper.
async fn write_all(mut socket: OwnedWriteHalf, outbox: Arc<Outbox>) {
    let mut batch = Vec::new();
    loop {
        outbox.more.notified().await;
        std::mem::swap(&mut batch, &mut *lock(&outbox.bytes));
        if socket.write_all(&batch).await.is_err() {
            return;
        }
        batch.clear();
        if batch.capacity() > 64 << 10 {
            batch = Vec::new();
        }
        if outbox.closed.load(std::sync::atomic::Ordering::Acquire) && lock(&outbox.bytes).is_empty() {
            return;
        }
    }
}

impl Incoming {
    /// The version in the keeper's first frame; `None`: it is gone, or no keeper.
    async fn version(&mut self) -> Option<u8> {
        loop {
            if let Some(version) = self.frames.version().ok()? {
                return Some(version);
            }
            self.read_more().await?;
        }
    }

    /// What a detached keeper holds; `None`: it is gone.
    async fn inventory(&mut self) -> Option<Vec<Held>> {
        let mut held = Vec::new();
        let mut papers = HashMap::new();
        loop {
            match tokio::time::timeout(PATIENCE, self.next()).await.ok()?? {
                Report::Token { id, token, stop_signal } => _ = papers.insert(id, (token, stop_signal)),
                Report::Held { id, pid, ending, bytes, log_dir, log_stem } => {
                    let (token, stop_signal) = papers.remove(&id).unwrap_or_default();
                    let mut one = Held::new(id, pid, ending.map(|ending| (ending, bytes)), (&log_dir, &log_stem));
                    one.token = String::from_utf8_lossy(&token).into_owned();
                    one.stop_signal = stop_signal;
                    held.push(one);
                }
                Report::HeldAll {} => return Some(held),
                _ => return None,
            }
        }
    }

    async fn read_more(&mut self) -> Option<()> {
        let room = self.frames.room();
        room.reserve(16 << 10);
        (self.read.read_buf(room).await.ok()? != 0).then_some(())
    }

    /// The next report; `None` when the keeper is gone. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Report> {
        loop {
            // A keeper that talks nonsense is as good as gone.
            if let Some(report) = self.frames.next().ok()? {
                return Some(report);
            }
            self.read_more().await?;
        }
    }
}
