//! The client: finds the engine when it is first needed, agrees on a version, asks, and does so anew after the engine
//! was gone.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bollard::{ClientVersion, Docker};
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use crate::find::{Find, Host, Place, Surroundings, places};

use super::{
    call::{Call, Limits},
    error::{EngineError, Tried, hint},
    info::{EngineInfo, InfoAnswer, VersionAnswer},
    manners::Manners,
    translate::{Fault, translate, unconnected},
    version::{Range, Version},
    wire::{Connections, Wire, transport},
};

/// The library's own limit, out of the way: ours are separate for calls and streams.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// A client of one engine; cheap to clone. Each call is a request of its own, so there is nothing to reconnect.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    find: Find,
    surroundings: Option<Surroundings>,
    limits: Limits,
    connections: Connections,
    slots: Mutex<Slots>,
}

/// What is known of the engine.
#[derive(Debug, Default)]
struct Slots {
    /// Once an engine was found only that one is asked: another one would know none of our containers, and we would
    /// take them for gone.
    pinned: Option<Host>,
    found: Option<Arc<Found>>,
    /// A search under way, for all who need it. Weak: with the last who waits it ends.
    finding: Option<WeakShared<Finding>>,
}

type Finding = BoxFuture<'static, Result<Arc<Found>, EngineError>>;

/// An engine that has answered.
#[derive(Debug)]
struct Found {
    docker: Docker,
    wire: Arc<Wire>,
    server: String,
    manners: Manners,
    range: Range,
    agreed: Version,
    rootless: OnceCell<bool>,
}

impl Client {
    /// A client. No I/O.
    pub(crate) fn new(find: Find, limits: Limits) -> Self {
        Self::build(find, limits, None)
    }

    /// A client that looks around elsewhere than in the process's environment.
    #[cfg(test)]
    pub(crate) fn within(find: Find, limits: Limits, surroundings: Surroundings) -> Self {
        Self::build(find, limits, Some(surroundings))
    }

    fn build(find: Find, limits: Limits, surroundings: Option<Surroundings>) -> Self {
        let (connections, slots) = (Connections::default(), Mutex::default());
        Self { inner: Arc::new(Inner { find, surroundings, limits, connections, slots }) }
    }

    /// The limits.
    pub(crate) fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// Where the engine is, once it was found.
    pub(crate) fn host(&self) -> Option<Host> {
        self.inner.slots().pinned.clone()
    }

    /// The library's client, over our transport: the engine found and a version agreed on. For streams, which then
    /// have to begin within [`Limits::stream_open`] and live as long as they like; see also [`explain`](Self::explain).
    ///
    /// # Errors
    /// When there is no engine to talk to.
    pub(in crate::engine) async fn docker(&self) -> Result<Docker, EngineError> {
        Ok(self.found().await?.docker.clone())
    }

    /// Asks the engine, within [`Limits::call`] including the search for it. Dropped, it may or may not have happened.
    ///
    /// # Errors
    /// Why it did not, or may not have, happened.
    pub(crate) async fn call<T, F>(
        &self,
        what: impl Into<Call>,
        ask: impl FnOnce(Docker) -> F,
    ) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        self.ask(what.into(), |found| ask(found.docker.clone())).await
    }

    async fn ask<T, F>(&self, what: Call, ask: impl FnOnce(Arc<Found>) -> F) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let after = self.inner.limits.call;
        let deadline = Instant::now() + after;
        let found = match timeout_at(deadline, self.found()).await {
            Ok(found) => found?,
            Err(_) => return Err(EngineError::NoAnswer { what, after, sent: false }),
        };
        match timeout_at(deadline, Box::pin(ask(found))).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.explain(&what, &error)),
            Err(_) => Err(EngineError::NoAnswer { what, after, sent: true }),
        }
    }

    /// What the library's error means: for the items of streams, and for what is not a [`call`](Self::call).
    pub(in crate::engine) fn explain(&self, what: &Call, error: &bollard::errors::Error) -> EngineError {
        let host = self.host().unwrap_or_else(|| Host::Unix("/".into()));
        let meant = translate(what, &host, error);
        if meant.kind() == Some(super::kind::Kind::ApiVersion) {
            // Replaced by another version while nobody looked.
            self.gone();
        }
        meant
    }

    /// The engine was gone (a stream of it has ended early): before the next request a version is agreed on anew.
    pub(in crate::engine) fn gone(&self) {
        self.inner.slots().found = None;
    }

    /// Asks for a JSON answer, as [`call`](Self::call) does, and reads it as what we need of it.
    ///
    /// # Errors
    /// Why there is none.
    pub(in crate::engine) async fn get<T: DeserializeOwned>(
        &self,
        what: impl Into<Call>,
        path: String,
    ) -> Result<T, EngineError> {
        self.ask(what.into(), |found| async move { found.wire.get(&path).await }).await
    }

    /// Whose manners the engine that was found has. Asks no more than finding it does.
    ///
    /// # Errors
    /// When there is none to ask.
    pub(crate) async fn manners(&self) -> Result<Manners, EngineError> {
        Ok(self.found().await?.manners)
    }

    /// Who the engine is. It is asked for all that it knows of itself, which takes it as long as a container's creation:
    /// not in the way of a start.
    ///
    /// # Errors
    /// When there is none to ask.
    pub(crate) async fn info(&self) -> Result<EngineInfo, EngineError> {
        let found = self.found().await?;
        let wire = Arc::clone(&found.wire);
        let ask =
            self.call("ask the engine for its properties", |_| async move { wire.get::<InfoAnswer>("/info").await });
        let rootless = found.rootless.get_or_try_init(|| async { Ok(ask.await?.is_rootless()) }).await?;
        Ok(EngineInfo {
            server: found.server.clone(),
            podman: found.manners == Manners::Podman,
            rootless: *rootless,
            local: found.wire.host.is_local(),
            range: found.range,
            agreed: found.agreed,
        })
    }

    /// Ends all connections; later requests fail. Returns when nothing of this client runs any more.
    pub(crate) async fn close(&self) {
        self.inner.connections.close().await;
    }

    async fn found(&self) -> Result<Arc<Found>, EngineError> {
        let finding: Shared<Finding> = {
            let mut slots = self.inner.slots();
            match &slots.found {
                Some(found) if !found.wire.stale.load(Ordering::Acquire) => return Ok(Arc::clone(found)),
                Some(_) | None => slots.found = None,
            }
            let under_way = slots.finding.as_ref().and_then(WeakShared::upgrade);
            under_way.filter(|finding| finding.peek().is_none()).unwrap_or_else(|| {
                let inner = Arc::clone(&self.inner);
                let finding = async move { inner.find().await }.boxed().shared();
                slots.finding = finding.downgrade();
                finding
            })
        };
        finding.await
    }
}

