//! `ls`: the stacks that run on this machine.

use std::{fs, io, path::PathBuf, time::Duration};

use futures::future;
use orco_api::{
    client::Client,
    place::{self, Meta, Place, StateRoot},
    wire::{Mode, State, Status, Timestamp},
};
use serde::Serialize;

use super::{Failure, daemon::holder, pretty};
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
    let root = StateRoot::from_env()?;
    if let Err(error) = fs::read_dir(root.path())
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(Failure::internal(&format!("cannot read `{}`", root.path().display()), error)
            .next("name the folder of your stacks' state with `ORCO_STATE_DIR`"));
    }
    let found = place::known(&root).into_iter();
    let found = found.filter(|found| found.running || holder::may_have_left_services(&found.place));
    let stacks = future::join_all(found.map(|found| look(found.place, found.meta))).await;
    let killed = stacks.iter().any(|stack| stack.state == "killed");
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
    if killed {
        terminal::note("killed: the daemon died; `orco up -d` takes over what it left, `orco down` stops it\n");
    }
    Ok(Exit::DONE)
}

/// One stack, if it runs.
pub async fn one(place: &Place) -> Option<impl Serialize + use<>> {
    let meta = Meta::read(place).ok().flatten()?;
    Some(look(place.clone(), meta).await)
}

/// The stack as it is. Services of a daemon that was killed may still run.
async fn look(place: Place, meta: Meta) -> Running {
    if holder::may_have_left_services(&place) {
        return running(Meta { pid: None, keeper_pid: None, ..meta }, "killed");
    }
    let status = async { Client::new(&place)?.brief_status().await };
    let state = match tokio::time::timeout(PATIENCE, status).await {
        Ok(Ok(status)) => state(&status),
        Ok(Err(_)) | Err(_) => "unreachable",
    };
    running(meta, state)
}

fn running(meta: Meta, state: &'static str) -> Running {
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
