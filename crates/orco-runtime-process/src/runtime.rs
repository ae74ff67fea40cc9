//! The contract of [`Runtime`], carried out by the keeper.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use orco_core::{
    model::{Exit, InstanceId, ServiceName, StackId},
    runtime::{
        ExecRequest, ExecResult, Found, Handle, How, Known, LogPosition, LogSource, Notice, Runtime, RuntimeError,
        StartRequest, Usage,
    },
    spec::{Diagnostic, Service},
};
use orco_keeper::{Client, Credentials, Event, Launch, Refusal, Spawn, SpawnError, Stage, StartError};

use crate::{builder::Builder, growth::Output, ports, program, usage, user};

/// Runs services as processes on this machine. It starts a keeper process, which ends all of them when this program
/// ends or drops the runtime.
#[derive(Debug)]
pub struct ProcessRuntime {
    client: Client,
    /// Whose each instance is.
    services: Mutex<HashMap<InstanceId, (StackId, ServiceName)>>,
}

/// What is to be run, before it is resolved.
struct Program<'a> {
    id: InstanceId,
    argv: &'a [String],
    env: &'a BTreeMap<String, Option<String>>,
    workdir: &'a Path,
    user: Option<&'a str>,
    inherit: bool,
}

impl ProcessRuntime {
    /// The defaults; its keeper is started with the first service.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets one up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The defaults, with the keeper running.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// A runtime of a keeper that others may share. What the client's configuration says holds.
    pub fn of(client: Client) -> Self {
        Self { client, services: Mutex::default() }
    }

    /// The keeper's pid, while there is one.
    pub fn keeper_pid(&self) -> Option<u32> {
        self.client.keeper_pid()
    }

    /// The keeper itself, for the program around the engine.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// By the token another keeper knows it again; where nothing outlives the keeper, the id is enough.
    fn handle(&self, id: InstanceId, pid: Option<u32>) -> Handle {
        let token = self.client.token(id).filter(|token| !token.is_empty());
        let handle = Handle::new(id, token.unwrap_or_else(|| id.to_string()));
        pid.map_or(handle.clone(), |pid| handle.with_pid(pid))
    }

    fn services(&self) -> MutexGuard<'_, HashMap<InstanceId, (StackId, ServiceName)>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn resolve(&self, asked: &Program<'_>) -> Result<Launch, RuntimeError> {
        let name = asked.argv.first().ok_or_else(|| RuntimeError::refused("no command to run"))?;
        program::check_workdir(asked.workdir)?;
        let inherited = self.client.config().variable("PATH").filter(|_| asked.inherit);
        let file = program::resolve(name, asked.workdir, program::search_path(asked.env, inherited))?;
        let bytes = |text: &str| Box::from(text.as_bytes());
        Ok(Launch {
            id: asked.id,
            program: file.as_os_str().as_bytes().into(),
            argv: asked.argv.iter().map(|argument| bytes(argument)).collect(),
            inherit: asked.inherit,
            env: asked.env.iter().map(|(name, value)| (bytes(name), value.as_deref().map(bytes))).collect(),
            workdir: asked.workdir.as_os_str().as_bytes().into(),
            credentials: credentials(asked.user).await?,
        })
    }
}

impl Default for ProcessRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl From<ProcessRuntime> for Arc<dyn Runtime> {
    fn from(runtime: ProcessRuntime) -> Self {
        let runtime: Arc<ProcessRuntime> = Arc::new(runtime);
        runtime
    }
}

/// Looks up a user where that cannot hold up others.
async fn credentials(name: Option<&str>) -> Result<Option<Credentials>, RuntimeError> {
    let Some(name) = name.map(str::to_owned) else { return Ok(None) };
    let lookup = tokio::task::spawn_blocking(move || user::resolve(&name));
    lookup.await.unwrap_or_else(|error| Err(RuntimeError::refused("the user look-up failed").because(error)))
}

/// What the keeper says, with the name of what was to be run.
fn refused(error: &SpawnError, name: &str, workdir: &Path) -> RuntimeError {
    let Refusal::System { stage, errno } = error.kind() else { return RuntimeError::refused(error.to_string()) };
    let why = nix::errno::Errno::from_raw(*errno).desc().to_lowercase();
    let text = match stage {
        // The file was there a moment ago: what its first line names is not.
        Stage::Program if *errno == nix::errno::Errno::ENOENT as i32 => {
            let text = format!("cannot run {name}: its interpreter does not exist");
            return RuntimeError::refused(text).with_shell_code(program::MISSING);
        }
        Stage::Program => {
            return RuntimeError::refused(format!("cannot run {name}: {why}")).with_shell_code(program::EXISTS);
        }
        Stage::Workdir => format!("cannot enter {}: {why}", workdir.display()),
        Stage::Prepare | Stage::Cgroup | Stage::Fork | Stage::Setup | Stage::User => error.to_string(),
    };
    RuntimeError::refused(text)
}

/// What an earlier engine knew, for the keeper.
fn remembered(known: &Known) -> orco_keeper::Known {
    orco_keeper::Known {
        id: known.handle.instance,
        token: known.handle.token.clone(),
        stop_signal: known.service.stop.signal,
        log_dir: known.log.dir.clone(),
        log_stem: known.log.stem.clone().into(),
    }
}

