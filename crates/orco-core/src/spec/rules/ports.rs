//! Who listens where.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use super::{Finding, Subject, of_service};
use crate::spec::{Port, Protocol, Service, code, yaml::Path};

/// A port of the host that one service takes for itself.
struct Taken<'a> {
    service: &'a Service,
    index: usize,
    ip: IpAddr,
    port: u16,
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut by_port: BTreeMap<(bool, u16), Vec<Taken<'_>>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for service in subject.services.iter().filter(|service| !service.ports.is_empty()) {
        for (index, port) in service.ports.iter().enumerate() {
            replicas(service, index, port, findings);
            mapping(service, index, port, findings);
            let Some(host) = host_port(service, port) else { continue };
            used.insert(host);
            let ip = port.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let key = (port.protocol == Protocol::Udp, host);
            by_port.entry(key).or_default().push(Taken { service, index, ip, port: host });
        }
    }
    for taken in by_port.values().filter(|taken| taken.len() > 1) {
        for (at, second) in taken.iter().enumerate().skip(1) {
            if let Some(first) = taken[..at].iter().find(|first| meet(first.ip, second.ip)) {
                findings.push(clash(first, second, &used));
            }
        }
    }
}

/// The port of the host that it takes: the fixed one, or for a process without one its own.
fn host_port(service: &Service, port: &Port) -> Option<u16> {
    let own = service.runtime == "process" && !service.uses_own_port();
    port.host.or_else(|| own.then_some(port.target))
}

/// Both addresses cannot have the same port: they are equal, or one of them stands for all.
fn meet(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}

fn place(service: &Service, index: usize) -> Path {
    of_service(service.name.as_str()).key("ports").index(index)
}

fn clash(first: &Taken<'_>, second: &Taken<'_>, used: &BTreeSet<u16>) -> Finding {
    let (port, one, two) = (second.port, &first.service.name, &second.service.name);
    let message = match one == two {
        true => format!("`{one}` publishes host port {port} twice"),
        false => format!("`{one}` and `{two}` both take host port {port}"),
    };
    let free = (port..=u16::MAX).chain(1024..port).find(|candidate| !used.contains(candidate));
    let help = free.map(|free| format!("port {free} is free in this stack")).unwrap_or_default();
    Finding::error(code::HOST_PORT_CLASH, place(second.service, second.index), message)
        .help(help)
        .also(place(first.service, first.index), format!("taken here by `{one}`"))
}

/// One host port cannot serve several replicas before there is a proxy in front of them.
fn replicas(service: &Service, index: usize, port: &Port, findings: &mut Vec<Finding>) {
    if service.replicas < 2 {
        return;
    }
    let Some(host) = host_port(service, port) else { return };
    let count = service.replicas;
    let (message, help) = match port.host {
        Some(_) => (
            format!("{count} replicas cannot share host port {host}"),
            match service.runtime.as_str() {
                "process" => "use `replicas: 1`, or give each replica a port of its own: `${port}` in the command \
                              instead of `ports`, and `${endpoints.NAME}` where others look for it"
                    .to_owned(),
                _ => format!(
                    "use `replicas: 1`, or publish `\"{}\"` alone: each replica gets a port of its own",
                    port.target
                ),
            },
        ),
        None => (
            format!("{count} replicas cannot all listen on port {host}: a process binds it itself"),
            "use `${port}` in the command: each replica gets a port of its own".to_owned(),
        ),
    };
    let finding = Finding::error(code::HOST_PORT_REPLICAS, place(service, index), message);
    findings.push(finding.help(help).also(of_service(service.name.as_str()).key("replicas"), "this many replicas"));
}

/// Nothing stands between the host and a process, so both ports are one.
fn mapping(service: &Service, index: usize, port: &Port, findings: &mut Vec<Finding>) {
    let Some(host) = port.host.filter(|host| *host != port.target && service.runtime == "process") else { return };
    let message = format!("a process listens on the host itself: port {} cannot be published as {host}", port.target);
    let help = format!("let the process listen on {host} and write `\"{host}:{host}\"`");
    findings.push(Finding::error(code::HOST_PORT_MAPPING, place(service, index), message).help(help));
}
