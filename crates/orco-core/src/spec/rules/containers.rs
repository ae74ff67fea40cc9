//! What containers may not do, and what only they can.

use std::{
    collections::BTreeMap,
    path::{Component, Path as FilePath},
};

use super::{Finding, of_service};
use crate::spec::{
    Network, PullPolicy, Resources, Service, VolumeSource, code,
    value::{Flaw, check_volume},
    yaml::Path,
};

/// Labels that begin so are Orco's own.
const RESERVED: &str = "orco.";
/// The least memory that container engines take.
const LEAST_MEMORY: u64 = 6 << 20;
/// Sockets by which a container engine is ruled, wherever they are.
const SOCKETS: [&str; 3] = ["docker.sock", "podman.sock", "containerd.sock"];
/// Folders in which such sockets usually are, with everything above them. `*` stands for one name.
const FOLDERS: [&str; 4] = ["/run/podman", "/run/containerd", "/run/docker/containerd", "/run/user/*/podman"];

pub(super) fn check(service: &Service, findings: &mut Vec<Finding>) {
    let path = of_service(service.name.as_str());
    resources(service, &path, findings);
    volumes(service, &path, findings);
    // A container without an image, and a policy on a process, are reported as such.
    let other = !service.is_container() && !service.is_process();
    if other && service.image.is_none() && service.pull_policy != PullPolicy::Missing {
        let message = "`pullPolicy` without an `image`: there is nothing to pull".to_owned();
        findings.push(Finding::error(code::NO_IMAGE, path.clone().key("pullPolicy"), message).help("remove it"));
    }
    if !service.is_container() {
        return;
    }
    image(service, &path, findings);
    workdir(service, &path, findings);
    mounts(service, &path, findings);
    sockets(service, &path, findings);
    network(service, &path, findings);
    for key in service.labels.keys().filter(|key| key.starts_with(RESERVED) || key.is_empty()) {
        let message = match key.is_empty() {
            true => "a label needs a name".to_owned(),
            false => format!("label `{}` is Orco's own: it finds its containers by them", key.escape_debug()),
        };
        let finding = Finding::error(code::RESERVED_LABEL, path.clone().key("labels").key(key), message);
        findings.push(finding.help("give it another name: labels that begin with `orco.` are taken"));
    }
}

fn image(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    let fault = match service.image.as_deref() {
        // Without a command either, that is what is reported.
        None if service.command.is_none() => return,
        None => "has no `image`",
        Some("") => "its `image` is empty",
        Some(_) => return,
    };
    let message = format!("`{}` runs in a container, but {fault}", service.name);
    let finding = Finding::error(code::NO_IMAGE, path.clone().key("image"), message);
    findings.push(finding.help("say from which image, or use `runtime: process`"));
}

fn workdir(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    let Some(workdir) = service.container_workdir.as_deref().filter(|workdir| !workdir.starts_with('/')) else {
        return;
    };
    let message = format!("`{}` is not absolute: `workdir` of a container is inside it", workdir.escape_debug());
    let finding = Finding::error(code::RELATIVE_WORKDIR, path.clone().key("workdir"), message);
    findings.push(finding.help("write `workdir: /app`; with `volumes: [\"./app:/app\"]` it is a folder of the host"));
}

/// Once more after relative sources are absolute: the stack's folder may have a name that is no text.
fn volumes(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    for (index, volume) in service.volumes.iter().enumerate() {
        let relative = matches!(&volume.source, VolumeSource::Bind(path) if path.is_relative());
        let flaw = match check_volume(volume) {
            Ok(()) if !relative => continue,
            Ok(()) => {
                Flaw::new(code::BAD_VOLUME, format!("`{}` has a relative source", volume.to_string().escape_debug()))
            }
            Err(flaw) => flaw,
        };
        let at = path.clone().key("volumes").index(index);
        findings.push(Finding { help: flaw.help, ..Finding::error(flaw.code, at, flaw.message) });
    }
}

fn mounts(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, volume) in service.volumes.iter().enumerate() {
        match seen.get(volume.target.as_str()) {
            None => drop(seen.insert(&volume.target, index)),
            Some(&first) => {
                let at = |index| path.clone().key("volumes").index(index);
                let message = format!("`{}` is mounted twice", volume.target.escape_debug());
                let finding = Finding::error(code::DUPLICATE_MOUNT, at(index), message);
                findings.push(finding.help("remove one of them").also(at(first), "first here"));
            }
        }
    }
}

fn sockets(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    for (index, volume) in service.volumes.iter().enumerate() {
        let VolumeSource::Bind(source) = &volume.source else { continue };
        if !is_engine_socket(source) {
            continue;
        }
        let at = path.clone().key("volumes").index(index);
        let shown = source.display().to_string();
        let what = if has_its_name(source) { "is" } else { "holds" };
        let message = format!("`{}` {what} the socket of the container engine", shown.escape_debug());
        findings.push(match service.allow_docker_socket {
            false => Finding::error(code::ENGINE_SOCKET, at, message)
                .help("whoever has it rules this machine; where that is meant say `allowDockerSocket: true`"),
            true => Finding::warning(code::ENGINE_SOCKET, at, message).help(format!(
                "whoever runs code in `{}` rules this machine; `:ro` does not change that",
                service.name
            )),
        });
    }
}

