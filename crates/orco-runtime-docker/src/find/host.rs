//! Addresses of engines.

use std::{fmt, net::IpAddr, path::PathBuf};

/// Docker's port without TLS.
const PLAIN_PORT: u16 = 2375;

/// Where an engine listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Host {
    /// A socket on this machine.
    Unix(PathBuf),
    /// `HOST:PORT`, without TLS.
    Tcp(String),
}

impl Host {
    /// Reads `unix:///PATH` or `tcp://HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("`{text}` is not an address: expected unix:///PATH or tcp://HOST:PORT"));
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            "unix" => Err(format!("`{text}` is not an absolute path: expected unix:///PATH")),
            "tcp" | "http" => tcp(rest).ok_or_else(|| format!("`{text}` is not an address: expected tcp://HOST:PORT")),
            "https" => Err(format!("`{text}`: TLS is not supported; use a unix socket or plain tcp")),
            "ssh" => Err(format!(
                "`{text}`: ssh is not supported; forward the socket with `ssh -L` and use a unix socket or plain tcp"
            )),
            other => Err(format!("`{other}://` is not supported; use unix:// or tcp://")),
        }
    }

    /// Whether the engine runs on this machine: then its published ports are here too.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(address) => {
                let name = address.rsplit_once(':').map_or(address.as_str(), |(name, _)| name);
                let bare = name.trim_start_matches('[').trim_end_matches(']');
                bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

fn tcp(rest: &str) -> Option<Host> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (name, port) = match rest.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok().filter(|port: &u16| *port != 0)?),
        Some(_) | None => (rest, PLAIN_PORT),
    };
    // Docker takes `tcp://:2375` for this machine.
    let name = if name.is_empty() { "127.0.0.1" } else { name };
    let ipv6 = name.starts_with('[') && name.ends_with(']');
    let fits = ipv6 || !name.contains([':', '/', '@', '?', '#', ' ', '[', ']']);
    fits.then(|| Host::Tcp(format!("{name}:{port}")))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let good = [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock", true),
            ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375", true),
            ("tcp://localhost", "tcp://localhost:2375", true),
            ("tcp://[::1]:99", "tcp://[::1]:99", true),
            ("tcp://[::1]", "tcp://[::1]:2375", true),
            ("tcp://:4243/", "tcp://127.0.0.1:4243", true),
            ("http://build:2375", "tcp://build:2375", false),
            ("tcp://192.0.2.7:2375", "tcp://192.0.2.7:2375", false),
        ];
        for (text, written, local) in good {
            let host = Host::parse(text).expect(text);
            assert_eq!((host.to_string().as_str(), host.is_local()), (written, local), "{text}");
        }
    }

    #[test]
    fn what_is_not_supported_says_so() {
        let bad = [
            ("", "not an address"),
            ("/var/run/docker.sock", "not an address"),
            ("unix://relative.sock", "not an absolute path"),
            ("tcp://host:port", "not an address"),
            ("tcp://host:0", "not an address"),
            ("tcp://a b", "not an address"),
            ("https://host:2376", "TLS is not supported"),
            ("ssh://me@host", "ssh is not supported"),
            ("npipe:////./pipe/docker_engine", "`npipe://` is not supported"),
        ];
        for (text, why) in bad {
            let said = Host::parse(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
