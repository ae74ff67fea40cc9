//! From the tree to what only containers have.

use super::{lower::Lowering, view::View};
use crate::spec::{
    Network, PullPolicy, Service, Volume, VolumeSource,
    rules::{self, Finding},
    value,
    yaml::{Node, Path},
};

/// Fills in what the mapping says about containers, and what means something else for them than for processes.
pub(super) fn container(service: &mut Service, view: View<'_>, path: &Path, lowering: &mut Lowering<'_>) {
    service.entrypoint = entrypoint(view.get("entrypoint"), path, lowering);
    service.volumes = volumes(view.get("volumes"), path, lowering);
    service.labels = view.get("labels").pairs().collect();
    service.network = view.get("network").text().map(Network::from).unwrap_or_default();
    service.pull_policy = match view.get("pullPolicy").text() {
        Some("always") => PullPolicy::Always,
        Some("never") => PullPolicy::Never,
        _ => PullPolicy::Missing,
    };
    service.platform = view.get("platform").string();
    service.init = view.get("init").bool().unwrap_or(true);
    service.allow_docker_socket = view.get("allowDockerSocket").bool().unwrap_or(false);
    if !service.is_container() {
        return;
    }
    service.container_workdir = view.get("workdir").string();
    service.workdir.clone_from(&lowering.workdir);
    service.inherit_env = false;
    if view.get("inheritEnv").bool() == Some(true) {
        lowering.findings.push(rules::inherits(service, path));
    }
}

fn entrypoint(view: View<'_>, path: &Path, lowering: &mut Lowering<'_>) -> Option<Vec<String>> {
    let node = view.0.filter(|node| !node.tainted())?;
    let argv = match view.text() {
        Some(text) => value::split_command(text),
        None => Ok(node.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect()),
    };
    match argv {
        Ok(argv) if argv.first().is_some_and(String::is_empty) => lowering.findings.push(rules::no_entrypoint(path)),
        Ok(argv) => return Some(argv),
        Err(flaw) => {
            let finding = Finding::error(flaw.code, path.clone().key("entrypoint"), flaw.message);
            lowering.findings.push(Finding { help: flaw.help, ..finding });
        }
    }
    None
}

/// The mounts, seen from the stack's folder.
fn volumes(view: View<'_>, path: &Path, lowering: &mut Lowering<'_>) -> Vec<Volume> {
    let mut volumes = Vec::new();
    for (index, node) in view.many() {
        match volume(node) {
            Some(Ok(volume)) => volumes.push(volume.seen_from(&lowering.workdir)),
            Some(Err(flaw)) => {
                let at = path.clone().key("volumes").index(index);
                lowering.findings.push(Finding { help: flaw.help, ..Finding::error(flaw.code, at, flaw.message) });
            }
            None => {}
        }
    }
    volumes
}

fn volume(node: &Node) -> Option<Result<Volume, value::Flaw>> {
    if node.tainted() {
        return None;
    }
    let view = View(Some(node));
    if let Some(text) = view.text() {
        return Some(value::parse_volume(text));
    }
    let volume = Volume {
        source: view.get("source").text().map_or(VolumeSource::Anonymous, Volume::source_of),
        target: view.get("target").string()?,
        read_only: view.get("readOnly").bool().unwrap_or(false),
    };
    Some(value::check_volume(&volume).map(|()| volume))
}