/// Whether who gets this path of the host has a container engine at their command: it is its socket by its name, or a
/// folder that usually has it. Only by the text: whoever mounts it asks again with what links lead to.
pub fn is_engine_socket(source: &FilePath) -> bool {
    if has_its_name(source) {
        return true;
    }
    let plain = match source.strip_prefix("/var/run") {
        Ok(rest) => FilePath::new("/run").join(rest),
        Err(_) => source.to_owned(),
    };
    plain == FilePath::new("/var") || FOLDERS.iter().any(|folder| is_above(&plain, folder))
}

fn has_its_name(source: &FilePath) -> bool {
    source.file_name().and_then(|name| name.to_str()).is_some_and(|name| SOCKETS.contains(&name))
}

/// Whether the path is the folder or one above it.
fn is_above(path: &FilePath, folder: &str) -> bool {
    let mut folder = FilePath::new(folder).components();
    path.components().all(|part| match folder.next() {
        Some(Component::Normal(any)) if any == "*" => matches!(part, Component::Normal(_)),
        other => other == Some(part),
    })
}

fn network(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    if service.network != Network::None {
        return;
    }
    for index in 0..service.ports.len() {
        let message = "with `network: none` nothing can reach a port".to_owned();
        let finding = Finding::error(code::CONFLICTING_KEYS, path.clone().key("ports").index(index), message);
        findings.push(finding.help("remove it, or `network: none`").also(path.clone().key("network"), "no network"));
    }
}

fn resources(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    let Resources { cpu_millis: _, memory, memory_reservation, pids: _ } = service.resources;
    let path = path.clone().key("resources");
    if service.is_process() && service.resources != Resources::default() {
        let message = "`resources` has no effect on processes yet".to_owned();
        let finding = Finding::warning(code::NO_EFFECT_YET, path.clone(), message);
        findings.push(finding.help("containers keep to it"));
    }
    let amounts = [("memory", memory), ("memoryReservation", memory_reservation)];
    for (key, _) in amounts.into_iter().filter(|(_, bytes)| bytes.is_some_and(|bytes| bytes < LEAST_MEMORY)) {
        if service.is_container() {
            let message = format!("`{key}` is less than container engines take");
            let finding = Finding::error(code::OUT_OF_RANGE, path.clone().key(key), message);
            findings.push(finding.help("the least is `6MiB`"));
        }
    }
    if let (Some(most), Some(reserved)) = (memory, memory_reservation)
        && reserved > most
    {
        let message = "`memoryReservation` is above `memory`".to_owned();
        let finding = Finding::error(code::MIN_ABOVE_MAX, path.key("memoryReservation"), message);
        findings.push(finding.help("swap them"));
    }
}

/// A key that only containers have, used on a process.
pub(crate) fn container_only(service: &str, key: &str, path: Path) -> Finding {
    let message = format!("`{key}` is for containers, and `{service}` is a process");
    Finding::error(code::CONTAINER_ONLY, path, message).help(match key {
        "image" => "remove it, or `runtime: process`, and the image is run".to_owned(),
        "entrypoint" => "use `command`".to_owned(),
        "volumes" => "remove it: a process sees the files of the host".to_owned(),
        "network" => "remove it: a process is in the network of the host".to_owned(),
        _ => format!("remove it, or run `{service}` from an `image`"),
    })
}

/// The keys that only containers have and that say something in a service.
pub(super) fn keys_of_containers(service: &Service) -> impl Iterator<Item = &'static str> {
    let keys = [
        ("image", service.image.is_some() && service.command.is_some()),
        ("entrypoint", service.entrypoint.is_some()),
        ("workdir", service.container_workdir.is_some()),
        ("volumes", !service.volumes.is_empty()),
        ("labels", !service.labels.is_empty()),
        ("network", service.network != Network::Stack),
        ("pullPolicy", service.pull_policy != PullPolicy::Missing),
        ("platform", service.platform.is_some()),
        ("init", !service.init),
        ("allowDockerSocket", service.allow_docker_socket),
    ];
    keys.into_iter().filter_map(|(key, used)| used.then_some(key))
}

/// The engine's own variables asked of a container.
pub(crate) fn inherits(service: &Service, path: &Path) -> Finding {
    let message = format!("`inheritEnv` is for processes, and `{}` runs in a container", service.name);
    Finding::error(code::PROCESS_ONLY, path.clone().key("inheritEnv"), message)
        .help("remove it, and name the variables in `env`: `HOME: ${HOME}`")
}

/// An entrypoint whose program has no name.
pub(crate) fn no_entrypoint(path: &Path) -> Finding {
    Finding::error(code::BAD_COMMAND, path.clone().key("entrypoint"), "the entrypoint is empty".to_owned())
        .help("an empty list stands for none")
}
