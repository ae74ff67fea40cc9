//! The loop that takes connections.

use std::{
    fs::File,
    io,
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use nix::sys::socket::{setsockopt, sockopt};
use orco_core::engine::Engine;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Accepted, Upgrades,
    app::{App, router},
    listen::{self, ListenError, Listener},
};
use crate::{
    place::{Lock, Place},
    wire::Mode,
};

/// Connections at once; more wait in the socket's queue.
const CONNECTIONS: usize = 128;
/// How long a connection may take to say what it wants.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests under way may take when the server closes.
const GRACE: Duration = Duration::from_secs(2);
/// How long it waits then for the first request of a connection that it has taken.
const ABOUT_TO_ASK: Duration = Duration::from_millis(250);

/// What a reader may be behind before its writer has to wait, where the system lets us: a batch of log records goes out
/// in one piece.
const UNREAD: usize = 512 << 10;

/// How long to wait where not even the descriptor kept in reserve helps.
const SCARCE: Duration = Duration::from_millis(50);

/// A running server. Costs nothing while nobody is connected.
#[derive(Debug)]
#[must_use = "the server ends when this is dropped"]
pub struct Server {
    closing: CancellationToken,
    /// Cuts streams off, and what waits for the end of a command.
    cutting: CancellationToken,
    connections: TaskTracker,
    path: PathBuf,
    /// Whether the socket's file goes with the server.
    removes: bool,
    accepted: watch::Receiver<Option<Arc<Accepted>>>,
}

impl Server {
    /// Opens the control socket and serves the engine on it. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn start(place: &Place, lock: &Lock, engine: Engine, mode: Mode) -> Result<Self, ListenError> {
        let mut server = Self::serve(Listener::bind(place, lock)?, engine, mode, None)?;
        server.removes = true;
        Ok(server)
    }

    /// Follows what is applied through this server: the stack that was taken last, with its variables.
    pub fn accepted(&self) -> watch::Receiver<Option<Arc<Accepted>>> {
        self.accepted.clone()
    }

    /// Serves the engine on a socket that other processes hold too: it stays when the server ends
    /// ([`Place::remove_socket`] removes it). Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn serve(
        listener: Listener,
        engine: Engine,
        mode: Mode,
        upgrades: Option<Upgrades>,
    ) -> Result<Self, ListenError> {
        let (listener, path) = listener.open()?;
        let (closing, cutting) = (CancellationToken::new(), CancellationToken::new());
        let connections = TaskTracker::new();
        let (sender, accepted) = watch::channel(None);
        let (applying, cut) = (Arc::default(), cutting.clone());
        let router = router(App { engine, mode, upgrades, applying, accepted: sender, cutting: cut });
        connections.spawn(accept(listener, router, closing.clone(), connections.clone()));
        Ok(Self { closing, cutting, connections, path, removes: false, accepted })
    }

    /// Takes no more connections, ends streams, lets requests under way finish (at most 2 s), but tells those who wait for
    /// the end of a command to ask the next engine; a socket of our own is removed. Dropping the future ends the rest at
    /// once.
    pub async fn close(self) {
        self.cutting.cancel();
        self.drain().await;
    }

    /// Waits for the engine's end, then takes no more connections; streams tell all there is, and requests under way are
    /// answered (both within 2 s). A reader that is slower than that sees a broken connection, not an end.
    pub async fn end(self, engine: impl Future<Output = ()>) {
        // Who waited in the queue for an engine that only ends what a killed one began is taken in meanwhile.
        engine.await;
        self.drain().await;
    }

    async fn drain(&self) {
        self.closing.cancel();
        self.connections.close();
        // A handler that hangs keeps nobody from leaving.
        let _ = tokio::time::timeout(GRACE, self.connections.wait()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.cancel();
        self.cutting.cancel();
        if self.removes {
            // Only while we hold the lock is it ours, and the lock is given back after the server.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

async fn accept(listener: UnixListener, router: Router, closing: CancellationToken, connections: TaskTracker) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let reserve = Arc::new(Reserve::default());
    reserve.fill();
    loop {
        // Both are cancel-safe: no permit and no connection is lost.
        let next = async {
            let permit = Arc::clone(&free).acquire_owned().await.ok()?;
            Some((permit, listener.accept().await))
        };
        let (permit, stream) = tokio::select! {
            () = closing.cancelled() => return,
            next = next => match next {
                Some((permit, Ok((stream, _)))) => {
                    reserve.fill();
                    (permit, stream)
                }
                Some((_, Err(error))) => {
                    // The connection is still in the queue: to try again at once would be to spin.
                    if !(is_out_of_descriptors(&error) && reserve.spend()) {
                        tracing::warn!(%error, "cannot take a control connection");
                        tokio::time::sleep(SCARCE).await;
                    }
                    continue;
                }
                None => return,
            },
        };
        if !listen::is_ours(&stream) {
            tracing::warn!("another user knocked at the control socket");
            continue;
        }
        let (router, closing, reserve) = (router.clone(), closing.clone(), Arc::clone(&reserve));
        connections.spawn(async move {
            connection(stream, router, closing).await;
            reserve.fill();
            drop(permit);
        });
    }
}

/// A descriptor that is kept for the moment when there are no others: given up, it lets one more connection in, so
/// that a process at its limit can still be asked and told to stop.
#[derive(Debug, Default)]
struct Reserve(Mutex<Option<File>>);

impl Reserve {
    fn fill(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = File::open("/dev/null").ok();
        }
    }

    /// Whether there was one. What it frees belongs to the next connection, so it is filled only after that.
    fn spend(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(nix::libc::EMFILE | nix::libc::ENFILE))
}

async fn connection(stream: UnixStream, router: Router, closing: CancellationToken) {
    let (router, asked) = (TowerToHyperService::new(router), CancellationToken::new());
    let first = asked.clone();
    let service = service_fn(move |request| {
        first.cancel();
        router.call(request)
    });
    let mut http = http1::Builder::new();
    // Without it, batches go out in smaller pieces.
    let _ = setsockopt(&stream, sockopt::SndBuf, &UNREAD);
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended: Result<(), hyper::Error> = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            // Whoever has only just connected is about to ask, and a shutdown would close the door on them: a command
            // would be lost that nobody may give twice.
            let answered = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                _ = tokio::time::timeout(ABOUT_TO_ASK, asked.cancelled()) => None,
            };
            match answered {
                Some(ended) => ended,
                None => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(error) = ended {
        // Clients hang up whenever they like.
        tracing::debug!(%error, "control connection ended");
    }
}
