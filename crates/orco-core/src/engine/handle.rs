//! The public handle of a running engine.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::Stream;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    brain::{Command, Refused},
    log::{Query, Record},
    model::{InstanceId, ServiceName, StackId},
    runtime::{RuntimeError, Usage},
    spec::{Diagnostic, Stack},
};

use super::{
    builder::EngineBuilder,
    events::{Event, EventLog, EventQuery},
    finished::{Finished, finished},
    live::Found,
    progress::ProgressWatch,
    requests::{NotTaken, Request},
    status::{StandingWatch, Status, Watch},
    ticket::{Aim, NotDone, Ticket},
    usage,
    why::Why,
    world::World,
};

/// A running stack. Cheap to clone, `Send + Sync + 'static`; the engine ends with its last handle and
/// kills what still runs then. End it with [`Engine::shutdown`] to stop everything in order.
///
/// The engine installs no signal handler, touches no environment variable and keeps no global state; any
/// number of engines live side by side.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    pub(super) requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
pub(super) struct Shared {
    id: StackId,
    state_dir: PathBuf,
    pub(super) world: Arc<World>,
    events: Arc<EventLog>,
    pub(super) recovered: watch::Receiver<bool>,
}

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It makes no sense for this stack.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No replica of the service runs (or not the one asked for).
    #[error("{service} has no running instance{}", .replica.map(|r| format!(" of replica {r}")).unwrap_or_default())]
    NotRunning {
        /// Which.
        service: ServiceName,
        /// The replica asked for.
        replica: Option<u32>,
    },
    /// The plug-ins of this engine cannot do what the stack asks for.
    #[error("the stack does not fit the plug-ins: {}", super::apply::list(.0))]
    Unfit(Vec<Diagnostic>),
    /// The runtime refused.
    #[error("{service}/{replica}: {why}")]
    Runtime {
        /// Which.
        service: ServiceName,
        /// Which replica.
        replica: u32,
        /// The runtime's words.
        why: String,
        /// A command that could not be run: the exit code of a shell for that.
        shell_code: Option<u8>,
    },
    /// It cannot be recorded, so it was not taken: nothing may happen that a crash would forget.
    #[error("the change cannot be recorded: {0}")]
    Unrecorded(String),
    /// It was taken, but cannot be recorded yet: it is carried out as soon as it can be, and forgotten should the engine
    /// end before.
    #[error("the change cannot be recorded now, and is carried out as soon as it can: {0}")]
    Delayed(String),
    /// The engine has ended.
    #[error("the engine has ended")]
    Ended,
}

/// Why a stack is not ready and will not become so by itself.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// A service stands in the way.
    #[error("{0}")]
    Service(Box<Why>),
    /// The engine has ended.
    #[error("the engine has ended")]
    Ended,
}

impl Engine {
    /// Begins to put an engine together.
    pub fn builder(stack: Stack) -> EngineBuilder {
        EngineBuilder::new(stack)
    }

    pub(super) fn new(
        id: StackId,
        state_dir: PathBuf,
        world: Arc<World>,
        events: Arc<EventLog>,
        requests: mpsc::Sender<Request>,
        recovered: watch::Receiver<bool>,
    ) -> Self {
        Self { shared: Arc::new(Shared { id, state_dir, world, events, recovered }), requests }
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.shared.world
    }

    /// The stack's identity.
    pub fn id(&self) -> StackId {
        self.shared.id
    }

    /// The state directory.
    pub fn state_dir(&self) -> &Path {
        &self.shared.state_dir
    }

