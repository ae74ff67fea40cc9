//! Where a question goes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use orco_core::probe::Target;

/// Addresses to try, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// These.
    Addresses(Vec<SocketAddr>),
    /// What this name stands for.
    Name(String, u16),
}

/// `host:port` as this instance understands it: the service's own ports on a loopback host are the
/// instance's endpoint, and `localhost` is 127.0.0.1, then ::1.
pub(crate) fn place(host: &str, port: u16, target: &Target) -> Place {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let is_localhost = bare.eq_ignore_ascii_case("localhost");
    let ip: Option<IpAddr> = bare.parse().ok();
    let is_own = target.published.contains_key(&port) || target.endpoints.contains_key(&port);
    if is_own && (is_localhost || ip.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified())) {
        let endpoint = target.endpoint(port);
        return Place::Addresses(if is_localhost { with_ipv6(endpoint) } else { vec![endpoint] });
    }
    match ip {
        _ if is_localhost => Place::Addresses(with_ipv6(SocketAddr::from(([127, 0, 0, 1], port)))),
        Some(ip) => Place::Addresses(vec![SocketAddr::new(ip, port)]),
        None => Place::Name(bare.to_owned(), port),
    }
}

/// The instance's own port: the given one, or the first it publishes.
pub(crate) fn own_port(port: Option<u16>, target: &Target) -> Option<Place> {
    let port = port.or(target.default_port)?;
    Some(Place::Addresses(with_ipv6(target.endpoint(port))))
}

fn with_ipv6(address: SocketAddr) -> Vec<SocketAddr> {
    if address.ip().is_loopback() && address.is_ipv4() {
        vec![address, SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()))]
    } else {
        vec![address]
    }
}

/// Splits `host:port`; IPv6 addresses stand in brackets.
#[cfg(any(feature = "tcp", test))]
pub(crate) fn split(text: &str) -> Result<(&str, u16), String> {
    let wrong = || format!("`{text}` is no address of the form `host:port`");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|&p| p > 0).ok_or_else(wrong)?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || host.contains(char::is_whitespace) || (host.contains(':') && !is_bracketed) {
        return Err(wrong());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use orco_core::{conformance::NoExec, model::InstanceId};

    use super::*;

    fn target() -> Target {
        let mut target = Target::new("api".parse().unwrap(), 0, InstanceId(1), Arc::new(NoExec));
        target.published.insert(8080, 80);
        target.endpoints.insert(80, "127.0.0.1:20001".parse().unwrap());
        target
    }

    #[test]
    fn the_services_own_address_means_this_instance() {
        let own = ["127.0.0.1:20001", "[::1]:20001"];
        let table: &[(&str, u16, &[&str])] = &[
            ("localhost", 8080, &own),
            ("LOCALHOST", 80, &own),
            ("127.0.0.1", 8080, &own[..1]),
            ("[::1]", 8080, &own[..1]),
            ("0.0.0.0", 8080, &own[..1]),
            ("localhost", 9, &["127.0.0.1:9", "[::1]:9"]),
            ("10.0.0.1", 8080, &["10.0.0.1:8080"]),
        ];
        for (host, port, want) in table {
            let want = want.iter().map(|a| a.parse().unwrap()).collect();
            assert_eq!(place(host, *port, &target()), Place::Addresses(want), "{host}:{port}");
        }
        assert_eq!(place("db", 8080, &target()), Place::Name("db".to_owned(), 8080));
    }

    #[test]
    fn addresses() {
        assert_eq!(split("localhost:5432"), Ok(("localhost", 5432)));
        assert_eq!(split("[::1]:1"), Ok(("[::1]", 1)));
        for bad in ["", "localhost", "localhost:", ":80", "a:b", "::1:80", "h:70000", "h:0", "a b:1"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }
}
