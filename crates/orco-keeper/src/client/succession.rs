//! A detached keeper has died under its engine: another takes over what it held, and nothing ends.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use orco_core::model::{Exit, InstanceId};

use super::{
    error::{Refusal, SpawnError},
    instance::Instance,
    link::{Incoming, Link, Waiters, lock},
    shared::Shared,
    sweep,
};
use crate::sys;

/// A keeper that lived for less than this is followed by the next one only after a pause.
const SHORT: Duration = Duration::from_millis(200);
/// The first pause. It doubles each time.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How fast keepers follow each other.
#[derive(Debug, Default)]
pub(super) struct Turnover {
    began: Option<Instant>,
    short_lives: u32,
}

impl Turnover {
    /// A keeper serves from now on.
    pub(super) fn begins(&mut self) {
        self.began = Some(Instant::now());
    }

    /// It is over, or did not come up: how long to wait for the next one.
    fn pause(&mut self) -> Duration {
        let lived = self.began.take().map_or(Duration::ZERO, |began| began.elapsed());
        self.short_lives = if lived < SHORT { self.short_lives.saturating_add(1) } else { 0 };
        match self.short_lives {
            // One death may come at any time.
            0 | 1 => Duration::ZERO,
            more => PAUSE.saturating_mul(1 << (more - 2).min(10)).min(LONGEST_PAUSE),
        }
    }
}

/// Waits for the end of the keeper, starts another one and gives it all that lives. Does not keep the client alive.
pub(super) async fn follow(incoming: Incoming, client: Weak<Shared>) {
    if client.upgrade().is_some_and(|client| client.departs()) {
        return depart(incoming, &client).await;
    }
    // Two keepers at once would write to the same files. One that has only hung up starts another engine and ends us.
    if incoming.guard.readable().await.is_err() {
        return;
    }
    let _ = incoming.guard.get_ref().0.reap();
    let mut orphaned = std::mem::take(&mut *lock(&incoming.waiters));
    end_commands(&mut orphaned).await;
    // What was to be signalled is asked again by those who wait.
    orphaned.requests.clear();
    let Some(strong) = client.upgrade() else { return };
    let lost = strong.unlink(incoming.number);
    drop(incoming);
    drop(strong);
    loop {
        let Some(strong) = client.upgrade() else { return };
        let pause = lock(&strong.turnover).pause();
        let number = strong.next_number();
        drop(strong);
        tokio::time::sleep(pause).await;
        let Some(strong) = client.upgrade() else { return };
        let Ok((link, next)) = Link::open(strong.config(), number, &strong.ledger).await else { continue };
        lock(&strong.turnover).begins();
        let keeper = link.keeper_pid;
        let ids = hand_over(&strong, &link, orphaned);
        strong.settle(ids, format!("keeper {} died; keeper {keeper} has taken over", lost.keeper_pid));
        strong.connect(link, next);
        return;
    }
}

/// The keeper has hung up because the stack has ended, and waits for us; or it has died over it.
async fn depart(incoming: Incoming, client: &Weak<Shared>) {
    let Some(client) = client.upgrade() else { return };
    let died = sys::has_ended(std::os::fd::AsFd::as_fd(incoming.guard.get_ref()));
    if died {
        let stamps = client.alive().into_iter().map(|(id, _)| id).collect();
        let _ = tokio::task::spawn_blocking(move || sweep::end_all(&stamps)).await;
    }
    client.unlink(incoming.number);
    for (_, instance) in client.alive() {
        instance.ended(Exit::Unknown, None);
    }
    let waiters = std::mem::take(&mut *lock(&incoming.waiters));
    let gone = || SpawnError::new(Refusal::KeeperLost);
    waiters.spawns.into_values().for_each(|waiter| _ = waiter.send(Err(gone())));
    waiters.execs.into_values().for_each(|waiter| _ = waiter.send(Err(gone())));
}

/// Commands die with their keeper; what they have started is ended before they are told to have failed.
async fn end_commands(orphaned: &mut Waiters) {
    let commands = std::mem::take(&mut orphaned.execs);
    if commands.is_empty() {
        return;
    }
    let stamps: BTreeSet<InstanceId> = commands.keys().copied().collect();
    // It can only fail when this runtime is shutting down.
    let _ = tokio::task::spawn_blocking(move || sweep::end_all(&stamps)).await;
    for waiter in commands.into_values() {
        let _ = waiter.send(Err(SpawnError::new(Refusal::KeeperLost)));
    }
}

/// The first orders to the new keeper: nobody else can order anything before. Returns for whom.
fn hand_over(client: &Arc<Shared>, link: &Link, orphaned: Waiters) -> BTreeSet<InstanceId> {
    let alive: HashMap<InstanceId, Arc<Instance>> = client.alive().into_iter().collect();
    {
        let mut waiters = lock(&link.waiters);
        waiters.spawns = orphaned.spawns;
        waiters.adoptions = orphaned.adoptions;
    }
    for (id, instance) in &alive {
        let id = *id;
        instance.belongs_to(link.number);
        // Too long it cannot be: its start was longer.
        let _ = link.send(&instance.adoption(id));
    }
    alive.into_keys().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_dies_again_and_again_is_given_time() {
        let mut turnover = Turnover::default();
        let pauses: Vec<u128> = (0..10).map(|_| turnover.pause().as_millis()).collect();
        assert_eq!(pauses, [0, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
        turnover.began = Instant::now().checked_sub(SHORT * 2);
        assert_eq!(turnover.pause(), Duration::ZERO);
        assert_eq!(turnover.pause(), Duration::ZERO);
        assert_eq!(turnover.pause(), PAUSE);
    }
}
