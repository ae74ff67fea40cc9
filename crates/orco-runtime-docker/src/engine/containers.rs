//! What is asked about containers, in our own types.

use std::{net::IpAddr, time::Duration};

use bollard::{
    errors::Error,
    models,
    query_parameters::{
        CreateContainerOptionsBuilder, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
        RemoveContainerOptionsBuilder, StatsOptionsBuilder, WaitContainerOptions,
    },
};
use futures::StreamExt as _;

use super::{Call, Client, EngineError, spec::ContainerSpec};
use crate::labels::Labels;

/// What a container does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// Not started yet.
    Created,
    /// Running, paused, or about to run again.
    Alive,
    /// It has ended.
    Over,
}

/// A container in a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) labels: Labels,
    pub(crate) status: Status,
}

/// A container as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Inspected {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) status: Status,
    pub(crate) exit_code: i64,
    pub(crate) oom_killed: bool,
    /// On the engine's host, while it runs.
    pub(crate) pid: Option<u32>,
    /// How it is connected: `host`, `none`, `default`, or a network's name.
    pub(crate) network: String,
    pub(crate) published: Vec<Published>,
    pub(crate) addresses: Vec<IpAddr>,
}

/// A port that can be reached on the engine's host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Published {
    pub(crate) target: u16,
    pub(crate) udp: bool,
    pub(crate) ip: IpAddr,
    pub(crate) host: u16,
}

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

/// `None`: there is no such container.
pub(crate) async fn inspect(client: &Client, id: &str) -> Result<Option<Inspected>, EngineError> {
    let what = format!("inspect container {}", short(id));
    let asked = client.call(what, |docker| async move { docker.inspect_container(id, None).await }).await;
    match asked {
        Ok(answer) => Ok(Some(inspected(answer))),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All containers, in whatever state, that have each of the labels (`KEY` or `KEY=VALUE`).
pub(crate) async fn list(client: &Client, labels: &[String]) -> Result<Vec<Listed>, EngineError> {
    let filters = [("label".to_owned(), labels.to_vec())].into();
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let found =
        client.call("list containers", |docker| async move { docker.list_containers(Some(options)).await }).await?;
    Ok(found.into_iter().filter_map(listed).collect())
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

fn listed(answer: models::ContainerSummary) -> Option<Listed> {
    use models::ContainerSummaryStateEnum as State;
    let status = match answer.state {
        Some(State::CREATED) => Status::Created,
        Some(State::EXITED | State::DEAD | State::REMOVING) => Status::Over,
        Some(State::RUNNING | State::PAUSED | State::RESTARTING | State::STOPPING | State::EMPTY) | None => {
            Status::Alive
        }
    };
    Some(Listed { id: answer.id?, labels: answer.labels.unwrap_or_default(), status })
}

fn inspected(answer: models::ContainerInspectResponse) -> Inspected {
    use models::ContainerStateStatusEnum as State;
    let state = answer.state.unwrap_or_default();
    let status = match state.status {
        Some(State::CREATED) => Status::Created,
        Some(State::EXITED | State::DEAD | State::REMOVING) => Status::Over,
        Some(State::RUNNING | State::PAUSED | State::RESTARTING | State::STOPPING) => Status::Alive,
        Some(State::EMPTY) | None if state.running == Some(false) => Status::Over,
        Some(State::EMPTY) | None => Status::Alive,
    };
    let network = answer.network_settings.unwrap_or_default();
    let host = answer.host_config.unwrap_or_default();
    let addresses = network.networks.unwrap_or_default().into_values();
    Inspected {
        id: answer.id.unwrap_or_default(),
        name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        labels: answer.config.and_then(|config| config.labels).unwrap_or_default(),
        status,
        exit_code: state.exit_code.unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or_default(),
        pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0),
        network: host.network_mode.unwrap_or_default(),
        published: published(network.ports.unwrap_or_default()),
        addresses: addresses.filter_map(|network| network.ip_address?.parse().ok()).collect(),
    }
}

fn published(ports: models::PortMap) -> Vec<Published> {
    let of_one = |(key, bindings): (String, Option<Vec<models::PortBinding>>)| {
        let (target, protocol) = key.split_once('/').unwrap_or((&key, "tcp"));
        let (target, udp) = (target.parse::<u16>().ok(), protocol == "udp");
        let bindings = bindings.unwrap_or_default().into_iter();
        let found = bindings.filter_map(move |binding| {
            let ip = binding.host_ip.as_deref().unwrap_or_default();
            let ip = if ip.is_empty() { "0.0.0.0" } else { ip };
            let host = binding.host_port?.parse().ok()?;
            Some(Published { target: target?, udp, ip: ip.parse().ok()?, host })
        });
        found.collect::<Vec<_>>()
    };
    ports.into_iter().flat_map(of_one).collect()
}

/// Enough of an id for people.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
