//! Published ports, addresses and URLs.

use std::net::IpAddr;

use super::{Flaw, integer};
use crate::spec::{Port, Protocol, code};

/// A port number, 1 to 65535.
pub(crate) fn port_number(text: &str) -> Result<u16, Flaw> {
    integer(text, 1, 65_535)
        .ok()
        .and_then(|value| u16::try_from(value).ok())
        .ok_or_else(|| Flaw::new(code::BAD_PORT, format!("`{text}` is not a port")).help("a port is 1 to 65535"))
}

/// `target`, `host:target` or `ip:host:target`, each with `/tcp`, `/udp` or `/http` behind it or not.
pub(crate) fn parse(text: &str) -> Result<Port, Flaw> {
    let flaw = || {
        Flaw::new(code::BAD_PORT, format!("`{text}` is not a port mapping"))
            .help("write `host:target`, `ip:host:target` or `target`, with `/tcp`, `/udp` or `/http` where it matters")
    };
    let (address, protocol) = match text.rsplit_once('/') {
        None => (text, Protocol::Tcp),
        Some((address, name)) => (address, Protocol::parse(name).ok_or_else(flaw)?),
    };
    let mut port = Port { ip: None, host: None, target: 0, protocol, name: None };
    let (before, target) = match address.rsplit_once(':') {
        None => (None, address),
        Some((before, target)) => (Some(before), target),
    };
    port.target = port_number(target)?;
    let Some(before) = before else { return Ok(port) };
    let (ip, host) = match before.rsplit_once(':') {
        None => (None, before),
        Some((ip, host)) => (Some(ip), host),
    };
    port.host = Some(port_number(host)?);
    if let Some(ip) = ip {
        port.ip = Some(parse_ip(ip).ok_or_else(flaw)?);
    }
    Ok(port)
}

/// An IPv4 address, or an IPv6 address in brackets (without them it cannot be told from ports).
fn parse_ip(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

impl Protocol {
    /// The name in stack files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Http => "http",
        }
    }

    /// The protocol of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Http].into_iter().find(|protocol| protocol.as_str() == name)
    }
}

impl std::fmt::Display for Port {
    /// The short form of stack files (`127.0.0.1:8080:80/http`), without the name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.ip, self.host) {
            (Some(IpAddr::V6(ip)), Some(host)) => write!(f, "[{ip}]:{host}:")?,
            (Some(ip), Some(host)) => write!(f, "{ip}:{host}:")?,
            (_, Some(host)) => write!(f, "{host}:")?,
            (_, None) => {}
        }
        write!(f, "{}", self.target)?;
        match self.protocol {
            Protocol::Tcp => Ok(()),
            other => write!(f, "/{}", other.as_str()),
        }
    }
}

/// `host:port`, where the port may be `${port}` or the whole may be `${endpoint.x}`.
pub(crate) fn check_address(text: &str) -> Result<(), Flaw> {
    let flaw = || {
        Flaw::new(code::BAD_ADDRESS, format!("`{text}` is not an address"))
            .help("write `host:port`, as in `localhost:5432`")
    };
    if text.starts_with("${endpoint") && text.ends_with('}') {
        return Ok(());
    }
    let (host, port) = match text.find(":${") {
        Some(colon) => (&text[..colon], &text[colon + 1..]),
        None => text.rsplit_once(':').ok_or_else(flaw)?,
    };
    let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    if host.is_empty() || bare_v6 || host.contains(|c: char| c.is_whitespace() || c == '/') {
        return Err(flaw());
    }
    if port.starts_with("${") && port.ends_with('}') {
        return Ok(());
    }
    port_number(port).map(|_| ())
}

/// `http://host[:port][/path]`, where the port may be `${port}`.
pub(crate) fn check_url(text: &str) -> Result<(), Flaw> {
    let flaw = || {
        Flaw::new(code::BAD_ADDRESS, format!("`{text}` is not a URL that a probe can ask"))
            .help("write `http://host:port/path`")
    };
    let authority = authority(text).ok_or_else(flaw)?;
    if authority.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) || authority.contains('@') {
        return Err(flaw());
    }
    let has_port = authority.contains(":${") || authority.rfind(':') > authority.rfind(']');
    match has_port || authority.starts_with("${") {
        true => check_address(authority).map_err(|_| flaw()),
        false => Ok(()),
    }
}

/// The part of a URL between `//` and the path.
fn authority(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    Some(&rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())])
}

/// The port a URL names, or its scheme's; `None` where only the engine will know.
pub(crate) fn url_port(url: &str) -> Option<u16> {
    let authority = authority(url)?;
    match authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse().ok(),
        _ if authority.contains("${") => None,
        _ => Some(if url.starts_with("https") { 443 } else { 80 }),
    }
}
