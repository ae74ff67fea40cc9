//! What a keeper is started with.

use std::{
    ffi::{OsStr, OsString},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::PathBuf,
    sync::Arc,
};

use nix::sys::resource::{Resource, getrlimit};

use crate::{daemon::Origin, wire::Backend};

/// What a keeper is started with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// An existing directory for its standard error (`keeper.err`); `None`: nowhere.
    pub state_dir: Option<PathBuf>,
    /// An `orco` binary to run as keeper; `None`: this program itself.
    pub program: Option<PathBuf>,
    /// A descriptor that the keeper keeps open as long as it lives: the state lock.
    pub lock: Option<Arc<OwnedFd>>,
    /// How trees are killed.
    pub backend: Backend,
    /// Log segments are closed at this size, in bytes.
    pub segment_bytes: u64,
    /// Closed segments that nobody acknowledged may amount to so many bytes; then who wrote them has to wait.
    pub unacknowledged_bytes: u64,
    /// The descriptor limit (soft, hard) that services get.
    pub nofile: (u64, u64),
    /// The base environment of services that inherit one.
    pub env: Vec<(OsString, OsString)>,
    /// Of an engine that a detached keeper has started: what another keeper needs in its place.
    pub detached: Option<Detached>,
}

/// What a keeper is started with that takes the place of a dead one.
#[derive(Debug, Clone)]
pub struct Detached {
    /// The arguments of engines, after the program's name.
    pub engine_arguments: Vec<OsString>,
    /// The state lock.
    pub lock: Arc<OwnedFd>,
    /// The listening control socket.
    pub listener: Arc<OwnedFd>,
    /// What services begin with: [`Inherited::origin`](crate::daemon::Inherited::origin).
    pub origin: Origin,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// The defaults: this program, its environment and its descriptor limit as they are now, 16 MiB segments.
    pub fn new() -> Self {
        Self {
            state_dir: None,
            program: None,
            lock: None,
            backend: Backend::Auto,
            segment_bytes: 16 << 20,
            unacknowledged_bytes: 64 << 20,
            nofile: getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 4096)),
            env: std::env::vars_os().collect(),
            detached: None,
        }
    }

    /// A variable of the base environment.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    /// The base environment as `NAME=VALUE`.
    pub(super) fn variables(&self) -> Vec<Box<[u8]>> {
        let join = |(name, value): &(OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat().into();
        self.env.iter().map(join).collect()
    }
}
