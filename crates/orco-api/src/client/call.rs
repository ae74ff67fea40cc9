//! The calls.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Response, body::Incoming};
use orco_core::model::ServiceName;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Bodies, ClientError, EventPosition, Lines, LogBytes, LogPosition, Resuming, StatusPosition,
    absent::explained,
    again::{PAUSE, again, in_time},
    connect,
};
use crate::{
    place::Place,
    wire::{
        Applied, Apply, Code, Down, ErrorBody, Event, EventsQuery, Exec, ExecReply, Graph, LogRecord, LogsQuery,
        Outcome, Scale, Service, Signal, Status, Upgrade, Upgrading, Wait, Why,
    },
};

/// No single document is larger: 10,000 services take a tenth of it.
const LARGEST: usize = 256 << 20;

/// Speaks to one running stack. Cheap to clone; holds no connection. Dropping any call ends its connection; a
/// command that was sent is carried out all the same.
///
/// An engine may be lost and replaced while the socket stays. What can be asked twice is asked again then, for up to 5 s:
/// questions, and commands that say what shall be (`start`, `stop`, `scale`, `apply`, `down`). `restart`, `signal` and
/// `exec` are given once. Who waits for the end of a command waits on at the engine that takes over in an upgrade.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    place: Place,
}

impl Client {
    /// For the stack of this place.
    ///
    /// # Errors
    /// [`ClientError::Unsafe`] where the socket is in a shared folder that others can write to.
    pub fn new(place: &Place) -> Result<Self, ClientError> {
        let socket = place.socket();
        if socket.exists() {
            place.check_socket_dir(false)?;
        }
        Ok(Self { socket, place: place.clone() })
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The place.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The status now.
    ///
    /// # Errors
    /// [`ClientError`], as for every call.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get("status").await
    }

