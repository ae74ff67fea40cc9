//! How the runtime is set up.

use orco_keeper::{Client as Keeper, Config};
use std::sync::Arc;

use crate::{
    credentials::Credentials,
    docker::{Docker, Inner},
    engine::{Client, Limits},
    fate::Fate,
    find::{Find, Flavour},
};

/// How the runtime is set up.
///
/// ```no_run
/// use orco_runtime_docker::Docker;
///
/// let podman = Docker::builder().podman().keep_volumes().build();
/// # drop(podman);
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct DockerBuilder {
    podman: bool,
    host: Option<String>,
    keeper: Option<Keeper>,
    detached: bool,
    keep_volumes: bool,
}

impl DockerBuilder {
    /// Podman in the place of Docker: its sockets are looked for, and stack files ask for it as `runtime: podman`.
    pub const fn podman(mut self) -> Self {
        self.podman = true;
        self
    }

    /// Where the engine listens: `unix:///PATH` or `tcp://HOST:PORT`. By default it is looked for where the engine's own
    /// command would.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The keeper that cleans up after this program's death. By default one of the runtime's own, started before the
    /// first container.
    pub fn keeper(mut self, keeper: Keeper) -> Self {
        self.keeper = Some(keeper);
        self
    }

    /// Containers outlive this program, and are found again by another one's `list`.
    pub const fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Named volumes stay when the stack goes. By default they go with it.
    pub const fn keep_volumes(mut self) -> Self {
        self.keep_volumes = true;
        self
    }

    /// The runtime. No I/O.
    pub fn build(self) -> Docker {
        let flavour = if self.podman { Flavour::Podman } else { Flavour::Docker };
        let client = Client::new(Find { flavour, host: self.host }, Limits::default());
        let fate = if self.detached {
            Fate::Detached
        } else {
            let own = self.keeper.is_none();
            Fate::Shared { keeper: Box::new(self.keeper.unwrap_or_else(|| Keeper::new(Config::new()))), own }
        };
        let login = Credentials::usual(self.podman, |name| std::env::var_os(name));
        Docker { inner: Arc::new(Inner::new(flavour.name(), client, fate, self.keep_volumes, login)) }
    }
}
