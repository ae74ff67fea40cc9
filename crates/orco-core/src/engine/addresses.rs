//! Under which ports and addresses instances are reached: by probes, by people, and by each other.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    model::InstanceId,
    runtime::{Handle, Publish, Runtime, StartRequest},
    spec::{Port, Protocol, Service, vars::InstanceVar},
};

use super::{ports::PUBLISHED, world::World};

/// The name of the host inside networks of instances' own ([`Runtime::isolates`]).
const HOST: &str = "host.docker.internal";
/// A runtime that cannot say an address within this time is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

impl World {
    /// A named port is what `ports:` says of it, else one of the seat's own.
    pub(super) fn port(&self, service: &Service, replica: u32, name: &str, inst: InstanceId) -> Result<u16, String> {
        if let Some(port) = service.ports.iter().find(|p| !name.is_empty() && p.name.as_deref() == Some(name)) {
            return Ok(port.target);
        }
        self.ports().take(&service.name, replica, name, inst).map_err(|e| format!("no port for `${{port}}`: {e}"))
    }

    /// The ports of an instance that has a network of its own, with their places on the host.
    pub(super) fn publish(
        &self,
        service: &Service,
        replica: u32,
        own_port: Option<u16>,
        inst: InstanceId,
    ) -> Result<Vec<Publish>, String> {
        if !self.isolates(service) {
            return Ok(Vec::new());
        }
        let mut all: Vec<Publish> = own_port.into_iter().map(|port| Publish::new(port, port)).collect();
        for port in &service.ports {
            let taken = || self.ports().take(&service.name, replica, &published(port), inst);
            let host =
                port.host.map_or_else(taken, Ok).map_err(|e| format!("no port to publish {}: {e}", port.target))?;
            let mut publish = Publish::new(port.target, host);
            publish.ip = port.ip.unwrap_or(publish.ip);
            publish.udp = port.protocol == Protocol::Udp;
            all.push(publish);
        }
        Ok(all)
    }

    /// `host:port` of the first `limit` replicas of a service, comma-separated, as the asking service reaches them.
    pub(super) fn addresses(
        &self,
        asking: &Service,
        name: &str,
        port: Option<&str>,
        limit: Option<u32>,
    ) -> Result<String, String> {
        let found = self.directory().get(name).cloned();
        let (service, replicas) = found.ok_or_else(|| format!("no service `{name}` for its endpoint"))?;
        let count = limit.map_or(replicas, |l| l.min(replicas.max(1)));
        let neighbours = self.isolates(asking) && self.isolates(&service) && asking.runtime == service.runtime;
        let address = |replica| match neighbours {
            true => self.neighbour(&service, replica, replicas, port),
            false => self.address(asking, &service, replica, port),
        };
        Ok((0..count).map(address).collect::<Result<Vec<_>, _>>()?.join(","))
    }

    /// Within a network of their own they know each other by name.
    fn neighbour(&self, service: &Service, replica: u32, replicas: u32, port: Option<&str>) -> Result<String, String> {
        let target = match self.fixed(service, port)? {
            Some(port) => port.target,
            None => self.seat_port(service, replica, port.unwrap_or(""))?,
        };
        Ok(match replicas {
            0 | 1 => format!("{}:{target}", service.name),
            _ => format!("{}-{replica}:{target}", service.name),
        })
    }

    /// Across the host.
    fn address(&self, asking: &Service, service: &Service, replica: u32, port: Option<&str>) -> Result<String, String> {
        let number = match self.fixed(service, port)? {
            Some(port) if self.isolates(service) => match port.host {
                Some(host) => host,
                None => self.seat_port(service, replica, &published(port))?,
            },
            Some(port) => port.target,
            None => self.seat_port(service, replica, port.unwrap_or(""))?,
        };
        Ok(match self.isolates(asking) {
            true => format!("{HOST}:{number}"),
            false => SocketAddr::from((Ipv4Addr::LOCALHOST, number)).to_string(),
        })
    }

    /// The port of the file that is meant, or `None` for the seat's own.
    fn fixed<'a>(&self, service: &'a Service, name: Option<&str>) -> Result<Option<&'a Port>, String> {
        Ok(match name {
            Some(name) => service.ports.iter().find(|p| p.name.as_deref() == Some(name)),
            None if has_port(service) => None,
            None => Some(service.ports.first().ok_or_else(|| format!("service `{}` has no port", service.name))?),
        })
    }

    fn seat_port(&self, service: &Service, replica: u32, name: &str) -> Result<u16, String> {
        let found = self.ports().find(&service.name, replica, name);
        found.map_err(|e| format!("no port for `{}`: {e}", service.name))
    }

    fn isolates(&self, service: &Service) -> bool {
        self.runtime(&service.runtime).is_some_and(|runtime| runtime.isolates(service))
    }

    /// Where a started instance's ports are reached from here.
    pub(super) async fn endpoints(
        &self,
        runtime: &dyn Runtime,
        handle: &Handle,
        request: &Arc<StartRequest>,
        own_port: Option<u16>,
    ) -> BTreeMap<u16, SocketAddr> {
        let mut found = published_at(request);
        for target in own_port.into_iter().chain(request.service.ports.iter().map(|p| p.target)) {
            if let Ok(Some(address)) = timeout(PATIENCE, runtime.endpoint(handle, target)).await {
                found.insert(target, address);
            }
        }
        found
    }
}

/// Where its ports were asked to be published, as far as that is on this machine.
pub(super) fn published_at(request: &StartRequest) -> BTreeMap<u16, SocketAddr> {
    let here = |p: &Publish| if p.ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { p.ip };
    request.publish.iter().filter(|p| !p.udp).map(|p| (p.target, SocketAddr::new(here(p), p.host))).collect()
}

/// The name under which a seat keeps the host's port for a published one.
fn published(port: &Port) -> String {
    let ip = port.ip.filter(|ip| *ip != IpAddr::V4(Ipv4Addr::LOCALHOST)).map(|ip| format!(" {ip}"));
    let udp = if port.protocol == Protocol::Udp { "/udp" } else { "" };
    format!("{PUBLISHED}{}{udp}{}", port.target, ip.unwrap_or_default())
}

/// Whether the service asks for a port of each replica's own by `${port}`.
pub(super) fn has_port(service: &Service) -> bool {
    service.instance_vars().contains(&InstanceVar::Port(None))
}