    /// The status now, without what the services use, which takes time to measure.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn brief_status(&self) -> Result<Status, ClientError> {
        self.get("status?brief=true").await
    }

    /// The status now and after each change.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn watch(&self) -> Result<Lines<Status>, ClientError> {
        Ok(Lines::new(self.stream("status?watch=true").await?))
    }

    /// The status now and after each change, also from the next engine where one follows on this one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn follow_status(&self) -> Result<Resuming<StatusPosition>, ClientError> {
        Resuming::open(self, StatusPosition).await
    }

    /// Events, each once, also from the next engine where one follows on this one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn follow_events(&self, query: EventsQuery) -> Result<Resuming<EventPosition>, ClientError> {
        Resuming::open(self, EventPosition::new(query)).await
    }

    /// Log records, each once, also from the next engine where one follows on this one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn follow_logs(&self, query: LogsQuery) -> Result<Resuming<LogPosition>, ClientError> {
        Resuming::open(self, LogPosition::new(query)).await
    }

    /// As [`follow_logs`](Self::follow_logs), as NDJSON, to be passed on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn follow_logs_ndjson(&self, query: LogsQuery) -> Result<LogBytes, ClientError> {
        LogBytes::open(self, LogPosition::new(query)).await
    }

    /// Events.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self, query: &EventsQuery) -> Result<Lines<Event>, ClientError> {
        Ok(Lines::new(self.stream(&with_query("events", query)?).await?))
    }

    /// Log records.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn logs(&self, query: &LogsQuery) -> Result<Lines<LogRecord>, ClientError> {
        Ok(Lines::new(self.stream(&with_query("logs", query)?).await?))
    }

    /// Log records as they come over the wire: NDJSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn logs_ndjson(&self, query: &LogsQuery) -> Result<Bodies, ClientError> {
        Ok(Bodies::new(self.stream(&with_query("logs", query)?).await?))
    }

    /// The graph with live states.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn graph(&self) -> Result<Graph, ClientError> {
        self.get("graph").await
    }

    /// One service.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn service(&self, name: &str) -> Result<Service, ClientError> {
        self.get(&service(name, "")?).await
    }

    /// What keeps a service from being ready.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn why(&self, name: &str) -> Result<Why, ClientError> {
        self.get(&service(name, "/why")?).await
    }

    /// Starts a service.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn start(&self, name: &str, body: &Wait) -> Result<Outcome, ClientError> {
        self.led(&service(name, "/start")?, body, body.wait).await
    }

    /// Stops a service.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stop(&self, name: &str, body: &Wait) -> Result<Outcome, ClientError> {
        self.led(&service(name, "/stop")?, body, body.wait).await
    }

    /// Replaces a service, one replica at a time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn restart(&self, name: &str, body: &Wait) -> Result<Outcome, ClientError> {
        let taken: Outcome = self.post(&service(name, "/restart")?, body).await?;
        if !goes_on(&taken, body.wait) {
            return Ok(taken);
        }
        // It is replaced and not to be replaced twice: what is left to ask is that it comes back.
        tokio::time::sleep(PAUSE).await;
        self.start(name, body).await
    }

    /// Sets the number of replicas.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn scale(&self, name: &str, body: &Scale) -> Result<Outcome, ClientError> {
        self.led(&service(name, "/scale")?, body, body.wait).await
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn signal(&self, name: &str, body: &Signal) -> Result<Outcome, ClientError> {
        self.post(&service(name, "/signal")?, body).await
    }

    /// Runs a command.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn exec(&self, name: &str, body: &Exec) -> Result<Vec<ExecReply>, ClientError> {
        self.post(&service(name, "/exec")?, body).await
    }

    /// Replaces the engine by the program now on disk. The answer comes before the engine hands over.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn upgrade(&self) -> Result<Upgrading, ClientError> {
        self.post("upgrade", &Upgrade {}).await
    }

    /// Makes another stack the wanted one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn apply(&self, body: &Apply) -> Result<Applied, ClientError> {
        let mut applied: Applied = self.repeat("apply", body).await?;
        while applied.outcome.as_ref().is_some_and(|outcome| goes_on(outcome, body.wait)) {
            tokio::time::sleep(PAUSE).await;
            // For the next engine it has all been planned already.
            applied.outcome = self.repeat::<_, Applied>("apply", body).await?.outcome;
        }
        Ok(applied)
    }

    /// Stops everything.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn down(&self, body: &Down) -> Result<Outcome, ClientError> {
        self.led("down", body, body.wait).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let ask = || in_time(&self.socket, async { read(self.send(Method::GET, path, Bytes::new()).await?).await });
        again(ask).await.map_err(|e| explained(e, &self.place))
    }

    /// A command that may be given twice: where the engine was lost before it answered, the next one gets it too.
    async fn repeat<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ClientError> {
        again(|| self.post(path, body)).await.map_err(|e| explained(e, &self.place))
    }

    /// To the end, if that is waited for: whichever engine sees it.
    async fn led<B: Serialize + Sync>(&self, path: &str, body: &B, wait: bool) -> Result<Outcome, ClientError> {
        loop {
            let outcome = self.repeat(path, body).await?;
            if !goes_on(&outcome, wait) {
                return Ok(outcome);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn post<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| ClientError::Unexpected(e.to_string()))?;
        read(self.send(Method::POST, path, body.into()).await?).await
    }

    pub(super) async fn stream(&self, path: &str) -> Result<Incoming, ClientError> {
        Ok(self.send(Method::GET, path, Bytes::new()).await?.into_body())
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/{path}"))
            .header(header::HOST, "orco")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|e| ClientError::Unexpected(e.to_string()))?;
        let answer = connect::send(&self.socket, request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let error: Result<ErrorBody, _> = read(answer).await;
        Err(error.map_or_else(|_| ClientError::Unexpected(format!("HTTP status {status}")), ClientError::Api))
    }
}

/// The engine has taken the command and gives way to another one before its end.
fn goes_on(outcome: &Outcome, wait: bool) -> bool {
    wait && *outcome == Outcome::TAKEN
}

async fn read<T: DeserializeOwned>(answer: Response<Incoming>) -> Result<T, ClientError> {
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let bytes = body.map_err(ClientError::Lost)?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|e| ClientError::Unexpected(e.to_string()))
}

pub(super) fn with_query(path: &str, query: &impl Serialize) -> Result<String, ClientError> {
    let query = serde_urlencoded::to_string(query).map_err(|e| ClientError::Unexpected(e.to_string()))?;
    Ok(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
}

/// A name that is none never reaches the path of a request.
fn service(name: &str, rest: &str) -> Result<String, ClientError> {
    match ServiceName::new(name) {
        Ok(name) => Ok(format!("services/{name}{rest}")),
        Err(e) => Err(ClientError::Api(ErrorBody::new(Code::UnknownService, format!("no service `{name}`: {e}")))),
    }
}
