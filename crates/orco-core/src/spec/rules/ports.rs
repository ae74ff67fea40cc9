//! Who listens where.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use super::{Finding, Subject, of_service};
use crate::spec::{Network, Port, Protocol, Service, code, yaml::Path};

/// A port of the host that one service takes for itself.
#[derive(Clone, Copy)]
struct Taken<'a> {
    service: &'a Service,
    index: usize,
    ip: IpAddr,
    port: u16,
}

/// Who has a port so far, by address.
#[derive(Default)]
struct Holders<'a> {
    first: Option<Taken<'a>>,
    everywhere: Option<Taken<'a>>,
    by_ip: BTreeMap<IpAddr, Taken<'a>>,
}

impl<'a> Holders<'a> {
    /// Adds one; gives an earlier one that is in its way. Two addresses meet where they are equal or one stands for all.
    fn add(&mut self, taken: Taken<'a>) -> Option<Taken<'a>> {
        let earlier = match taken.ip.is_unspecified() {
            true => self.first,
            false => self.everywhere.or_else(|| self.by_ip.get(&taken.ip).copied()),
        };
        self.first.get_or_insert(taken);
        self.by_ip.entry(taken.ip).or_insert(taken);
        if taken.ip.is_unspecified() {
            self.everywhere.get_or_insert(taken);
        }
        earlier
    }
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut holders: BTreeMap<(bool, u16), Holders<'_>> = BTreeMap::new();
    let mut clashes = Vec::new();
    for service in subject.services.iter().filter(|service| !service.ports.is_empty()) {
        let binds_itself = on_the_host(service) && !service.uses_own_port();
        for (index, port) in service.ports.iter().enumerate() {
            mapping(service, index, port, findings);
            // The port of the host that it takes: the fixed one, or for a process without one its own.
            let Some(host) = port.host.or_else(|| binds_itself.then_some(port.target)) else { continue };
            replicas(service, index, port, host, findings);
            let ip = port.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let taken = Taken { service, index, ip, port: host };
            let earlier = holders.entry((port.protocol == Protocol::Udp, host)).or_default().add(taken);
            clashes.extend(earlier.map(|earlier| (earlier, taken)));
        }
    }
    if !clashes.is_empty() {
        let free = next_free(&holders.keys().map(|(_, port)| *port).collect());
        findings.extend(clashes.iter().map(|(first, second)| clash(first, second, &free)));
    }
}

/// For each port the next one that nobody in the stack takes.
fn next_free(used: &BTreeSet<u16>) -> Vec<Option<u16>> {
    let mut next: Vec<Option<u16>> = vec![None; usize::from(u16::MAX) + 1];
    let mut free = (1024..=u16::MAX).find(|port| !used.contains(port));
    for port in (0..=u16::MAX).rev() {
        if port > 0 && !used.contains(&port) {
            free = Some(port);
        }
        next[usize::from(port)] = free;
    }
    next
}

fn place(service: &Service, index: usize) -> Path {
    of_service(service.name.as_str()).key("ports").index(index)
}

fn clash(first: &Taken<'_>, second: &Taken<'_>, free: &[Option<u16>]) -> Finding {
    let (port, one, two) = (second.port, &first.service.name, &second.service.name);
    let message = match one == two {
        true => format!("`{one}` publishes host port {port} twice"),
        false => format!("`{one}` and `{two}` both take host port {port}"),
    };
    let finding = Finding::error(code::HOST_PORT_CLASH, place(second.service, second.index), message)
        .also(place(first.service, first.index), format!("taken here by `{one}`"));
    match free.get(usize::from(port)).copied().flatten() {
        Some(free) => finding.help(format!("port {free} is free in this stack")),
        None => finding,
    }
}

/// One host port cannot serve several replicas before there is a proxy in front of them.
fn replicas(service: &Service, index: usize, port: &Port, host: u16, findings: &mut Vec<Finding>) {
    if service.replicas < 2 {
        return;
    }
    let count = service.replicas;
    let (message, help) = match port.host {
        Some(_) => (
            format!("{count} replicas cannot share host port {host}"),
            match on_the_host(service) {
                true => {
                    "use `replicas: 1`, or give each replica a port of its own: `${port}` in the command instead of \
                         `ports`, and `${endpoints.NAME}` where others look for it"
                        .to_owned()
                }
                false => format!(
                    "use `replicas: 1`, or publish `\"{}\"` alone: each replica gets a port of its own",
                    port.target
                ),
            },
        ),
        None => (
            format!("{count} replicas cannot all listen on port {host}: {} binds it itself", what(service)),
            "use `${port}` in the command: each replica gets a port of its own".to_owned(),
        ),
    };
    let finding = Finding::error(code::HOST_PORT_REPLICAS, place(service, index), message);
    findings.push(finding.help(help).also(of_service(service.name.as_str()).key("replicas"), "this many replicas"));
}

/// Whether its instances bind the ports of the host themselves.
fn on_the_host(service: &Service) -> bool {
    service.is_process() || (service.is_container() && service.network == Network::Host)
}

const fn what(service: &Service) -> &'static str {
    match service.network {
        Network::Host => "a container with `network: host`",
        Network::Stack | Network::None | Network::Named(_) => "a process",
    }
}

/// Nothing stands between the host and a process, so both ports are one.
fn mapping(service: &Service, index: usize, port: &Port, findings: &mut Vec<Finding>) {
    let Some(host) = port.host.filter(|host| *host != port.target && on_the_host(service)) else { return };
    let (what, target) = (what(service), port.target);
    let message = format!("{what} listens on the host itself: port {target} cannot be published as {host}");
    let program = if service.is_container() { "program" } else { "process" };
    let help = format!("let the {program} listen on {host} and write `\"{host}:{host}\"`");
    findings.push(Finding::error(code::HOST_PORT_MAPPING, place(service, index), message).help(help));
}