    /// How the process runtime (or the first that kills trees) does it.
    pub fn kill_backend(&self) -> Option<&'static str> {
        self.shared.world.registry.runtimes.values().find_map(|r| r.kill_backend())
    }

    pub(super) async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }

    /// Gives a command. `Ok`: it was taken and will be carried out whatever happens to the ticket.
    /// Cancel-safe: a dropped call has either given the command or not.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn command(&self, command: Command) -> Result<Ticket, CommandError> {
        let aim = Aim::of(&command);
        let watch = self.watch().await.ok_or(CommandError::Ended)?;
        let taken = self.ask(|reply| Request::Command(command, reply)).await.ok_or(CommandError::Ended)?;
        let from = taken.map_err(|why| match why {
            NotTaken::Refused(refused) => CommandError::Refused(refused),
            NotTaken::Unrecorded(trouble) => CommandError::Unrecorded(trouble.to_string()),
            NotTaken::Delayed(trouble) => CommandError::Delayed(trouble.to_string()),
        })?;
        Ok(Ticket { watch, from, aim })
    }

    /// Starts all services, each behind its gates.
    ///
    /// # Errors
    /// [`CommandError::Ended`].
    pub async fn up(&self) -> Result<Ticket, CommandError> {
        self.command(Command::Start { services: Vec::new(), deps: true }).await
    }

    /// Starts one service.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn start(&self, service: &str) -> Result<Ticket, CommandError> {
        let services = vec![self.name(service)?];
        self.command(Command::Start { services, deps: false }).await
    }

    /// Stops one service; what depends on it stays.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn stop(&self, service: &str) -> Result<Ticket, CommandError> {
        let services = vec![self.name(service)?];
        self.command(Command::Stop { services }).await
    }

    /// Replaces one service by itself, one replica at a time.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn restart(&self, service: &str) -> Result<Ticket, CommandError> {
        let services = vec![self.name(service)?];
        self.command(Command::Restart { services }).await
    }

    /// Sets the number of replicas of one service.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn scale(&self, service: &str, replicas: u32) -> Result<Ticket, CommandError> {
        self.command(Command::Scale { service: self.name(service)?, replicas }).await
    }

    /// Wants everything down, in reverse order. The engine goes on; see [`shutdown`](Self::shutdown).
    ///
    /// # Errors
    /// [`CommandError::Ended`].
    pub async fn down(&self) -> Result<Ticket, CommandError> {
        self.command(Command::Down).await
    }

    /// Kills everything at once.
    ///
    /// # Errors
    /// [`CommandError::Ended`].
    pub async fn kill(&self) -> Result<Ticket, CommandError> {
        self.command(Command::Kill).await
    }

    pub(super) fn name(&self, text: &str) -> Result<ServiceName, CommandError> {
        let unknown = || Refused::UnknownService { name: text.to_owned(), near: None };
        ServiceName::new(text).map_err(|_| unknown().into())
    }

    /// The stack as it is now. `None`: the engine has ended.
    pub async fn status(&self) -> Option<Arc<Status>> {
        self.ask(Request::Status).await
    }

    /// Follows the status. `None`: the engine has ended.
    pub async fn watch(&self) -> Option<Watch> {
        self.ask(Request::Watch).await
    }

    /// Follows whether the stack as a whole is wanted. `None`: the engine has ended.
    pub async fn standing(&self) -> Option<StandingWatch> {
        self.ask(Request::Standing).await
    }

    /// The events that are still kept (10,000), and new ones if the query follows.
    pub fn events(&self, query: EventQuery) -> impl Stream<Item = Arc<Event>> + Send + 'static + use<> {
        self.shared.events.stream(query)
    }

    /// Log records as the query asks, oldest first; with `follow` it goes on with new ones until the
    /// engine ends. Nothing is dropped: a slow reader is just behind.
    pub fn logs(&self, query: Query, follow: bool) -> impl Stream<Item = Vec<Record>> + Send + 'static + use<> {
        self.shared.world.logs.stream::<Vec<Record>>(query, follow)
    }

    /// Follows what takes long: the pulls of images.
    pub fn progress(&self) -> ProgressWatch {
        self.shared.world.waits.watch()
    }

    /// Waits until every wanted service is ready (oneshots: completed). Cancel-safe.
    ///
    /// # Errors
    /// [`NotReady`] as soon as a service has failed for good, with the chain of causes.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let Some(mut watch) = self.watch().await else { return Err(NotReady::Ended) };
        let aim = Aim::Ready(Vec::new());
        match watch.until(|s| aim.met(s)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(NotDone::Failed { service, .. } | NotDone::Stopped { service })) => {
                Err(self.why(service.as_str()).await.map_or(NotReady::Ended, |w| NotReady::Service(Box::new(w))))
            }
            Some(Err(NotDone::Ended | NotDone::Superseded)) | None => Err(NotReady::Ended),
        }
    }

    /// Waits until nothing is left to run: all oneshots have completed, or what is left failed or
    /// waits for what failed, or the stack was asked down and is. While a service is stopped by a command of its
    /// own, the stack is not over. `None`: the engine has ended. Cancel-safe.
    pub async fn finished(&self) -> Option<Finished> {
        self.watch().await?.until(finished).await
    }

    /// The chain of causes that keeps a service from being ready. `None`: no such service.
    pub async fn why(&self, service: &str) -> Option<Why> {
        let status = self.status().await?;
        Why::find(&status, service, &self.shared.world.logs)
    }

    pub(super) async fn running(&self, service: &str, replica: Option<u32>) -> Result<Vec<Found>, CommandError> {
        let name = self.name(service)?;
        let found = self.ask(|reply| Request::Running(Some(name.clone()), reply)).await.ok_or(CommandError::Ended)?;
        let unknown = || Refused::UnknownService { name: service.to_owned(), near: None };
        let mut all = found.ok_or_else(unknown)?;
        all.retain(|(r, ..)| replica.is_none_or(|wanted| wanted == *r));
        all.sort_by_key(|(r, ..)| *r);
        if all.is_empty() { Err(CommandError::NotRunning { service: name, replica }) } else { Ok(all) }
    }

    /// The address of a running service's first port (its first replica's), as seen from this process.
    ///
    /// # Errors
    /// [`CommandError`] when it does not run or publishes no port.
    pub async fn endpoint(&self, service: &str) -> Result<SocketAddr, CommandError> {
        self.endpoints(service).await.map(|all| all[0])
    }

    /// The addresses of all running replicas, at least one.
    ///
    /// # Errors
    /// [`CommandError`] when none runs or none publishes a port.
    pub async fn endpoints(&self, service: &str) -> Result<Vec<SocketAddr>, CommandError> {
        let all = self.running(service, None).await?;
        let found: Vec<_> = all.iter().filter_map(|(_, _, running)| running.endpoint()).collect();
        if found.is_empty() {
            let why = "it publishes no port".to_owned();
            return Err(CommandError::Runtime {
                service: self.name(service)?,
                replica: all[0].0,
                why,
                shell_code: None,
            });
        }
        Ok(found)
    }

    /// Sends a signal to the main process of one replica, or of all.
    ///
    /// # Errors
    /// [`CommandError`]; the first that failed.
    pub async fn signal(&self, service: &str, replica: Option<u32>, signal: i32) -> Result<(), CommandError> {
        for (replica, runtime, running) in self.running(service, replica).await? {
            let sent = runtime.signal(&running.handle, signal).await;
            sent.map_err(|e| self.refused(service, replica, &e))?;
        }
        Ok(())
    }

    /// What each running instance uses, where its runtime knows and says so within two seconds. `None`: the engine
    /// has ended.
    pub async fn usage(&self) -> Option<BTreeMap<InstanceId, Usage>> {
        let all = self.ask(|reply| Request::Running(None, reply)).await?.unwrap_or_default();
        let all = all.into_iter().map(|(_, runtime, running)| (runtime, running.handle)).collect();
        Some(usage::measure(all).await)
    }

    pub(super) fn refused(&self, service: &str, replica: u32, error: &RuntimeError) -> CommandError {
        match self.name(service) {
            Ok(service) => {
                let why = self.world().logs.masks.text(&service, &error.chain()).into_owned();
                CommandError::Runtime { service, replica, why, shell_code: error.shell_code() }
            }
            Err(e) => e,
        }
    }

    /// Stops everything in reverse order and ends the engine. When it returns, no process, container,
    /// task or temporary file is left. Dropping the future leaves the stop under way; the engine then
    /// ends with its last handle.
    pub async fn shutdown(&self) {
        if let Ok(ticket) = self.down().await {
            let _ = ticket.done().await;
        }
        let _ = self.ask(Request::End).await;
    }
}
