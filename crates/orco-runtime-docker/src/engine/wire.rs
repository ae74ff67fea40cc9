//! The way to the engine: one connection per request, and the agreed version in front of each path.
//!
//! The library would send no version at all, and keep connections in a pool. A connection of its own costs a request
//! some 0.1 ms and saves a lot: no idle connection that wakes us up or has died unnoticed, and a request that could not
//! be sent has certainly not happened.

use std::{
    error::Error as StdError,
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bollard::{BollardRequest, errors::Error};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header::HOST, uri::PathAndQuery};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::find::Host;

use super::{translate::Fault, version::Version};

/// Longest answer of those that we read ourselves.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// The connections of one client, each of which is a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    tasks: TaskTracker,
    ending: CancellationToken,
}

impl Connections {
    /// Ends all connections, and those to come.
    pub(super) async fn close(&self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A way to one engine.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) host: Host,
    /// `/v1.41`; empty before a version is agreed on.
    pub(super) prefix: String,
    /// For connecting, and for streams to begin.
    pub(super) open: Duration,
    /// An answer with output may begin only with the first output.
    pub(super) late_output: bool,
    /// Set when the engine was not there: the next one may speak another version.
    pub(super) stale: Arc<AtomicBool>,
    pub(super) connections: Connections,
}

impl Wire {
    /// Whether somebody listens.
    pub(super) async fn knock(&self) -> Result<(), Fault> {
        self.limited(async { self.stream().await.map(drop) }).await
    }

    /// A JSON answer to a `GET`.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let request = Request::get(path).body(Full::<Bytes>::default())?;
        let response = self.send(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        let bytes = body.map_err(|err| Error::IOError { err: io::Error::other(err) })?.to_bytes();
        if !status.is_success() {
            let message = String::from_utf8_lossy(&bytes).into_owned();
            return Err(Error::DockerResponseServerError { status_code: status.as_u16(), message });
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    async fn send<B>(&self, request: Request<B>) -> Result<Response<Incoming>, Error>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        if self.connections.ending.is_cancelled() {
            return Err(Fault::Connect(io::Error::new(io::ErrorKind::NotConnected, "this client is closed")).into());
        }
        let request = self.addressed(request)?;
        let limit = self.limit_of(request.uri().path());
        let stream = self.limited(self.stream()).await.inspect_err(|_| self.stale.store(true, Ordering::Release))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let ending = self.connections.ending.clone();
        // Lives as long as somebody waits for the answer, reads its body or holds the upgraded connection.
        self.connections.tasks.spawn(async move {
            // Both are cancel-safe: a connection is dropped as a whole.
            tokio::select! {
                done = connection.with_upgrades() => drop(done),
                () = ending.cancelled() => {}
            }
        });
        let answer = sender.send_request(request);
        let answer = match limit {
            Some(limit) => timeout(limit, answer).await.map_err(|_| Fault::OpenLate(limit))?,
            None => answer.await,
        };
        // An engine that goes away in the middle may come back as another version.
        Ok(answer.inspect_err(|_| self.stale.store(true, Ordering::Release))?)
    }

    /// With the version, and in the form in which a server wants it.
    fn addressed<B>(&self, mut request: Request<B>) -> Result<Request<B>, Error> {
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let uri: Uri = format!("{}{path}", self.prefix).parse()?;
        let name = match &self.host {
            // As the Docker command names an engine behind a socket.
            Host::Unix(_) => HeaderValue::from_static("docker"),
            Host::Tcp(address) => HeaderValue::from_str(address).map_err(http::Error::from)?,
        };
        *request.uri_mut() = uri;
        request.headers_mut().insert(HOST, name);
        if let Some(login) = request.headers_mut().get_mut("x-registry-auth") {
            *login = url_safe(login)?;
        }
        Ok(request)
    }

    /// Streams have to begin in time; other answers are awaited by whoever asked.
    fn limit_of(&self, path: &str) -> Option<Duration> {
        let last = path.rsplit('/').next().unwrap_or_default();
        let is_stream = match last {
            "events" | "wait" | "attach" => true,
            "logs" => !self.late_output,
            "start" => path.contains("/exec/"),
            _ => false,
        };
        is_stream.then_some(self.open)
    }

    async fn limited<T>(&self, connecting: impl Future<Output = io::Result<T>>) -> Result<T, Fault> {
        match timeout(self.open, connecting).await {
            Ok(done) => done.map_err(Fault::Connect),
            Err(_) => Err(Fault::ConnectLate(self.open)),
        }
    }

    async fn stream(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.host {
            Host::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Host::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }

    /// Names the version in each path from now on.
    pub(super) fn speaking(mut self, version: Version) -> Self {
        self.prefix = format!("/v{version}");
        self
    }
}

/// Engines read logins as base64 in the alphabet of addresses, the library writes the other one: a password with `?`, `~`
/// or an umlaut at the wrong place would be taken for none at all, without a word.
fn url_safe(login: &HeaderValue) -> Result<HeaderValue, http::Error> {
    let bytes = login.as_bytes().iter().map(|byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    });
    let mut value = HeaderValue::from_bytes(&bytes.collect::<Vec<u8>>())?;
    value.set_sensitive(true);
    Ok(value)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The way that the library takes.
pub(super) fn transport(
    wire: &Arc<Wire>,
) -> impl Fn(BollardRequest) -> BoxFuture<'static, Result<Response<Incoming>, Error>> + Send + Sync + 'static {
    let wire = Arc::clone(wire);
    move |request| {
        let wire = Arc::clone(&wire);
        Box::pin(async move { wire.send(request).await })
    }
}