/// Each service has a log directory of its own.
fn service_of(log_dir: &Path) -> Option<ServiceName> {
    ServiceName::new(log_dir.file_name()?.to_str()?).ok()
}

fn undelivered(error: std::io::Error) -> RuntimeError {
    RuntimeError::refused("cannot signal the process").because(error)
}

#[async_trait]
impl Runtime for ProcessRuntime {
    fn name(&self) -> &str {
        "process"
    }

    fn validate(&self, service: &Service) -> Vec<Diagnostic> {
        if service.command.is_some() {
            return Vec::new();
        }
        let text = "a process needs a `command`";
        vec![Diagnostic::error("no-command", text).at(format!("services.{}.command", service.name))]
    }

    /// What the keeper holds, and what an earlier one has left of the known. Only a detached keeper can have left
    /// anything.
    async fn list(&self, stack: &StackId, known: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        if self.client.config().detached.is_some() {
            self.services().extend(known.iter().map(|one| (one.handle.instance, (*stack, one.service.name.clone()))));
            let left = self.client.adopt(known.iter().map(remembered).collect()).await;
            left.map_err(|error| RuntimeError::unknown("cannot take over what is left").because(error))?;
            // One keeper has one stack: what nobody knew is this stack's too, and its log says whose.
            let held = self.client.inventory().into_iter();
            let named = held.filter_map(|held| Some((held.id, service_of(&held.log_dir)?)));
            for (id, service) in named {
                self.services().entry(id).or_insert((*stack, service));
            }
        }
        let services = self.services();
        let found = self.client.held().into_iter().filter_map(|(id, pid)| {
            let (_, service) = services.get(&id).filter(|(whose, _)| whose == stack)?;
            Some(Found::new(self.handle(id, pid), service.clone()))
        });
        Ok(found.collect())
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        let id = request.instance;
        ports::check(&request.service)?;
        let launch = self
            .resolve(&Program {
                id,
                argv: &request.argv,
                env: &request.env,
                workdir: &request.workdir,
                user: request.service.user.as_deref(),
                inherit: request.service.inherit_env,
            })
            .await?;
        self.services().insert(id, (request.stack, request.service.name.clone()));
        let spawned = self.client.spawn(Spawn {
            launch,
            stop_signal: request.service.stop.signal,
            log_dir: request.log.dir.as_os_str().as_bytes().into(),
            log_stem: request.log.stem.as_bytes().into(),
        });
        match spawned.await {
            Ok(pid) => Ok(self.handle(id, Some(pid))),
            Err(error) => {
                self.services().remove(&id);
                let name = request.argv.first().map_or("", String::as_str);
                Err(refused(&error, name, &request.workdir))
            }
        }
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        let exit = self.client.wait(handle.instance).await;
        exit.ok_or_else(|| RuntimeError::unknown("no such instance"))
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        match how {
            How::Graceful(signal) => self.client.stop(handle.instance, signal).await,
            How::Kill => self.client.kill(handle.instance).await,
        }
        .map_err(undelivered)
    }

    async fn signal(&self, handle: &Handle, signal: i32) -> Result<(), RuntimeError> {
        self.client.signal(handle.instance, signal).await.map_err(undelivered)
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        self.client.kill(instance).await.map_err(undelivered)?;
        // Unknown means that it never was, or is forgotten.
        let _ = self.client.wait(instance).await;
        self.client.forget(instance);
        self.services().remove(&instance);
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.client.forget(handle.instance);
        self.services().remove(&handle.instance);
        Ok(())
    }

    fn logs(&self, handle: &Handle, _: Option<&LogPosition>) -> LogSource {
        LogSource::Segments(Arc::new(Output { client: self.client.clone(), id: handle.instance }))
    }

    async fn exec(&self, request: ExecRequest) -> Result<ExecResult, RuntimeError> {
        let launch = self
            .resolve(&Program {
                id: request.instance,
                argv: &request.argv,
                env: &request.env,
                workdir: &request.workdir,
                user: request.user.as_deref(),
                inherit: request.inherit_env,
            })
            .await?;
        let name = request.argv.first().map_or("", String::as_str);
        let done = self.client.exec_with(launch, request.stdin, request.timeout).await;
        let done = done.map_err(|error| refused(&error, name, &request.workdir))?;
        Ok(ExecResult::new(done.exit, done.output).with_omitted(done.omitted))
    }

    fn can_exec(&self) -> bool {
        true
    }

    async fn stats(&self, handle: &Handle) -> Option<Usage> {
        let pid = self.client.pid(handle.instance)?;
        let usage = usage::read(pid);
        // Still the same process: it was not over when its numbers were read.
        usage.filter(|_| self.client.pid(handle.instance) == Some(pid))
    }

    fn kill_backend(&self) -> Option<&'static str> {
        self.client.backend().map(orco_keeper::Backend::as_str)
    }

    async fn notice(&self) -> Notice {
        match self.client.event().await {
            Event::KeeperLost(why) => Notice::KeeperLost(why),
            Event::Rotated { .. } => Notice::SegmentFull,
        }
    }

    fn tidied(&self) {
        self.client.acknowledge();
    }

    async fn shutdown(&self) {
        self.client.shutdown().await;
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
