//! The keeper of a stack, which all runtimes of this build share.

use std::{os::fd::OwnedFd, sync::Arc};

use orco_api::{
    place::{Lock, Place},
    server::Listener,
};
use orco_core::spec::Stack;
use orco_keeper::{Client, Config, Detached};

use super::{Attachment, names};
use crate::cmd::{
    Failure,
    daemon::{SERVICE_MANAGER_VARIABLES, raise_descriptors},
};

/// A client whose keeper runs, if the stack has services of ours. It ends with us, and everything with it.
pub async fn start(stack: &Stack, place: &Place, lock: &Lock) -> Result<Client, Failure> {
    let mut config = config(place);
    config.lock = Some(Arc::new(share(lock.share())?));
    let client = Client::new(config);
    if stack.services().iter().any(|service| names().contains(&service.runtime.as_str())) {
        client.connect().await.map_err(|e| Failure::internal("cannot start the keeper", e))?;
    }
    Ok(client)
}

/// A client of the keeper that has started this engine.
pub async fn attach(place: &Place, lock: &Lock, listener: &Listener, keeper: Attachment) -> Result<Client, Failure> {
    let mut config = config(place);
    config.env.retain(|(name, _)| !SERVICE_MANAGER_VARIABLES.iter().any(|without| name == without));
    config.detached = Some(Detached {
        engine_arguments: std::env::args_os().skip(1).collect(),
        lock: Arc::new(share(lock.share())?),
        listener: Arc::new(share(listener.share())?),
        origin: keeper.origin,
    });
    let client = Client::attach(config, keeper.link, keeper.keeper_pid).await;
    client.map_err(|e| Failure::internal("cannot speak to the keeper", e))
}

fn config(place: &Place) -> Config {
    let mut config = Config::new();
    config.state_dir = Some(place.dir().to_owned());
    if let Some(limits) = raise_descriptors() {
        config.nofile = limits;
    }
    config
}

fn share(descriptor: std::io::Result<OwnedFd>) -> Result<OwnedFd, Failure> {
    descriptor.map_err(|e| Failure::internal("cannot share what the keeper needs", e))
}
