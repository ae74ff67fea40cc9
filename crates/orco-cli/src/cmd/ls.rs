//! `ls`: the stacks that run on this machine.

use std::{path::PathBuf, time::Duration};

use futures::future;
use orco_api::{
    client::Client,
    place::{self, Found, StateRoot},
    wire::{Mode, State, Status, Timestamp},
};
use serde::Serialize;

use super::{Failure, pretty};
use crate::{
    args::{Ls, OutputFormat},
    exit::Exit,
    render, terminal,
};

/// A stack that does not answer within this time is listed as unreachable.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running stack, as `-o json` shows it.
#[derive(Serialize)]
struct Running {
    stack: String,
    id: String,
    dir: PathBuf,
    pid: Option<u32>,
    keeper_pid: Option<u32>,
    mode: Mode,
    state: &'static str,
    since: Timestamp,
}

pub async fn ls(args: Ls) -> Result<Exit, Failure> {
    let found = place::running(&StateRoot::from_env()?);
    let stacks = future::join_all(found.into_iter().map(look)).await;
    match args.output.output {
        OutputFormat::Json => terminal::print(pretty(&stacks))?,
        OutputFormat::Text => {
            let cells = |one: &Running| {
                let pid = one.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
                let since = render::age(one.since.until(Timestamp::now()));
                let mode = serde_json::to_value(one.mode).ok().and_then(|mode| mode.as_str().map(str::to_owned));
                let dir = one.dir.display().to_string();
                [one.stack.clone(), one.state.to_owned(), pid, mode.unwrap_or_default(), since, dir]
            };
            terminal::print(render::stacks(&stacks.iter().map(cells).collect::<Vec<_>>(), terminal::paint()))?;
        }
    }
    Ok(Exit::DONE)
}

async fn look(found: Found) -> Running {
    let status = async { Client::new(&found.place)?.status().await };
    let state = match tokio::time::timeout(PATIENCE, status).await {
        Ok(Ok(status)) => state(&status),
        Ok(Err(_)) | Err(_) => "unreachable",
    };
    let meta = found.meta;
    Running {
        stack: meta.stack,
        id: meta.id,
        dir: meta.dir,
        pid: meta.pid,
        keeper_pid: meta.keeper_pid,
        mode: meta.mode,
        state,
        since: meta.since,
    }
}

/// The stack in one word. What somebody stopped, or what has completed, keeps it from nothing.
fn state(status: &Status) -> &'static str {
    let has = |state| status.services.values().any(|service| service.state == state);
    let idle = |state| matches!(state, State::Stopped | State::Completed);
    let up = || status.services.values().filter(|service| !idle(service.state));
    if has(State::Failed) {
        "failed"
    } else if up().next().is_none() {
        if has(State::Completed) { "completed" } else { "stopped" }
    } else if up().all(|service| service.ready) {
        "ready"
    } else if up().all(|service| service.state == State::Stopping) {
        "stopping"
    } else if up().any(|service| matches!(service.state, State::Pending | State::Starting)) {
        "starting"
    } else {
        "unready"
    }
}
