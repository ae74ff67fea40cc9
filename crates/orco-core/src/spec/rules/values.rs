//! Values that the reader of files has checked already, for stacks that were written in Rust.

use super::{
    Finding, container_only, containers::keys_of_containers, no_entrypoint, of_service, programs::checks, ranges,
};
use crate::spec::{
    Command, ProbeSpec, Service, code,
    value::{Flaw, check_address, check_network, check_platform, check_regex, check_url},
    yaml::Path,
};

/// Checks each value of a service by itself.
pub(crate) fn check(service: &Service, findings: &mut Vec<Finding>) {
    let path = of_service(service.name.as_str());
    ranges::check(service, &path, findings);
    for name in service.env.keys().filter(|name| name.is_empty() || name.contains(['=', '\0'])) {
        let message = format!("`{}` cannot be the name of a variable", name.escape_debug());
        findings.push(Finding::error(code::BAD_VARIABLE_NAME, path.clone().key("env").key(name), message));
    }
    for (index, port) in service.ports.iter().enumerate().filter(|(_, p)| p.target == 0 || p.host == Some(0)) {
        let at = path.clone().key("ports").index(index);
        findings.push(Finding::error(code::BAD_PORT, at, format!("`{port}` is not a port mapping")));
    }
    if crate::spec::signal_number(&service.stop.signal.to_string()).is_none() {
        let message = format!("unknown signal `{}`", service.stop.signal);
        findings.push(Finding::error(code::UNKNOWN_SIGNAL, path.clone().key("stop").key("signal"), message));
    }
    let hooks = &service.hooks;
    for hook in [&hooks.pre_start, &hooks.post_start, &hooks.pre_stop, &hooks.post_stop].into_iter().flatten() {
        command(&hook.command, path.clone().key("hooks"), findings);
    }
    if let Some(run) = &service.command {
        command(run, path.clone().key("command"), findings);
    }
    logging(service, &path, findings);
    container(service, &path, findings);
    for (key, health) in checks(service) {
        let at = path.clone().key(key);
        if health.check.probes.is_empty() {
            findings.push(Finding::error(code::NO_PROBE, at.clone(), "a check without a probe".to_owned()));
        }
        for spec in &health.check.probes {
            probe(spec, &at.clone().key(spec.name()), findings);
        }
    }
}

fn logging(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    if service.logging.directory.is_some() {
        let at = path.clone().key("logging").key("directory");
        findings.push(Finding::error(code::UNKNOWN_KEY, at, "a service has no directory of its own".to_owned()));
    }
}

fn command(command: &Command, path: Path, findings: &mut Vec<Finding>) {
    if command.argv.first().is_none_or(String::is_empty) {
        findings.push(Finding::error(code::BAD_COMMAND, path, "the command is empty".to_owned()));
    } else if command.argv.iter().any(|word| word.contains('\0')) {
        findings.push(Finding::error(code::NUL, path, "a NUL character".to_owned()));
    }
}

fn container(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    if service.is_process() {
        let name = service.name.as_str();
        findings.extend(keys_of_containers(service).map(|key| container_only(name, key, path.clone().key(key))));
    }
    if service.entrypoint.as_ref().and_then(|argv| argv.first()).is_some_and(String::is_empty) {
        findings.push(no_entrypoint(path));
    }
    let checked = [
        (path.clone().key("network"), check_network(service.network.as_str())),
        (path.clone().key("platform"), service.platform.as_deref().map_or(Ok(()), check_platform)),
    ];
    for (at, result) in checked {
        if let Err(Flaw { code, message, help }) = result {
            findings.push(Finding { help, ..Finding::error(code, at, message) });
        }
    }
}

fn probe(spec: &ProbeSpec, path: &Path, findings: &mut Vec<Finding>) {
    let checked = match spec {
        ProbeSpec::Http { url: Some(url), .. } => check_url(url),
        ProbeSpec::Tcp { address: Some(address), .. } => check_address(address),
        ProbeSpec::Log { pattern, .. } => check_regex(pattern),
        ProbeSpec::Cmd { command: run, .. } => {
            command(run, path.clone().key("command"), findings);
            Ok(())
        }
        ProbeSpec::Http { url: None, .. } | ProbeSpec::Tcp { address: None, .. } | ProbeSpec::Custom { .. } => Ok(()),
    };
    if let Err(Flaw { code, message, help }) = checked {
        findings.push(Finding { help, ..Finding::error(code, path.clone(), message) });
    }
}
