//! Taking in what the keeper tells, and what happens when it dies.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use orco_core::model::{Exit, InstanceId};

use super::{
    adopt::Fate,
    clean_up,
    error::{Refusal, SpawnError},
    held::exit,
    keeper::{Event, ExecOutput},
    link::{Incoming, lock},
    shared::Shared,
    succession, sweep,
};
use crate::{keeper::SWEPT, wire::Report};

/// The guard ends what a killed keeper left. If it has not done by then, it hangs, and we sweep ourselves.
const GUARD_PATIENCE: Duration = Duration::from_secs(5);

/// Reads until the keeper is gone; then cleans up after it. Does not keep the client alive.
pub(super) async fn listen(mut incoming: Incoming, client: Weak<Shared>) {
    while let Some(report) = incoming.next().await {
        let Some(client) = client.upgrade() else { break };
        take_in(&client, &incoming, report);
    }
    if client.upgrade().is_some_and(|client| client.config().detached.is_some()) {
        return succession::follow(incoming, client).await;
    }
    let keeper_pid = clean_up::renew(&client, incoming.number);
    let swept = guard_ended(&incoming).await;
    let Some(client) = client.upgrade() else { return };
    let lost = client.unlink(incoming.number);
    if !swept {
        let instances: BTreeSet<InstanceId> = lost.instances.iter().map(|(id, _)| *id).collect();
        let commands = lock(&incoming.waiters).execs.keys().copied().collect::<Vec<_>>();
        let stamps = instances.into_iter().chain(commands).collect();
        // It can only fail when this runtime is shutting down.
        let _ = tokio::task::spawn_blocking(move || sweep::end_all(&stamps)).await;
    }
    for (_, instance) in lost.instances {
        instance.ended(Exit::Unknown, None);
    }
    let waiters = std::mem::take(&mut *lock(&incoming.waiters));
    let gone = || SpawnError::new(Refusal::KeeperLost);
    for waiter in waiters.spawns.into_values() {
        let _ = waiter.send(Err(gone()));
    }
    for waiter in waiters.execs.into_values() {
        let _ = waiter.send(Err(gone()));
    }
    // What was to be signalled has ended: dropping their senders says so.
    drop(waiters.requests);
    if !lost.leaving {
        client.tell(Event::KeeperLost(format!("keeper {} died", keeper_pid.unwrap_or(lost.keeper_pid))));
    }
}

/// Waits until the guard has ended, and says whether it has ended everything before.
async fn guard_ended(incoming: &Incoming) -> bool {
    match tokio::time::timeout(GUARD_PATIENCE, incoming.guard.readable()).await {
        Ok(Ok(_)) => matches!(incoming.guard.get_ref().0.reap(), Some(0 | SWEPT)),
        Ok(Err(_)) | Err(_) => false,
    }
}

fn take_in(client: &Arc<Shared>, incoming: &Incoming, report: Report) {
    match report {
        Report::Ready { .. } => {}
        Report::Spawned { id, pid } => {
            if let Some(instance) = client.instance(id) {
                instance.started(pid);
            }
            if let Some(waiter) = lock(&incoming.waiters).spawns.remove(&id) {
                let _ = waiter.send(Ok(pid));
            }
        }
        Report::NotSpawned { id, stage, errno } => {
            let error = SpawnError::new(Refusal::System { stage, errno });
            let mut waiters = lock(&incoming.waiters);
            if let Some(waiter) = waiters.execs.remove(&id) {
                let _ = waiter.send(Err(error));
                return;
            }
            let waiter = waiters.spawns.remove(&id);
            drop(waiters);
            // Nobody may be waiting any more, but whoever waits for the end must hear of it.
            if let Some(instance) = client.take(id) {
                instance.ended(Exit::Unknown, None);
            }
            if let Some(waiter) = waiter {
                let _ = waiter.send(Err(error));
            }
        }
        Report::Done { request, errno } => {
            if let Some(waiter) = lock(&incoming.waiters).requests.remove(&request) {
                let _ = waiter.send(errno);
            }
        }
        Report::Exited { id, ending, bytes } => {
            if let Some(instance) = client.instance(id) {
                instance.ended(exit(ending), Some(bytes));
            }
        }
        Report::ExecDone { id, ending, output, omitted } => {
            if let Some(waiter) = lock(&incoming.waiters).execs.remove(&id) {
                let _ = waiter.send(Ok(ExecOutput { exit: ending.map(exit), output: output.into(), omitted }));
            }
        }
        Report::Grew { id, total } => {
            if let Some(instance) = client.instance(id) {
                instance.grew(total);
            }
        }
        Report::Rotated { id, segment } => client.tell(Event::Rotated { id, segment }),
        // Told before this task begins.
        Report::Held { .. } | Report::HeldAll {} => {}
        Report::Token { id, token, stop_signal } => {
            if let Some(instance) = client.instance(id) {
                instance.known_by(token, stop_signal);
            }
        }
        Report::Adopted { id, pid } => adopted(client, incoming, id, pid),
        Report::Gone { id } => gone(client, incoming, id),
        Report::Asked { signal } => client.ask(signal),
    }
}

/// An earlier keeper's instance runs.
fn adopted(client: &Arc<Shared>, incoming: &Incoming, id: InstanceId, pid: u32) {
    if let Some(instance) = client.instance(id) {
        instance.started(pid);
        client.rearm(id, &instance);
    }
    client.settled(Some(id));
    let mut waiters = lock(&incoming.waiters);
    if let Some(waiter) = waiters.spawns.remove(&id) {
        let _ = waiter.send(Ok(pid));
    }
    if let Some(waiter) = waiters.adoptions.remove(&id) {
        let _ = waiter.send(Fate::Live(pid));
    }
}

/// Nothing of an earlier keeper's instance is left.
fn gone(client: &Arc<Shared>, incoming: &Incoming, id: InstanceId) {
    let mut waiters = lock(&incoming.waiters);
    let (start, adoption) = (waiters.spawns.remove(&id), waiters.adoptions.remove(&id));
    drop(waiters);
    // Of what was never started or is not known to us nobody takes the end.
    let never = start.is_some() || adoption.is_some();
    let instance = if never { client.take(id) } else { client.instance(id) };
    if let Some(instance) = instance {
        instance.ended(Exit::Unknown, None);
    }
    client.settled(Some(id));
    if let Some(waiter) = start {
        let _ = waiter.send(Err(SpawnError::new(Refusal::KeeperLost)));
    }
    if let Some(waiter) = adoption {
        let _ = waiter.send(Fate::Gone);
    }
}
