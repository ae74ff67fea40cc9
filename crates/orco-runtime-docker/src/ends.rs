//! How instances are asked to end, and forgotten.

use std::{sync::Arc, time::Duration};

use orco_core::{
    model::InstanceId,
    runtime::{Handle, RuntimeError},
};
use tokio::time::timeout;

use crate::{
    docker::Inner,
    engine::{EngineError, containers},
    removal, wait,
    watch::Watch,
};

const KILL: i32 = 9;
/// So long a reader of an ended instance's output may take before the container goes.
const READ: Duration = Duration::from_secs(5);

/// Sends a signal to the main process; what is over needs none.
pub(crate) async fn signal(inner: &Inner, handle: &Handle, signal: i32) -> Result<(), RuntimeError> {
    let sent = async {
        let Some(id) = wait::container(inner, handle).await? else { return Ok(()) };
        containers::kill(&inner.client, &id, signal).await
    };
    sent.await.map_err(EngineError::into_runtime_repeatable)
}

/// Ends the whole container.
pub(crate) async fn kill(inner: &Inner, handle: &Handle) -> Result<(), RuntimeError> {
    signal(inner, handle, KILL).await
}

/// Nothing of the instance is left, and nothing will come of it.
pub(crate) async fn reap(inner: &Arc<Inner>, instance: InstanceId) -> Result<(), RuntimeError> {
    inner.flights.call_off(instance).await;
    if !inner.register.knows(instance) {
        // An earlier program of ours may have asked for it and died before the engine has answered.
        Watch::doubt(inner, instance);
    }
    removal::remove_all(&inner.client, instance).await.map_err(EngineError::into_runtime_repeatable)?;
    inner.register.forget(instance);
    Ok(())
}

/// Forgets an ended instance: its container goes, with its anonymous volumes.
pub(crate) async fn remove(inner: &Inner, handle: &Handle) -> Result<(), RuntimeError> {
    // With the container goes its output. Whoever reads it has been told that it is all there now.
    let _ = timeout(READ, inner.register.was_read(handle.instance)).await;
    let removed = async {
        if let Some(id) = wait::container(inner, handle).await? {
            removal::remove(&inner.client, &id).await?;
        }
        Ok(())
    };
    removed.await.map_err(EngineError::into_runtime_repeatable)?;
    inner.register.forget(handle.instance);
    Ok(())
}
