//! Whether the fixed ports of a service are free, and who has them if not.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket},
};

use orco_core::{
    runtime::RuntimeError,
    spec::{Port, Protocol, Service},
};

/// A program that finds its port taken says so in words of its own, or in none; this says it for all of them. What the
/// service itself binds is free again by now: its last instance is over.
///
/// # Errors
/// The first port that somebody else listens on, with the owner where the kernel tells.
pub(crate) fn check(service: &Service) -> Result<(), RuntimeError> {
    // With `${port}` it binds a port of its own, and not the service's.
    match service.ports.iter().filter(|_| !service.uses_own_port()).find(|port| is_taken(port)) {
        None => Ok(()),
        Some(port) => {
            let number = port.target;
            let owner = owner(number, port.protocol == Protocol::Udp).unwrap_or_else(|| "another program".to_owned());
            Err(RuntimeError::refused(format!("port {number} is in use by {owner}")))
        }
    }
}

/// Only a clear no counts: whoever may not bind (a low port) may still know how to get it.
fn is_taken(port: &Port) -> bool {
    let address = (port.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port.target);
    let bound = match port.protocol {
        Protocol::Tcp | Protocol::Http => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    };
    bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// `NAME (pid N)` of the process that listens on a port. Reads /proc/net and all processes' descriptors (proc(5)), so
/// it is asked only after a failure.
fn owner(port: u16, udp: bool) -> Option<String> {
    let tables: [&str; 2] = if udp { ["udp", "udp6"] } else { ["tcp", "tcp6"] };
    let inodes: Vec<String> = tables.iter().flat_map(|table| listeners(table, port, udp)).collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = descriptors.flatten().any(|fd| {
            let target = fs::read_link(fd.path()).unwrap_or_default();
            inodes.iter().any(|inode| target.to_str() == Some(&format!("socket:[{inode}]")))
        });
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

/// Inodes of the sockets that listen on a port, from one table of /proc/net.
fn listeners(table: &str, port: u16, udp: bool) -> Vec<String> {
    /// The state column of a listening TCP socket, and of an unconnected UDP one.
    const LISTENING: [&str; 2] = ["0A", "07"];
    let text = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
    let wanted = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        (local.ends_with(&wanted) && *state == LISTENING[usize::from(udp)]).then(|| (*inode).to_owned())
    };
    text.lines().skip(1).filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_owner_of_a_taken_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ours = owner(port, false).unwrap();
        assert!(ours.ends_with(&format!("(pid {})", std::process::id())), "{ours}");
        drop(listener);
        assert_eq!(owner(port, false), None);
    }
}
