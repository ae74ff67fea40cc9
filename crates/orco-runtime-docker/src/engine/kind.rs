//! What an engine's message is about. The API has one status for many causes, so only the text tells them apart.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Somebody else has the port of the host; its number where the message has it.
    PortTaken(Option<u16>),
    /// The engine's disk is full.
    NoSpace,
    /// Another container has the name.
    NameTaken,
    /// The engine has no addresses left for another network.
    NoAddresses,
    /// The registry wants fewer requests.
    RateLimited,
    /// The engine could not reach the registry.
    Network,
    /// Neither the engine nor the registry has the image or the tag.
    NoImage,
    /// The image exists, but not for this platform.
    NoPlatform,
    /// The registry does not give the image to this user.
    AccessDenied,
    /// The engine has no init to put into containers, or one that cannot be executed.
    NoInit,
    /// The program of the container cannot be executed, or its options cannot be applied.
    CannotExecute,
    /// The API version is not (or no longer) understood.
    ApiVersion,
}

/// Texts (in lower case) and what they mean; the first that fits. Messages are wrapped in each other, so the order is from the innermost
/// cause outwards: what a full disk broke may say a lot around it.
const TEXTS: &[(&str, Kind)] = &[
    ("no space left on device", Kind::NoSpace),
    ("disk quota exceeded", Kind::NoSpace),
    ("port is already allocated", Kind::PortTaken(None)),
    ("address already in use", Kind::PortTaken(None)),
    ("ports are not available", Kind::PortTaken(None)),
    ("is already in use by container", Kind::NameTaken),
    ("that name is already in use", Kind::NameTaken),
    ("could not find an available, non-overlapping ipv4 address pool", Kind::NoAddresses),
    ("all predefined address pools have been fully subnetted", Kind::NoAddresses),
    ("toomanyrequests", Kind::RateLimited),
    ("too many requests", Kind::RateLimited),
    ("no matching manifest for", Kind::NoPlatform),
    ("does not match the specified platform", Kind::NoPlatform),
    ("does not provide the specified platform", Kind::NoPlatform),
    ("pull access denied", Kind::AccessDenied),
    ("requested access to the resource is denied", Kind::AccessDenied),
    ("no basic auth credentials", Kind::AccessDenied),
    ("unauthorized:", Kind::AccessDenied),
    ("authentication required", Kind::AccessDenied),
    ("manifest unknown", Kind::NoImage),
    ("name unknown", Kind::NoImage),
    ("repository name not known to registry", Kind::NoImage),
    ("no such image", Kind::NoImage),
    ("failed to resolve reference", Kind::NoImage),
    // Podman's own, then as later versions say it, then one that cannot be executed (3.x had it at another place); Docker's.
    ("container-init binary not found", Kind::NoInit),
    ("lookup init binary", Kind::NoInit),
    ("could not find \"catatonit\"", Kind::NoInit),
    ("exec: \"/run/podman-init\"", Kind::NoInit),
    ("exec: \"/dev/init\"", Kind::NoInit),
    ("exec: \"docker-init\"", Kind::NoInit),
    ("exec: \"/sbin/docker-init\"", Kind::NoInit),
    ("oci runtime", Kind::CannotExecute),
    ("unable to start container process", Kind::CannotExecute),
    ("executable file not found", Kind::CannotExecute),
    ("unable to find user", Kind::CannotExecute),
    ("unable to find group", Kind::CannotExecute),
    ("no matching entries in", Kind::CannotExecute),
    ("client version", Kind::ApiVersion),
    ("dial tcp", Kind::Network),
    ("no such host", Kind::Network),
    ("i/o timeout", Kind::Network),
    ("tls handshake timeout", Kind::Network),
    ("connection refused", Kind::Network),
    ("connection reset by peer", Kind::Network),
    ("network is unreachable", Kind::Network),
    ("temporary failure in name resolution", Kind::Network),
    ("request canceled while waiting for connection", Kind::Network),
    ("unexpected eof", Kind::Network),
    ("bad gateway", Kind::Network),
    ("service unavailable", Kind::Network),
];

impl Kind {
    /// What the message is about, if that is known.
    pub(crate) fn of(message: &str) -> Option<Self> {
        let text = message.to_ascii_lowercase();
        let (_, kind) = TEXTS.iter().find(|(part, _)| text.contains(part))?;
        Some(match kind {
            Self::PortTaken(_) => Self::PortTaken(host_port(&text)),
            // A network fault below, whatever the registry's client says around it.
            Self::NoImage if text.contains("failed to resolve reference") && text.contains("dial tcp") => Self::Network,
            other => *other,
        })
    }

    /// True: the engine's or the environment's trouble, which may pass; false: the fault of what was asked for.
    pub(crate) const fn is_trouble(self) -> bool {
        match self {
            Self::PortTaken(_)
            | Self::NoSpace
            | Self::NameTaken
            | Self::NoAddresses
            | Self::RateLimited
            | Self::Network
            | Self::ApiVersion => true,
            Self::NoImage | Self::NoPlatform | Self::AccessDenied | Self::NoInit | Self::CannotExecute => false,
        }
    }
}

/// The first `ADDRESS:PORT` in the text: messages name the host's end first.
fn host_port(text: &str) -> Option<u16> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | ','));
    words.filter_map(port_of).next()
}

fn port_of(word: &str) -> Option<u16> {
    let (address, rest) = match word.strip_prefix('[') {
        Some(inner) => inner.split_once("]:")?,
        None => word.split_once(':')?,
    };
    let is_address = address.is_empty() || address.parse::<Ipv4Addr>().is_ok() || address.parse::<Ipv6Addr>().is_ok();
    let digits: &str = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|port| is_address && *port != 0)
}
