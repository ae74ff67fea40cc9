//! What belongs to a stack beside its containers: its network and its named volumes. Made once, before the first
//! container that needs them; taken away with the stack.

use std::{collections::BTreeMap, sync::Arc, sync::Mutex, sync::PoisonError};

use orco_core::{
    model::StackId,
    runtime::{RuntimeError, StartRequest},
    spec::{Network, VolumeSource},
};
use tokio::sync::OnceCell;

use crate::{
    docker::Inner,
    engine::{Client, EngineError, networks},
    labels, leftovers, names,
};

/// What belongs to a stack. Whoever needs a part first makes it; others wait for that.
#[derive(Debug, Default)]
pub(crate) struct Belongings {
    /// The keeper knows of the stack, and nothing is left of earlier programs.
    begun: OnceCell<()>,
    network: OnceCell<()>,
    volumes: Mutex<BTreeMap<String, Arc<OnceCell<()>>>>,
}

/// All that the container needs to be there.
pub(crate) async fn ready(inner: &Inner, request: &StartRequest) -> Result<(), RuntimeError> {
    let stack = request.stack;
    let belongings = inner.belongings(stack);
    belongings.begun.get_or_try_init(|| begin(inner, stack)).await?;
    if request.service.network == Network::Stack {
        belongings.network.get_or_try_init(|| ensure_network(&inner.client, stack)).await?;
    }
    for volume in &request.service.volumes {
        if let VolumeSource::Named(name) = &volume.source {
            let name = names::volume(stack, name);
            let cell = Arc::clone(
                belongings.volumes.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default(),
            );
            cell.get_or_try_init(|| ensure_volume(&inner.client, stack, &name)).await?;
        }
    }
    Ok(())
}

/// Before anything of the stack is made: from here on somebody cleans up after this program.
async fn begin(inner: &Inner, stack: StackId) -> Result<(), RuntimeError> {
    // Nothing can be registered before it is known where the engine is.
    inner.client.manners().await.map_err(|error| error.into_runtime_repeatable())?;
    if inner.fate.share(&inner.client, stack, inner.keep_volumes).await? {
        leftovers::clear(inner, stack).await?;
    }
    Ok(())
}

async fn ensure_network(client: &Client, stack: StackId) -> Result<(), RuntimeError> {
    let name = names::network(stack);
    if has_network(client, stack, &name).await? {
        return Ok(());
    }
    match networks::create_network(client, &name, &labels::of_stack(stack)).await {
        Ok(()) => Ok(()),
        // Made by another program with the same stack in the meantime, or by our own earlier try.
        Err(error) if !has_network(client, stack, &name).await? => Err(error.into_runtime_repeatable()),
        Err(_) => Ok(()),
    }
}

/// Whether the stack has its network. Names need not be unique, and what an engine of ours that was killed has asked for
/// may come to be after ours: one is kept, and if there are containers in one, that one.
async fn has_network(client: &Client, stack: StackId, name: &str) -> Result<bool, RuntimeError> {
    let found = networks::named(client, name).await.map_err(EngineError::into_runtime_repeatable)?;
    let (ours, strangers): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|network| labels::is_of(&network.labels, stack));
    if ours.is_empty() {
        return strangers.first().map_or(Ok(()), |one| own(&one.labels, stack, "network", name)).map(|()| false);
    }
    let mut left = ours.len();
    for network in ours {
        // What has containers the engine refuses to remove.
        if left > 1 && networks::remove_network(client, &network.id).await.is_ok() {
            left -= 1;
        }
    }
    Ok(true)
}

async fn ensure_volume(client: &Client, stack: StackId, name: &str) -> Result<(), RuntimeError> {
    let created = networks::create_volume(client, name, &labels::of_stack(stack)).await;
    let volume = created.map_err(|error| error.into_runtime_repeatable())?;
    own(&volume.labels, stack, "volume", name)
}

fn own(found: &labels::Labels, stack: StackId, what: &str, name: &str) -> Result<(), RuntimeError> {
    if labels::is_of(found, stack) {
        return Ok(());
    }
    Err(RuntimeError::unavailable(format!("there is a {what} `{name}` that is not this stack's")))
}
