//! The contract of [`Runtime`], carried out by a container engine.

use std::{any::Any, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use orco_core::{
    model::{Exit, InstanceId, StackId},
    runtime::{
        ExecRequest, ExecResult, Found, Handle, How, Known, LogPosition, LogSource, Notice, Runtime, RuntimeError,
        StartRequest, Usage,
    },
    spec::{self, Diagnostic, Service},
};

use crate::{
    builder::DockerBuilder,
    create,
    docker::{Docker, Inner},
    endpoint, ends,
    engine::{
        EngineError, containers,
        looks::{self, Listed, Status},
    },
    exec, labels, leaving, output,
    pull::PullPolicy,
    removal, start, wait,
};

/// So many containers are looked at at a time.
const LOOKS: usize = 8;

impl Docker {
    /// Docker, where its own command would look for it; what it starts ends with this program.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Podman over its Docker-compatible socket, else as [`new`](Self::new).
    pub fn podman() -> Self {
        Self::builder().podman().build()
    }

    /// Sets one up.
    pub fn builder() -> DockerBuilder {
        DockerBuilder::default()
    }
}

impl Default for Docker {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Docker> for Arc<dyn Runtime> {
    fn from(runtime: Docker) -> Self {
        let runtime: Arc<Docker> = Arc::new(runtime);
        runtime
    }
}

/// A container of the list as an instance.
async fn found(inner: &Inner, stack: StackId, listed: Listed) -> Result<Option<Found>, EngineError> {
    if listed.labels.get(labels::HOOK).is_some_and(|mark| !inner.is_own_hook(mark)) {
        // Of an engine that has died: nobody waits for it any more.
        removal::remove(&inner.client, &listed.id).await?;
    }
    let Some((instance, service)) = labels::seat(&listed.labels, stack) else { return Ok(None) };
    inner.enter(instance, stack);
    inner.register.enter_container(instance, &listed.id);
    let mut handle = Handle::new(instance, listed.id.clone()).with_container(listed.id.clone());
    if listed.status == Status::Alive {
        let look = looks::inspect(&inner.client, &listed.id).await?;
        if let Some(pid) = look.and_then(|look| look.pid) {
            handle = handle.with_pid(pid);
        }
    }
    Ok(Some(Found::new(handle, service)))
}

#[async_trait]
impl Runtime for Docker {
    fn name(&self) -> &str {
        self.inner.name
    }

    fn validate(&self, service: &Service) -> Vec<Diagnostic> {
        if service.image.is_some() {
            return Vec::new();
        }
        let text = "a container needs an `image`";
        vec![Diagnostic::error("no-image", text).at(format!("services.{}.image", service.name))]
    }

    /// What bears the stack's label, in whatever state; what is `known` says only that there is something.
    async fn list(&self, stack: &StackId, known: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        let inner = &self.inner;
        // Its network and volumes are ours to take away in the end, also if nothing is started and whether or not an engine
        // answers now.
        inner.asked_for(*stack, !known.is_empty());
        let all = looks::list(&inner.client, &[labels::filter(labels::STACK, stack)]).await;
        let all = all.map_err(EngineError::into_runtime_repeatable)?;
        inner.belongings(*stack);
        let looks = stream::iter(all).map(|one| found(inner, *stack, one)).buffered(LOOKS);
        let found: Vec<_> = looks.collect().await;
        let found = found.into_iter().filter_map(Result::transpose).collect::<Result<Vec<_>, _>>();
        found.map_err(EngineError::into_runtime_repeatable)
    }

    async fn prepare(&self, start: &StartRequest) -> Result<(), RuntimeError> {
        let service = &start.service;
        let image = service.image.as_deref().ok_or_else(|| RuntimeError::refused("the service has no image"))?;
        let policy = match service.pull_policy {
            spec::PullPolicy::Missing => PullPolicy::Missing,
            spec::PullPolicy::Always => PullPolicy::Always,
            spec::PullPolicy::Never => PullPolicy::Never,
        };
        self.inner.pulls.ensure(image, policy, service.platform.as_deref()).await
    }

    fn isolates(&self, service: &Service) -> bool {
        create::isolates(service)
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        start::start(&self.inner, request).await
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        Ok(wait::wait(&self.inner, handle).await)
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        match how {
            How::Graceful(signal) => ends::signal(&self.inner, handle, signal).await,
            How::Kill => ends::kill(&self.inner, handle).await,
        }
    }

    async fn signal(&self, handle: &Handle, signal: i32) -> Result<(), RuntimeError> {
        ends::signal(&self.inner, handle, signal).await
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        ends::reap(&self.inner, instance).await
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        ends::remove(&self.inner, handle).await
    }

    fn logs(&self, handle: &Handle, from: Option<&LogPosition>) -> LogSource {
        LogSource::Stream(output::stream(&self.inner, handle, from))
    }

    async fn exec(&self, request: ExecRequest) -> Result<ExecResult, RuntimeError> {
        exec::exec(&self.inner, request).await
    }

    fn can_exec(&self) -> bool {
        true
    }

    async fn endpoint(&self, handle: &Handle, target: u16) -> Option<SocketAddr> {
        endpoint::endpoint(&self.inner, handle, target).await
    }

    async fn stats(&self, handle: &Handle) -> Option<Usage> {
        let id = wait::container(&self.inner, handle).await.ok()??;
        let used = containers::stats(&self.inner.client, &id).await.ok()??;
        Some(Usage::new(used.cpu, used.memory))
    }

    async fn notice(&self) -> Notice {
        // Both are cancel-safe.
        tokio::select! {
            word = self.inner.news.next() => Notice::Progress(word),
            notice = self.inner.fate.notice() => notice,
        }
    }

    async fn shutdown(&self) {
        leaving::shutdown(&self.inner).await;
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
