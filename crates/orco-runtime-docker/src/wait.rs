//! When a container is over, and how it ended.
//!
//! Whatever comes first - an event, the engine's answer to a wait of our own, a list - is only a reason to look. The
//! container is over when a look at it says so; an engine that does not answer, hangs, fails or restarts says nothing.

use std::{sync::Arc, time::Duration};

use orco_core::{
    model::{Exit, InstanceId},
    runtime::Handle,
};
use tokio::time::sleep;

use crate::{
    docker::Inner,
    engine::{
        EngineError, containers,
        looks::{self, Status},
    },
    exit, labels, removal,
    watch::{PAUSES, Waiter, Watch},
};

/// Returns when the instance is over. Cancel-safe.
pub(crate) async fn wait(inner: &Arc<Inner>, handle: &Handle) -> Exit {
    let instance = handle.instance;
    if let Some(exit) = inner.register.exit(instance) {
        return exit;
    }
    let Some(id) = found(inner, handle).await else {
        return inner.register.told(instance, Exit::Unknown);
    };
    let mut waiter = Watch::join(inner, &id);
    let mut waited = None;
    let mut pause = PAUSES.0;
    loop {
        // Cancel-safe: each only says that it is time to look.
        let asked = tokio::select! {
            code = containers::wait(&inner.client, &id) => code.map(Some),
            () = waiter.stirred() => Ok(None),
        };
        match asked {
            Ok(code) => waited = code.or(waited),
            Err(error) => tracing::debug!(%error, container = %id, "waiting for a container broke off"),
        }
        match look(inner, &id, &waiter, waited).await {
            Ok(Some(exit)) => return inner.register.told(instance, exit),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, container = %id, "cannot look at a container"),
        }
        rest(&mut waiter, &mut pause).await;
    }
}

/// The container, found again if need be; `None`: the engine has none, and says so.
async fn found(inner: &Inner, handle: &Handle) -> Option<String> {
    let mut pause = PAUSES.0;
    loop {
        match container(inner, handle).await {
            Ok(found) => return found,
            Err(error) => tracing::debug!(%error, instance = %handle.instance, "cannot find a container"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// The handle's container; an engine that died before it knew it left the token empty.
pub(crate) async fn container(inner: &Inner, handle: &Handle) -> Result<Option<String>, EngineError> {
    if !handle.token.is_empty() {
        return Ok(Some(handle.token.clone()));
    }
    container_of(inner, handle.instance).await
}

/// The container of an instance: as known, or by its label.
pub(crate) async fn container_of(inner: &Inner, instance: InstanceId) -> Result<Option<String>, EngineError> {
    if let Some(id) = inner.register.container(instance) {
        return Ok(Some(id));
    }
    let found = looks::list(&inner.client, &[labels::filter(labels::INSTANCE, instance)]).await?;
    let own = found.into_iter().find(|container| {
        labels::instance(&container.labels) == Some(instance) && !container.labels.contains_key(labels::HOOK)
    });
    Ok(own.map(|container| container.id))
}

/// What a look says: over and how, or (`None`) not over.
async fn look(inner: &Inner, id: &str, waiter: &Waiter, waited: Option<i64>) -> Result<Option<Exit>, EngineError> {
    let Some(seen) = looks::inspect(&inner.client, id).await? else {
        // Removed by somebody: events or the wait may have told how it ended before.
        let told = waiter.told();
        return Ok(Some(told.code.or(waited).map_or(Exit::Unknown, |code| exit::of(code, told.oom))));
    };
    match seen.status {
        Status::Alive => Ok(None),
        Status::Over => Ok(Some(exit::of(seen.exit_code, seen.oom_killed))),
        // Its start was lost with an engine of ours, or is still under way on its behalf: so that it cannot come to
        // life after it was told as over, it goes.
        Status::Created => {
            removal::remove(&inner.client, id).await?;
            Ok(Some(Exit::Unknown))
        }
    }
}

/// A pause that something new ends.
async fn rest(waiter: &mut Waiter, pause: &mut Duration) {
    // Both are cancel-safe.
    tokio::select! {
        () = sleep(*pause) => *pause = (*pause * 2).min(PAUSES.1),
        () = waiter.stirred() => *pause = PAUSES.0,
    }
}