impl Inner {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries the places, or the one where it was before.
    async fn find(&self) -> Result<Arc<Found>, EngineError> {
        let pinned = self.slots().pinned.clone();
        let places = match pinned {
            Some(host) => vec![Place { from: String::new(), host: Ok(host) }],
            None => {
                let around = self.surroundings.clone().unwrap_or_else(Surroundings::of_process);
                places(&self.find, &around)
            }
        };
        let mut tried = Vec::new();
        for Place { from, host } in &places {
            let host = match host {
                Ok(host) => host,
                Err(why) => {
                    tried.push(Tried { place: from.clone(), why: why.clone() });
                    continue;
                }
            };
            let wire = self.wire(host);
            let why = match wire.knock().await {
                // Who listens is the engine that is meant, also if it is in trouble.
                Ok(()) => return self.agree(wire).await,
                Err(fault) => refusal(host, fault),
            };
            if places.len() == 1 {
                return Err(why);
            }
            tried.push(Tried { place: format!("{from} {host}"), why: briefly(&why) });
        }
        Err(EngineError::NotFound(tried.into()))
    }

    async fn agree(&self, wire: Wire) -> Result<Arc<Found>, EngineError> {
        let what = Call::from("agree on an API version");
        let limit = self.limits.stream_open;
        let late = || EngineError::NoAnswer { what: what.clone(), after: limit, sent: false };
        let asked = tokio::time::timeout(limit, wire.get::<VersionAnswer>("/version")).await.map_err(|_| late())?;
        let answer = asked.map_err(|error| translate(&what, &wire.host, &error))?;
        let unclear = || EngineError::Broken {
            what: what.clone(),
            why: format!("the engine names no API version that is understood: `{}`", answer.api_version),
        };
        let range = answer.range().ok_or_else(unclear)?;
        let agreed = Range::OURS.agree(range).ok_or(EngineError::Version { ours: Range::OURS, theirs: range })?;
        let manners = if answer.is_podman() { Manners::Podman } else { Manners::Docker };
        let wire = Arc::new(Wire { late_output: manners.answers_with_output(), ..wire }.speaking(agreed));
        let version = ClientVersion { major_version: agreed.major.into(), minor_version: agreed.minor.into() };
        // The address is only the library's; ours is in the transport.
        let transport = transport(&wire);
        let docker =
            Docker::connect_with_custom_transport(transport, Some("http://docker"), NO_LIMIT.as_secs(), &version)
                .map_err(|error| translate(&what, &wire.host, &error))?;
        let (server, rootless) = (answer.version, OnceCell::new());
        let found = Arc::new(Found { docker, wire, server, manners, range, agreed, rootless });
        tracing::debug!(host = %found.wire.host, server = found.server, version = %agreed, "container engine found");
        let mut slots = self.slots();
        slots.pinned = Some(found.wire.host.clone());
        slots.found = Some(Arc::clone(&found));
        Ok(found)
    }

    fn wire(&self, host: &Host) -> Wire {
        Wire {
            host: host.clone(),
            prefix: String::new(),
            open: self.limits.stream_open,
            late_output: false,
            stale: Arc::new(AtomicBool::new(false)),
            connections: self.connections.clone(),
        }
    }
}

/// Why nobody listens there.
pub(super) fn refusal(host: &Host, fault: Fault) -> EngineError {
    match fault {
        Fault::Connect(cause) => unconnected(host, &cause),
        Fault::ConnectLate(after) | Fault::OpenLate(after) => {
            EngineError::NoAnswer { what: Call::from(format!("connect to {host}")), after, sent: false }
        }
    }
}

/// The reason alone, for a list whose lines name the place already.
fn briefly(error: &EngineError) -> String {
    match error {
        EngineError::Unreachable { why, .. } => why.clone(),
        EngineError::Denied { host } => format!("permission denied: {}", hint(host)),
        EngineError::NotFound(_)
        | EngineError::NoAnswer { .. }
        | EngineError::Version { .. }
        | EngineError::Status { .. }
        | EngineError::Broken { .. } => error.to_string(),
    }
}
