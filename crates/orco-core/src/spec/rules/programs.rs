//! Is there something to run, something to run it, and something to ask it?

use std::net::IpAddr;

use super::{Finding, Subject, of_service};
use crate::spec::{
    Health, Port, ProbeSpec, Protocol, Service, code,
    value::{nearest, url_port},
};

/// The probes that the language itself knows.
const BUILT_IN: [&str; 4] = ["http", "tcp", "cmd", "log"];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.services.is_empty() && subject.broken.is_empty() {
        let path = crate::spec::yaml::Path::of(["services"]);
        let finding = Finding::error(code::NO_SERVICES, path, "a stack needs at least one service".to_owned());
        findings.push(finding.help("`services: { web: { command: ./web } }` would be one"));
    }
    for service in subject.services {
        command(service, findings);
        runtime(subject, service, findings);
        for (key, health) in checks(service) {
            probes(subject, service, key, health, findings);
        }
    }
}

/// A service's checks by their keys.
pub(super) fn checks(service: &Service) -> impl Iterator<Item = (&'static str, &Health)> {
    [("health", &service.health), ("liveness", &service.liveness)]
        .into_iter()
        .filter_map(|(key, health)| Some((key, health.as_ref()?)))
}

fn command(service: &Service, findings: &mut Vec<Finding>) {
    if service.command.is_some() {
        return;
    }
    let path = of_service(service.name.as_str()).key("command");
    let (message, help) = match (service.runtime.as_str(), &service.image) {
        ("process", None) | ("docker" | "podman", None) => ("neither `command` nor `image`", "say what to run"),
        (_, Some(_)) if service.entrypoint.as_ref().is_some_and(Vec::is_empty) => {
            ("an empty `entrypoint` and no `command`", "say what to run")
        }
        ("process", Some(_)) => ("a process needs a `command`", "without `runtime: process` the image would be run"),
        _ => return,
    };
    findings.push(Finding::error(code::NO_COMMAND, path, message.to_owned()).help(help));
}

fn runtime(subject: &Subject<'_>, service: &Service, findings: &mut Vec<Finding>) {
    let Some(known) = subject.known.runtimes() else { return };
    if known.contains(&service.runtime) {
        return;
    }
    let path = of_service(service.name.as_str()).key("runtime");
    let message = format!("runtime `{}` is not in this build", service.runtime);
    let help = match nearest(&service.runtime, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", list(known)),
    };
    findings.push(Finding::error(code::UNKNOWN_RUNTIME, path, message).help(help));
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

fn probes(subject: &Subject<'_>, service: &Service, key: &'static str, health: &Health, findings: &mut Vec<Finding>) {
    let path = of_service(service.name.as_str()).key(key);
    for probe in &health.check.probes {
        if let Some(known) = subject.known.probes()
            && !known.iter().any(|name| name == probe.name())
        {
            let message = format!("probe `{}` is not in this build", probe.name());
            let finding = Finding::error(code::UNKNOWN_PROBE, path.clone().key(probe.name()), message);
            let help = match BUILT_IN.contains(&probe.name()) {
                true => format!("build it with the feature `{}`", probe.name()),
                false => format!("it has {}", list(known)),
            };
            findings.push(finding.help(help));
        }
        if let Some(why) = not_http(service, probe) {
            let message = format!("an HTTP probe, but {why}");
            let finding = Finding::warning(code::HTTP_ON_OTHER_PROTOCOL, path.clone().key("http"), message);
            findings.push(finding.help(help_instead(service)));
        }
    }
}

/// Images whose well-known port speaks something else than HTTP.
const OTHER: [(&str, u16, &str); 14] = [
    ("postgres", 5432, "PostgreSQL"),
    ("postgis", 5432, "PostgreSQL"),
    ("pgvector", 5432, "PostgreSQL"),
    ("mysql", 3306, "MySQL"),
    ("mariadb", 3306, "MySQL"),
    ("redis", 6379, "Redis"),
    ("valkey", 6379, "Redis"),
    ("mongo", 27017, "MongoDB"),
    ("rabbitmq", 5672, "AMQP"),
    ("memcached", 11211, "memcached"),
    ("kafka", 9092, "Kafka"),
    ("redpanda", 9092, "Kafka"),
    ("zookeeper", 2181, "ZooKeeper"),
    ("nats", 4222, "NATS"),
];

/// Why the port that an HTTP probe asks does not speak HTTP, where the file itself says so.
fn not_http(service: &Service, probe: &ProbeSpec) -> Option<String> {
    let ProbeSpec::Http { url, port, .. } = probe else { return None };
    let asked = match url {
        Some(url) if !asks_itself(url) => return None,
        Some(url) => url_port(url),
        None => *port,
    };
    let by_number = |port: &&Port| asked.is_some_and(|asked| port.host == Some(asked) || port.target == asked);
    let published = service.ports.iter().find(by_number).or_else(|| service.ports.first().filter(|_| asked.is_none()));
    if let Some(port) = published.filter(|port| port.protocol == Protocol::Udp) {
        return Some(format!("port {} is UDP", port.target));
    }
    let target = published.map(|port| port.target).or(asked);
    let image = service.image.as_deref().map(image_name);
    OTHER.iter().find_map(|(name, port, speaks)| {
        let same = image.is_some_and(|image| image.contains(name)) && target.is_none_or(|target| target == *port);
        same.then(|| format!("`{}` speaks {speaks} on port {port}", service.image.as_deref().unwrap_or_default()))
    })
}

/// The name in an image reference: `ghcr.io/acme/postgres:17@sha256:…` is `postgres`.
fn image_name(image: &str) -> &str {
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    last.split(':').next().unwrap_or(last)
}

fn asks_itself(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn help_instead(service: &Service) -> String {
    let image = service.image.as_deref().map(image_name).unwrap_or_default();
    match image.contains("postg") || image.contains("pgvector") {
        true => "use `cmd: { command: [pg_isready] }` or `tcp: {}`".to_owned(),
        false => "use a `tcp` or `cmd` probe".to_owned(),
    }
}
