//! Under which address a port of a container is reached from here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use orco_core::runtime::Handle;

use crate::{
    docker::Inner,
    engine::looks::{self, Inspected, Status},
    find::Host,
    wait,
};

/// The address, if the port can be reached at all.
pub(crate) async fn endpoint(inner: &Inner, handle: &Handle, target: u16) -> Option<SocketAddr> {
    let look = match inner.register.fresh_look(handle.instance) {
        Some(look) => look,
        None => {
            let id = wait::container(inner, handle).await.ok()??;
            looks::inspect(&inner.client, &id).await.ok()??
        }
    };
    if look.status != Status::Alive {
        return None;
    }
    let info = inner.client.info().await.ok()?;
    let machine = match inner.client.host()? {
        Host::Unix(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Tcp(address) => machine(address).await?,
    };
    // Only the engine's own machine has a way into its networks; a rootless engine's are in a namespace of their own.
    of(&look, target, machine, info.local && !info.rootless)
}

/// The address of the machine on which a remote engine runs.
async fn machine(address: String) -> Option<IpAddr> {
    // A name service may take its time.
    let found = tokio::task::spawn_blocking(move || address.to_socket_addrs().ok()?.next()).await.ok()??;
    Some(found.ip())
}

fn of(look: &Inspected, target: u16, machine: IpAddr, direct: bool) -> Option<SocketAddr> {
    if look.network == "host" {
        return Some(SocketAddr::new(machine, target));
    }
    let published = look.published.iter().find(|port| port.target == target && !port.udp);
    let published = published.or_else(|| look.published.iter().find(|port| port.target == target));
    if let Some(port) = published {
        let everywhere = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)].contains(&port.ip);
        return Some(SocketAddr::new(if everywhere { machine } else { port.ip }, port.host));
    }
    let address = look.addresses.first().filter(|_| direct)?;
    Some(SocketAddr::new(*address, target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::looks::Published;

    #[test]
    fn ways_into_a_container() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let there = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
        let look = |network: &str, ip: [u8; 4]| Inspected {
            id: String::new(),
            name: String::new(),
            labels: labels(),
            status: Status::Alive,
            exit_code: 0,
            oom_killed: false,
            pid: None,
            network: network.to_owned(),
            published: vec![Published { target: 80, udp: false, ip: ip.into(), host: 20_001 }],
            output: None,
            addresses: vec![[172, 18, 0, 2].into()],
        };
        let table = [
            (look("x", [127, 0, 0, 1]), 80, here, true, Some("127.0.0.1:20001")),
            (look("x", [0, 0, 0, 0]), 80, here, true, Some("127.0.0.1:20001")),
            (look("x", [0, 0, 0, 0]), 80, there, false, Some("10.0.0.9:20001")),
            (look("x", [127, 0, 0, 1]), 81, here, true, Some("172.18.0.2:81")),
            (look("x", [127, 0, 0, 1]), 81, here, false, None),
            (look("host", [127, 0, 0, 1]), 81, here, true, Some("127.0.0.1:81")),
        ];
        for (look, target, machine, direct, want) in table {
            let got = of(&look, target, machine, direct).map(|address| address.to_string());
            assert_eq!(got.as_deref(), want, "{} {target} {machine} {direct}", look.network);
        }
    }

    fn labels() -> crate::labels::Labels {
        crate::labels::Labels::new()
    }
}
