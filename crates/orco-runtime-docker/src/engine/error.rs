//! Why the engine did not do it, in words for people and in kinds for us.

use std::{fmt, sync::Arc, time::Duration};

use orco_core::runtime::RuntimeError;

use crate::find::Host;

use super::{call::Call, kind::Kind, version::Range};

/// A place where the engine was looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tried {
    /// Which place, with its address if it has one.
    pub(crate) place: String,
    /// Why it is not there.
    pub(crate) why: String,
}

/// Whether a failed request took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Certainty {
    /// It certainly did not.
    No,
    /// It may have.
    Unknown,
}

/// Why the engine did not do what it was asked.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub(crate) enum EngineError {
    /// No place has an engine.
    #[error("no container engine found: {}", list(.0))]
    NotFound(Arc<[Tried]>),
    /// Nobody listens there.
    #[error("engine not reachable at {host}: {why}; is it running?")]
    Unreachable {
        /// Where.
        host: Host,
        /// What the system said.
        why: String,
    },
    /// Somebody may listen there, but not to us.
    #[error("permission denied on {host}: {}", hint(host))]
    Denied {
        /// Where.
        host: Host,
    },
    /// It took longer than it may.
    #[error("no answer from the engine after {} ({what})", seconds(*after))]
    NoAnswer {
        /// For what.
        what: Call,
        /// How long it was waited for.
        after: Duration,
        /// False: it never got so far that the engine heard of the request.
        sent: bool,
    },
    /// There is no version that both speak.
    #[error("no common API version: the engine speaks {theirs}, Orco {ours}; update the older one")]
    Version {
        /// What this program speaks.
        ours: Range,
        /// What the engine speaks.
        theirs: Range,
    },
    /// The engine said no.
    #[error("{}", said(what, *code, message))]
    Status {
        /// The HTTP status; 200 where the message came within a stream that had begun well.
        code: u16,
        /// The engine's own words.
        message: String,
        /// For what.
        what: Call,
    },
    /// The answer ended too early, or is not understood.
    #[error("{what}: {why}")]
    Broken {
        /// For what.
        what: Call,
        /// What is wrong with it.
        why: String,
    },
}

impl EngineError {
    /// True: the engine or its environment is in trouble, which may pass. False: it works, and what was asked for
    /// cannot be.
    pub(crate) fn is_engine_trouble(&self) -> bool {
        match self {
            Self::Status { code, .. } => self.kind().map_or(*code >= 500, Kind::is_trouble),
            Self::NotFound(_)
            | Self::Unreachable { .. }
            | Self::Denied { .. }
            | Self::NoAnswer { .. }
            | Self::Version { .. }
            | Self::Broken { .. } => true,
        }
    }

    /// Whether the request took effect all the same.
    pub(crate) fn happened(&self) -> Certainty {
        match self {
            Self::NotFound(_) | Self::Unreachable { .. } | Self::Denied { .. } | Self::Version { .. } => Certainty::No,
            Self::NoAnswer { sent: false, .. } => Certainty::No,
            Self::NoAnswer { sent: true, .. } | Self::Broken { .. } => Certainty::Unknown,
            // A failure whose cause it names is one that the engine has cleaned up after.
            Self::Status { code, .. } if *code < 500 || self.kind().is_some() => Certainty::No,
            Self::Status { .. } => Certainty::Unknown,
        }
    }

    /// The HTTP status, if the engine said no.
    pub(crate) const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            Self::NotFound(_)
            | Self::Unreachable { .. }
            | Self::Denied { .. }
            | Self::NoAnswer { .. }
            | Self::Version { .. }
            | Self::Broken { .. } => None,
        }
    }

    /// What the engine's message is about, if it said no and that is known.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Status { message, .. } => Kind::of(message),
            Self::NotFound(_)
            | Self::Unreachable { .. }
            | Self::Denied { .. }
            | Self::NoAnswer { .. }
            | Self::Version { .. }
            | Self::Broken { .. } => None,
        }
    }

    /// For the contract: a taken port, trouble that may pass (unavailable), a fault of the service (refused), or an
    /// unknown outcome.
    pub(crate) fn into_runtime(self) -> RuntimeError {
        let message = self.to_string();
        match (self.kind(), self.happened()) {
            (Some(Kind::NoInit), Certainty::No) => RuntimeError::refused(no_init(&message)),
            (Some(Kind::PortTaken(Some(port))), Certainty::No) => port_taken(port),
            (_, Certainty::Unknown) => RuntimeError::unknown(message),
            (_, Certainty::No) if self.is_engine_trouble() => RuntimeError::unavailable(message),
            (_, Certainty::No) => RuntimeError::refused(message),
        }
    }

    /// As [`into_runtime`](Self::into_runtime), for requests that may be repeated without harm: an unknown outcome is
    /// worth another try too.
    pub(crate) fn into_runtime_repeatable(self) -> RuntimeError {
        match self.happened() {
            Certainty::Unknown => RuntimeError::unanswered(self.to_string()),
            Certainty::No => self.into_runtime(),
        }
    }
}

fn list(tried: &[Tried]) -> String {
    let each: Vec<String> = tried.iter().map(|Tried { place, why }| format!("{place}: {why}")).collect();
    each.join("; ")
}

/// What to do where the system refuses.
pub(super) fn hint(host: &Host) -> &'static str {
    match host {
        Host::Unix(path) if path.ends_with("podman.sock") => "use a rootless engine (`podman system service`)",
        Host::Unix(_) | Host::Tcp(_) => "add yourself to the group `docker` or use a rootless engine",
    }
}

/// The cause first, where the engine's words are no more than that it failed.
fn said(what: &Call, code: u16, message: &str) -> String {
    match (code, message.is_empty()) {
        (_, true) => format!("the engine answered {code} ({what})"),
        (500.., false) if Kind::of(message).is_none() => format!("the engine answered {code}: {message} ({what})"),
        (_, false) => format!("{what}: {message}"),
    }
}

/// A port of the host that somebody else has, and what to do. The engine's own words are about its proxies and name
/// a container that is gone by the next try.
pub(crate) fn port_taken(port: u16) -> RuntimeError {
    let message =
        format!("port {port} of this machine is taken by another program: stop that one, or publish another port");
    RuntimeError::port_taken(port, message)
}

/// There is no init to be put into a container, and what to do.
fn no_init(said: &str) -> String {
    format!(
        "the engine has no usable init for containers: install one for it (Debian: `catatonit`), name one with \
         `init_path` in containers.conf, or write `init: false` into the service; {said}"
    )
}

/// `30 s`, `0.2 s`.
fn seconds(time: Duration) -> impl fmt::Display {
    let seconds = time.as_secs_f64();
    if seconds.fract() == 0.0 { format!("{seconds:.0} s") } else { format!("{seconds:.1} s") }
}
