//! Hooks: commands at the turning points of an instance's life.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::time::timeout;

use crate::{
    model::{Exit, Seat},
    runtime::{ExecRequest, Runtime, StartRequest},
    spec::Hook,
};

use super::{report::Report, world::World};

/// A runtime that has not answered so long after a hook's own timeout does not keep it.
const GRACE: Duration = Duration::from_secs(30);

/// Whether the instance is there when a hook runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// It runs.
    Inside,
    /// Before its start or after its end.
    Beside,
}

/// Runs the hook after the start of an instance that this engine has started.
pub(super) async fn post_start(
    world: &World,
    at: Seat,
    runtime: &dyn Runtime,
    request: &Arc<StartRequest>,
    fresh: bool,
) {
    if let Some(hook) = request.service.hooks.post_start.as_ref().filter(|_| fresh) {
        run_hook_unhurried(world, at, runtime, request, hook, "postStart", When::Inside).await;
    }
}

/// Runs a hook whose failure is only told, unless everything is being killed.
pub(super) async fn run_hook_unhurried(
    world: &World,
    at: Seat,
    runtime: &dyn Runtime,
    request: &Arc<StartRequest>,
    hook: &Hook,
    name: &'static str,
    when: When,
) {
    // Cancel-safe: a dropped hook is killed with its tree.
    tokio::select! {
        done = run_hook(world, runtime, request, hook, when) => {
            if let Err(why) = done {
                world.reports.send(Report::HookFailed { at, hook: name, why: why.into() }).await;
            }
        }
        () = world.hurry.cancelled() => {}
    }
}

/// Runs a hook. The error says how it failed.
pub(super) async fn run_hook(
    world: &World,
    runtime: &dyn Runtime,
    request: &Arc<StartRequest>,
    hook: &Hook,
    when: When,
) -> Result<(), String> {
    let argv = world.expand_hook(request, &hook.command.argv)?;
    let mut command = ExecRequest::new(request, argv, hook.timeout);
    command.beside = when == When::Beside;
    let asked = runtime.exec(command);
    // The runtime keeps the hook's timeout; ours is for a runtime that does not.
    let answer = timeout(hook.timeout + GRACE, AssertUnwindSafe(asked).catch_unwind()).await;
    let result = match answer {
        Ok(Ok(Ok(result))) => result,
        Ok(Ok(Err(e))) => return Err(e.chain()),
        Ok(Err(_)) => return Err("the runtime panicked".to_owned()),
        Err(_) => return Err("the runtime did not answer".to_owned()),
    };
    let said = String::from_utf8_lossy(&result.output);
    let last = said.lines().rev().find(|l| !l.trim().is_empty()).map(|l| format!(": {}", l.trim())).unwrap_or_default();
    match result.exit {
        Some(Exit::Code(0)) => Ok(()),
        Some(exit) => Err(format!("{exit}{last}")),
        None => Err(format!("timeout after {}", crate::model::human(hook.timeout))),
    }
}
