//! The loop that takes connections.

use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use orco_core::engine::Engine;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Accepted,
    app::{App, router},
    listen::{self, ListenError},
};
use crate::{
    place::{Lock, Place},
    wire::Mode,
};

/// Connections at once; more wait in the socket's queue.
const CONNECTIONS: usize = 64;
/// How long a connection may take to say what it wants.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests under way may take when the server closes.
const GRACE: Duration = Duration::from_secs(2);

/// A running server. Costs nothing while nobody is connected.
#[derive(Debug)]
#[must_use = "the server ends when this is dropped"]
pub struct Server {
    closing: CancellationToken,
    connections: TaskTracker,
    path: PathBuf,
    accepted: watch::Receiver<Option<Arc<Accepted>>>,
}

impl Server {
    /// Opens the control socket and serves the engine on it. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn start(place: &Place, lock: &Lock, engine: Engine, mode: Mode) -> Result<Self, ListenError> {
        let (listener, path) = listen::open(place, lock)?;
        let closing = CancellationToken::new();
        let connections = TaskTracker::new();
        let (sender, accepted) = watch::channel(None);
        let app = App { engine, mode, applying: Arc::default(), accepted: sender, closing: closing.clone() };
        let router = router(app);
        connections.spawn(accept(listener, router, closing.clone(), connections.clone()));
        Ok(Self { closing, connections, path, accepted })
    }

    /// Follows what is applied through this server: the stack that was taken last, with its variables.
    pub fn accepted(&self) -> watch::Receiver<Option<Arc<Accepted>>> {
        self.accepted.clone()
    }

    /// Takes no more connections, ends streams, lets requests under way finish (at most 2 s), removes the
    /// socket. Dropping the future ends the rest at once.
    pub async fn close(self) {
        self.closing.cancel();
        self.connections.close();
        // A handler that hangs keeps nobody from leaving.
        let _ = tokio::time::timeout(GRACE, self.connections.wait()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.cancel();
        // Only while we hold the lock is it ours, and the lock is given back after the server.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn accept(listener: UnixListener, router: Router, closing: CancellationToken, connections: TaskTracker) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Both are cancel-safe: no permit and no connection is lost.
        let next = async {
            let permit = Arc::clone(&free).acquire_owned().await.ok()?;
            Some((permit, listener.accept().await))
        };
        let (permit, stream) = tokio::select! {
            () = closing.cancelled() => return,
            next = next => match next {
                Some((permit, Ok((stream, _)))) => (permit, stream),
                Some((_, Err(error))) => {
                    // Out of descriptors, most likely: wait instead of spinning.
                    tracing::warn!(%error, "cannot take a control connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                None => return,
            },
        };
        if !listen::is_ours(&stream) {
            tracing::warn!("another user knocked at the control socket");
            continue;
        }
        let (router, closing) = (router.clone(), closing.clone());
        connections.spawn(async move {
            connection(stream, router, closing).await;
            drop(permit);
        });
    }
}

async fn connection(stream: UnixStream, router: Router, closing: CancellationToken) {
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended: Result<(), hyper::Error> = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients hang up whenever they like.
        tracing::debug!(%error, "control connection ended");
    }
}
