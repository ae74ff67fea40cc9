//! What is left of a stack: by an earlier program that was killed with its keeper, or at the end.

use orco_core::{model::StackId, runtime::RuntimeError};

use crate::{
    docker::Inner,
    engine::{
        EngineError,
        looks::{self, Listed, Status},
        networks,
    },
    labels, removal,
};

/// Removes the stack's containers that this process neither started nor found: their program is dead, for it shared
/// their fate as this one does.
pub(crate) async fn clear(inner: &Inner, stack: StackId) -> Result<(), RuntimeError> {
    remove_strays(inner, stack).await.map_err(|error| error.into_runtime_repeatable())
}

async fn remove_strays(inner: &Inner, stack: StackId) -> Result<(), EngineError> {
    let found = looks::list(&inner.client, &[labels::filter(labels::STACK, stack)]).await?;
    for container in found {
        let known = labels::instance(&container.labels).is_some_and(|instance| inner.register.knows(instance));
        if !known && labels::is_of(&container.labels, stack) {
            tracing::info!(container = %container.id, "removing what an earlier program left");
            removal::remove(&inner.client, &container.id).await?;
        }
    }
    Ok(())
}

/// Removes what came to be after it was asked what there is: an engine of ours that was killed had asked for it, and
/// could not start it any more. A program whose containers share its fate leaves that to its keeper.
pub(crate) async fn clear_late(inner: &Inner, found: &[Listed]) {
    if !inner.fate.outlives() {
        return;
    }
    let stacks = inner.register.stacks();
    for container in found.iter().filter(|container| container.status == Status::Created) {
        let ours = stacks.iter().any(|stack| labels::is_of(&container.labels, *stack));
        let wanted = match container.labels.get(labels::HOOK) {
            Some(mark) => inner.is_own_hook(mark),
            None => labels::instance(&container.labels)
                .is_none_or(|instance| inner.register.knows(instance) || inner.watch.doubts(instance)),
        };
        if ours && !wanted {
            tracing::info!(container = %container.id, "removing what an engine that was killed had asked for");
            // What cannot go now is in the next list too.
            if let Err(error) = removal::remove(&inner.client, &container.id).await {
                tracing::debug!(%error, container = %container.id, "cannot remove it now");
            }
        }
    }
}

/// At the end: takes away what the stack has. `Ok(false)`: something of it still lives and was left.
pub(crate) async fn end(inner: &Inner, stack: StackId) -> Result<bool, EngineError> {
    let client = &inner.client;
    let filter = || labels::filter(labels::STACK, stack);
    let left = looks::list(client, &[filter()]).await?;
    let left: Vec<_> = left.into_iter().filter(|container| labels::is_of(&container.labels, stack)).collect();
    if inner.fate.outlives() {
        if !left.is_empty() {
            return Ok(false);
        }
    } else {
        for container in left {
            removal::remove(client, &container.id).await?;
        }
    }
    for network in networks::networks(client, filter()).await? {
        if labels::is_of(&network.labels, stack) {
            networks::remove_network(client, &network.id).await?;
        }
    }
    if !inner.keep_volumes {
        for volume in networks::volumes(client, filter()).await? {
            if labels::is_of(&volume.labels, stack) {
                networks::remove_volume(client, &volume.id).await?;
            }
        }
    }
    Ok(true)
}
