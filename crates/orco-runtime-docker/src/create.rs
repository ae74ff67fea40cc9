//! What a container of an instance is made of: from the request to the specification.

use std::{collections::BTreeMap, path::Path};

use orco_core::{
    model::StackId,
    runtime::{ExecRequest, StartRequest},
    spec::{Network, Service, Volume, VolumeSource},
};

use crate::{
    engine::{
        Client, Manners, networks,
        spec::{ContainerSpec, Limits, MountSource, MountSpec, PortSpec},
    },
    labels, names,
};

/// Where a service does not say: enough for every honest program, too few for a fork bomb to hurt others.
const PIDS: i64 = 512;

/// The engine's own copy of the output. Who reads it is usually milliseconds behind; what must fit is what a container
/// prints while no engine of ours reads, up to Orco's own limit for a stack (256 MiB, of all containers together), plus
/// some 80 bytes of JSON around each line. Few big files, for a reader that is passed by a whole file loses it.
const LOG: [(&str, &str); 2] = [("max-size", "64m"), ("max-file", "3")];

/// The host's name inside networks.
const HOST: &str = "host.docker.internal";

/// Whether instances have a network of their own.
pub(crate) const fn isolates(service: &Service) -> bool {
    match service.network {
        Network::Stack | Network::Named(_) => true,
        Network::Host | Network::None => false,
    }
}

/// The container of an instance.
pub(crate) fn instance(request: &StartRequest, manners: Manners) -> ContainerSpec {
    let service = &request.service;
    let mut spec = alike(request, manners);
    spec.name = names::container(request);
    spec.entrypoint = service.entrypoint.clone().map(some_entrypoint);
    spec.command.clone_from(&request.argv);
    spec.env = env(&request.env, manners);
    spec.user.clone_from(&service.user);
    if has_aliases(&service.network) {
        let name = service.name.to_string();
        spec.aliases = vec![format!("{name}-{}", request.replica), name];
    }
    if isolates(service) {
        let port = |publish: &orco_core::runtime::Publish| PortSpec {
            target: publish.target,
            udp: publish.udp,
            ip: publish.ip,
            host: publish.host,
        };
        spec.ports = request.publish.iter().map(port).collect();
    }
    spec
}

/// A container for a command before the instance's start or after its end: the same files and network, but nobody finds
/// it by the service's name, and it has no ports.
pub(crate) fn beside(request: &ExecRequest, manners: Manners, mark: &str) -> ContainerSpec {
    let mut spec = alike(&request.start, manners);
    spec.name = names::hook(&request.start, mark);
    let (program, arguments) = request.argv.split_at(request.argv.len().min(1));
    spec.entrypoint = Some(some_entrypoint(program.to_vec()));
    spec.command = arguments.to_vec();
    spec.env = env(&request.env, manners);
    spec.user.clone_from(&request.user);
    spec.labels.insert(labels::HOOK.to_owned(), mark.to_owned());
    spec.stdin = !request.stdin.is_empty();
    spec
}

/// What all containers of an instance have in common.
fn alike(request: &StartRequest, manners: Manners) -> ContainerSpec {
    let service = &request.service;
    let resources = service.resources;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    ContainerSpec {
        image: service.image.clone().unwrap_or_default(),
        platform: service.platform.clone(),
        workdir: service.container_workdir.clone(),
        labels: labels::of_instance(request),
        mounts: service.volumes.iter().map(|volume| mount(volume, request.stack)).collect(),
        network: network(&service.network, request.stack),
        hosts: hosts(service, manners),
        init: service.init,
        limits: Limits {
            nano_cpus: resources.cpu_millis.map(|millis| number(millis.saturating_mul(1_000_000))),
            memory: resources.memory.map(number),
            memory_reservation: resources.memory_reservation.map(number),
            pids: Some(resources.pids.map_or(PIDS, number)),
        },
        log: log(manners),
        stop_timeout: manners.stop_timeout(),
        ..ContainerSpec::default()
    }
}

/// How engines write that there is none.
fn some_entrypoint(argv: Vec<String>) -> Vec<String> {
    if argv.is_empty() { vec![String::new()] } else { argv }
}

/// Variables as engines take them; one without a value takes away what the image sets.
pub(crate) fn env(variables: &BTreeMap<String, Option<String>>, manners: Manners) -> Vec<String> {
    let text = |(name, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{name}={value}"),
        None => manners.without(name),
    };
    variables.iter().map(text).collect()
}

/// The name of the network for the engine.
fn network(network: &Network, stack: StackId) -> String {
    match network {
        Network::Stack => names::network(stack),
        Network::Host => "host".to_owned(),
        Network::None => "none".to_owned(),
        Network::Named(name) => name.clone(),
    }
}

/// The engine's default network knows no names.
fn has_aliases(network: &Network) -> bool {
    match network {
        Network::Stack => true,
        Network::Host | Network::None => false,
        Network::Named(name) => !matches!(name.as_str(), "bridge" | "default" | "podman"),
    }
}

fn hosts(service: &Service, manners: Manners) -> Vec<String> {
    let known = isolates(service) && manners.knows_the_host();
    known.then(|| format!("{HOST}:host-gateway")).into_iter().collect()
}

/// Where the host is, for engines that have to be told its address. It is Podman's too, under another name: without the
/// network, or with an engine that does not answer, the container comes without ours.
pub(crate) async fn host(client: &Client, request: &StartRequest) -> Option<String> {
    let service = &request.service;
    if !isolates(service) || client.manners().await.ok()?.knows_the_host() {
        return None;
    }
    let gateway = networks::gateway(client, &network(&service.network, request.stack)).await.ok()??;
    Some(format!("{HOST}:{gateway}"))
}

fn log(manners: Manners) -> BTreeMap<String, String> {
    let known = LOG.into_iter().filter(|(key, _)| manners.keeps_files() || *key == "max-size");
    known.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn mount(volume: &Volume, stack: StackId) -> MountSpec {
    let source = match &volume.source {
        VolumeSource::Bind(path) => MountSource::Bind(text(path)),
        VolumeSource::Named(name) => MountSource::Volume(names::volume(stack, name)),
        VolumeSource::Anonymous => MountSource::Anonymous,
    };
    MountSpec { source, target: volume.target.clone(), read_only: volume.read_only }
}

/// JSON has no other bytes.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
