//! What is asked about containers, in our own types.

use std::time::Duration;

use bollard::{
    errors::Error,
    models,
    query_parameters::{
        CreateContainerOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, StatsOptionsBuilder,
        WaitContainerOptions,
    },
};
use futures::StreamExt as _;

use super::{Call, Client, EngineError, spec::ContainerSpec};

/// What a container uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Used {
    pub(crate) cpu: Duration,
    pub(crate) memory: u64,
}

/// Creates a container, and returns its id. Not repeatable by itself: the name is taken then.
pub(crate) async fn create(client: &Client, spec: &ContainerSpec) -> Result<String, EngineError> {
    let options = CreateContainerOptionsBuilder::default()
        .name(&spec.name)
        .platform(spec.platform.as_deref().unwrap_or_default())
        .build();
    let body = spec.body();
    let what = format!("create container {}", spec.name);
    client.call(what, |docker| async move { Ok(docker.create_container(Some(options), body).await?.id) }).await
}

/// Starts it; one that runs already is left alone.
pub(crate) async fn start(client: &Client, id: &str) -> Result<(), EngineError> {
    let what = format!("start container {}", short(id));
    client.call(what, |docker| async move { docker.start_container(id, None).await }).await
}

/// Sends a signal to the main process. One that does not run, or is not there, needs none.
pub(crate) async fn kill(client: &Client, id: &str, signal: i32) -> Result<(), EngineError> {
    let options = KillContainerOptionsBuilder::default().signal(&signal.to_string()).build();
    let what = format!("signal container {}", short(id));
    let asked = client.call(what, |docker| async move { docker.kill_container(id, Some(options)).await }).await;
    match asked {
        Err(error) if matches!(error.status(), Some(404 | 409)) => Ok(()),
        // Docker before 20.10, and Podman, have other words and numbers for it.
        Err(error) if error.status().is_some() && error.to_string().contains("not running") => Ok(()),
        other => other,
    }
}

/// Ends and removes it with its anonymous volumes. `Ok(false)`: the engine is about to, or it did not say; ask again.
pub(crate) async fn remove(client: &Client, id: &str) -> Result<bool, EngineError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let what = format!("remove container {}", short(id));
    let asked = client.call(what, |docker| async move { docker.remove_container(id, Some(options)).await }).await;
    match asked {
        Err(error) if error.status() == Some(404) => Ok(true),
        // Removal is under way on behalf of somebody else.
        Err(error) if error.status() == Some(409) => Ok(false),
        Err(error) => Err(error),
        Ok(()) => Ok(true),
    }
}

/// Returns with the exit code when the container does not run any more. Takes as long as that takes.
pub(crate) async fn wait(client: &Client, id: &str) -> Result<i64, EngineError> {
    let docker = client.docker().await?;
    let call = Call::from(format!("wait for container {}", short(id)));
    let mut answers = std::pin::pin!(docker.wait_container(id, None::<WaitContainerOptions>));
    match answers.next().await {
        Some(Ok(answer)) => Ok(answer.status_code),
        // The library takes a non-zero exit for an error.
        Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
        Some(Err(error)) => Err(client.explain(&call, &error)),
        None => {
            client.gone();
            Err(EngineError::Broken { what: call, why: "the answer ended without a word".to_owned() })
        }
    }
}

/// What it has used so far; `None` where the engine does not say.
pub(crate) async fn stats(client: &Client, id: &str) -> Result<Option<Used>, EngineError> {
    let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    let what = format!("measure container {}", short(id));
    let read = client
        .call(what, |docker| async move {
            let mut answers = std::pin::pin!(docker.stats(id, Some(options)));
            answers.next().await.transpose()
        })
        .await?;
    Ok(read.and_then(used))
}

fn used(answer: models::ContainerStatsResponse) -> Option<Used> {
    let cpu = answer.cpu_stats?.cpu_usage?.total_usage?;
    let memory = answer.memory_stats?;
    let usage = memory.usage?;
    let stats = memory.stats.unwrap_or_default();
    // What the page cache holds and would give back is not the container's need: v1 and v2 have other names for it.
    let cache = ["total_inactive_file", "inactive_file"].into_iter().find_map(|key| stats.get(key)).copied();
    Some(Used { cpu: Duration::from_nanos(cpu), memory: usage.saturating_sub(cache.unwrap_or(0)) })
}

/// Enough of an id for people.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
