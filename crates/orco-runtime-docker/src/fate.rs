//! Whether containers share the fate of this program.

use orco_core::{
    model::StackId,
    runtime::{Notice, RuntimeError},
};
use orco_keeper::{CleanUp, EngineHost, Event};

use crate::{engine::Client, find::Host, labels};

/// Whether containers share the fate of this program.
#[derive(Debug)]
pub(crate) enum Fate {
    /// With its end they end, whatever ends it: the keeper sees to that.
    Shared {
        /// The keeper.
        keeper: Box<orco_keeper::Client>,
        /// Nobody else has it.
        own: bool,
    },
    /// They outlive it.
    Detached,
}

impl Fate {
    /// Whether containers outlive this program.
    pub(crate) const fn outlives(&self) -> bool {
        matches!(self, Self::Detached)
    }

    /// Sees to it that whatever the stack gets is cleaned up after this program's death. False: it shall not be.
    pub(crate) async fn share(
        &self,
        client: &Client,
        stack: StackId,
        keep_volumes: bool,
    ) -> Result<bool, RuntimeError> {
        let Self::Shared { keeper, .. } = self else { return Ok(false) };
        let Some(host) = engine(client) else { return Err(RuntimeError::unavailable("the engine is not found yet")) };
        let clean_up = CleanUp::new(host, labels::filter(labels::STACK, stack));
        let clean_up = if keep_volumes { clean_up } else { clean_up.with_volumes() };
        let registered = keeper.on_engine_death(clean_up).await;
        let refuse = |error| RuntimeError::refused("nobody would clean up after this program").because(error);
        registered.map(|()| true).map_err(refuse)
    }

    /// Nothing of the stack is left to clean up.
    pub(crate) fn settled(&self, client: &Client, stack: StackId) {
        if let (Self::Shared { keeper, .. }, Some(host)) = (self, engine(client)) {
            keeper.clean_up_done(&host, &labels::filter(labels::STACK, stack));
        }
    }

    /// What the keeper has to say, where nobody else listens to it.
    pub(crate) async fn notice(&self) -> Notice {
        if let Self::Shared { keeper, own: true } = self {
            loop {
                match keeper.event().await {
                    Event::KeeperLost(why) => return Notice::KeeperLost(why),
                    // It writes no logs of ours.
                    Event::Rotated { .. } => {}
                }
            }
        }
        std::future::pending().await
    }

    /// Ends the keeper that nobody else has.
    pub(crate) async fn end(&self) {
        if let Self::Shared { keeper, own: true } = self {
            keeper.shutdown().await;
        }
    }
}

fn engine(client: &Client) -> Option<EngineHost> {
    Some(match client.host()? {
        Host::Unix(path) => EngineHost::Unix(path),
        Host::Tcp(address) => EngineHost::Tcp(address),
    })
}
