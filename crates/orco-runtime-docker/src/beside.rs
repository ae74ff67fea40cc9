//! Commands for an instance that is not there: hooks before its start and after its end. Each gets a container of its
//! own, with the instance's image, files, variables and network, which goes when the command has ended.

use std::{sync::Arc, time::Duration};

use orco_core::runtime::{ExecRequest, ExecResult, RuntimeError};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    create,
    docker::Inner,
    engine::{
        Certainty, Client, EngineError, containers, execs,
        looks::{self, Status},
    },
    exec, exit, removal, stack, start,
    tail::Tail,
    watch::Watch,
};

/// Pauses between looks at a container whose output has ended.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Runs the command until it ends, its time is over, or nobody wants it any more.
pub(crate) async fn run(
    inner: &Arc<Inner>,
    request: &ExecRequest,
    unwanted: &CancellationToken,
) -> Result<ExecResult, RuntimeError> {
    let deadline = Instant::now() + request.timeout;
    inner.enter(request.instance, request.start.stack);
    stack::ready(inner, &request.start).await?;
    let manners = inner.client.manners().await.map_err(EngineError::into_runtime_repeatable)?;
    let mut spec = create::beside(request, manners, &inner.hook_mark());
    spec.hosts.extend(create::host(&inner.client, &request.start).await);
    if unwanted.is_cancelled() {
        return Err(RuntimeError::refused("nobody wants it any more"));
    }
    let id = match containers::create(&inner.client, &spec).await {
        Ok(id) => id,
        Err(error) => {
            if error.happened() == Certainty::Unknown {
                Watch::doubt(inner, request.instance);
            }
            let no_network = start::no_network(inner, &request.start, &error);
            return Err(no_network.unwrap_or_else(|| error.into_runtime_repeatable()));
        }
    };
    let result = carry_out(&inner.client, &id, request, deadline, unwanted).await;
    if let Err(error) = removal::remove(&inner.client, &id).await {
        tracing::warn!(%error, container = %id, "cannot remove a hook's container now");
        Watch::doubt(inner, request.instance);
    }
    if inner.register.container(request.instance).is_none() {
        // Before its start: whether it will ever be is not known here.
        inner.register.forget(request.instance);
    }
    result.map_err(EngineError::into_runtime_repeatable)
}

async fn carry_out(
    client: &Client,
    id: &str,
    request: &ExecRequest,
    deadline: Instant,
    unwanted: &CancellationToken,
) -> Result<ExecResult, EngineError> {
    // Attached before it starts, so that not a byte is missed.
    let attached = execs::attach(client, id, !request.stdin.is_empty()).await?;
    containers::start(client, id).await?;
    let mut output = Tail::default();
    let ran = async {
        exec::talk(attached, &request.stdin, &mut output).await;
        ended(client, id).await
    };
    // Cancel-safe: what is dropped is removed.
    let exit = tokio::select! {
        exit = ran => exit,
        () = sleep_until(deadline) => None,
        () = unwanted.cancelled() => None,
    };
    Ok(output.result(exit))
}

/// How it has ended; `None`: it was removed.
async fn ended(client: &Client, id: &str) -> Option<orco_core::model::Exit> {
    let mut pause = PAUSES.0;
    loop {
        match looks::inspect(client, id).await {
            Ok(None) => return None,
            Ok(Some(seen)) if seen.status == Status::Over => return Some(exit::of(seen.exit_code, seen.oom_killed)),
            // Its output may end before it does; an engine that does not answer: until the deadline.
            Ok(Some(_)) | Err(_) => {}
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
