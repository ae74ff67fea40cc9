//! One listener for all who wait: the engine's events, and every ten seconds a list. Neither is the truth about a
//! container; both only say whom to look at. It runs while somebody waits, or while something is in doubt.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::StreamExt as _;
use orco_core::model::InstanceId;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    docker::Inner,
    engine::{
        EngineError,
        looks::{self, Status},
        streams::{self, Event, Happened},
    },
    labels, leftovers, removal,
};

/// How often all are looked at.
const LIST_EVERY: Duration = Duration::from_secs(10);
/// Pauses before listening again.
pub(crate) const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// Events of the last seconds before the first list are asked for too: clocks and connections take their time.
const BACK: i64 = 5;
/// So many lists in a row have to be without an instance in doubt until it is none: one minute.
const DOUBTS: u32 = 6;
/// A start without an answer is tried again within this time as long as it is wanted: what it has made may run, and
/// nobody takes it from whoever is about to find it.
const TRIED_AGAIN: Duration = Duration::from_secs(15);

/// Who waits for what.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Held while something in doubt is removed: who is wanted again waits for that, and is not removed after it.
    sweep: tokio::sync::Mutex<()>,
    table: Mutex<Table>,
    /// It is to be listened to other events.
    renewed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    seats: HashMap<String, Seat>,
    doubts: BTreeMap<InstanceId, Doubt>,
    listens: bool,
}

/// Nobody knows whether it will come to be.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// Whatever comes of it goes, from then on.
    from: Instant,
    /// So many lists without it are missing until it is none any more.
    left: u32,
}

/// A container that somebody waits for.
#[derive(Debug)]
struct Seat {
    waiters: usize,
    stirred: watch::Sender<u64>,
    told: Told,
}

/// What events have told of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Told {
    pub(crate) code: Option<i64>,
    pub(crate) oom: bool,
}

/// Somebody who waits. Dropped, he does not any more.
#[derive(Debug)]
pub(crate) struct Waiter {
    inner: Arc<Inner>,
    id: String,
    stirred: watch::Receiver<u64>,
}

impl Waiter {
    /// Returns when there is reason to look at the container. Cancel-safe.
    pub(crate) async fn stirred(&mut self) {
        // The sender lives as long as this waiter.
        let _ = self.stirred.changed().await;
    }

    /// What events have told of it.
    pub(crate) fn told(&self) -> Told {
        self.inner.watch.table().seats.get(&self.id).map(|seat| seat.told).unwrap_or_default()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut table = self.inner.watch.table();
        if let Some(seat) = table.seats.get_mut(&self.id) {
            seat.waiters -= 1;
            if seat.waiters == 0 {
                table.seats.remove(&self.id);
            }
        }
    }
}

impl Watch {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to other events too: there is another stack.
    pub(crate) fn renew(&self) {
        if self.table().listens {
            self.renewed.notify_one();
        }
    }

    /// Nobody wants this instance, and nobody knows whether it will come to be: whatever comes of it is removed.
    pub(crate) fn doubt(inner: &Arc<Inner>, instance: InstanceId) {
        Self::doubt_from(inner, instance, Instant::now());
    }

    /// The same, unless its start is tried again soon.
    pub(crate) fn doubt_unless_tried_again(inner: &Arc<Inner>, instance: InstanceId) {
        Self::doubt_from(inner, instance, Instant::now() + TRIED_AGAIN);
    }

    fn doubt_from(inner: &Arc<Inner>, instance: InstanceId, from: Instant) {
        inner.watch.table().doubts.insert(instance, Doubt { from, left: DOUBTS });
        Self::ensure(inner);
    }

    /// Whether it is in doubt: its next start, or the next list, sees to it.
    pub(crate) fn doubts(&self, instance: InstanceId) -> bool {
        self.table().doubts.contains_key(&instance)
    }

    /// It is wanted again.
    pub(crate) async fn trust(&self, instance: InstanceId) {
        let _sweep = self.sweep.lock().await;
        self.table().doubts.remove(&instance);
    }

    /// Waits for a container from now on.
    pub(crate) fn join(inner: &Arc<Inner>, id: &str) -> Waiter {
        let stirred = {
            let mut table = inner.watch.table();
            let new = || Seat { waiters: 0, stirred: watch::Sender::new(0), told: Told::default() };
            let seat = table.seats.entry(id.to_owned()).or_insert_with(new);
            seat.waiters += 1;
            seat.stirred.subscribe()
        };
        Self::ensure(inner);
        Waiter { inner: Arc::clone(inner), id: id.to_owned(), stirred }
    }

    fn ensure(inner: &Arc<Inner>) {
        let mut table = inner.watch.table();
        if !table.listens {
            table.listens = true;
            inner.tasks.spawn(listen(Arc::clone(inner)));
        }
    }

    /// Somebody should look at the container.
    fn stir(&self, id: &str, event: Option<Happened>) {
        let mut table = self.table();
        let Some(seat) = table.seats.get_mut(id) else { return };
        match event {
            Some(Happened::Died(code)) => seat.told.code = code,
            Some(Happened::Oom) => {
                seat.told.oom = true;
                // Its end, if that is one, is told by another event.
                return;
            }
            Some(Happened::Removed) | None => {}
        }
        seat.stirred.send_modify(|count| *count += 1);
    }

    /// Ends listening if nobody waits.
    fn rest(&self) -> bool {
        let mut table = self.table();
        let idle = table.seats.is_empty() && table.doubts.is_empty();
        table.listens = !idle;
        idle
    }
}

/// Why it is not listened any more.
enum Silence {
    /// Nobody waits.
    Rest,
    /// There is something else to listen to.
    Renewed,
    /// It broke.
    Broken(EngineError),
}

async fn listen(inner: Arc<Inner>) {
    let mut pause = PAUSES.0;
    let mut since = now() - BACK;
    loop {
        let before = since;
        // Cancel-safe: what was stirred stays stirred, the rest is asked for again.
        let silence = tokio::select! {
            () = inner.closing.cancelled() => return,
            silence = round(&inner, &mut since) => silence,
        };
        match silence {
            Silence::Rest => return,
            Silence::Renewed => continue,
            Silence::Broken(error) => tracing::debug!(%error, "listening to the engine broke off"),
        }
        if since > before {
            pause = PAUSES.0;
        }
        tokio::select! {
            () = inner.closing.cancelled() => return,
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Listens until that breaks off. What happened before the first list is in it, what happens after `since` in events.
async fn round(inner: &Arc<Inner>, since: &mut i64) -> Silence {
    let filter = filter(inner);
    let mut events = match streams::events(&inner.client, filter.clone(), Some(*since)).await {
        Ok(events) => std::pin::pin!(events),
        Err(error) => {
            return if inner.watch.rest() { Silence::Rest } else { Silence::Broken(error) };
        }
    };
    let mut ticks = interval(LIST_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // All are cancel-safe: a stream loses nothing by not being polled on.
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(Event { container, what, time })) => {
                    *since = time.max(*since);
                    inner.watch.stir(&container, Some(what));
                }
                Some(Err(error)) => return Silence::Broken(error),
                None => {
                    let what = "listen to events".into();
                    return Silence::Broken(EngineError::Broken { what, why: "the stream has ended".to_owned() });
                }
            },
            _ = ticks.tick() => {
                if inner.watch.rest() {
                    return Silence::Rest;
                }
                if let Err(error) = look_at_all(inner, &filter).await {
                    tracing::debug!(%error, "cannot list containers");
                }
            }
            () = inner.watch.renewed.notified() => return Silence::Renewed,
        }
    }
}

/// One stack's objects where there is only one, else those of all stacks.
fn filter(inner: &Inner) -> String {
    let stacks = inner.register.stacks();
    match stacks.first() {
        Some(stack) if stacks.len() == 1 => labels::filter(labels::STACK, stack),
        _ => labels::STACK.to_owned(),
    }
}

/// Whom the list does not have, or has as ended, is looked at. An engine that does not answer says nothing.
async fn look_at_all(inner: &Inner, filter: &str) -> Result<(), EngineError> {
    let waited: Vec<String> = inner.watch.table().seats.keys().cloned().collect();
    let found = looks::list(&inner.client, &[filter.to_owned()]).await?;
    let alive = |id: &str| found.iter().any(|one| one.id == id && one.status == Status::Alive);
    for id in waited.iter().filter(|id| !alive(id)) {
        inner.watch.stir(id, None);
    }
    leftovers::clear_late(inner, &found).await;
    let now = Instant::now();
    let doubts: Vec<InstanceId> = {
        let table = inner.watch.table();
        table.doubts.iter().filter(|(_, doubt)| doubt.from <= now).map(|(instance, _)| *instance).collect()
    };
    for instance in doubts {
        let _sweep = inner.watch.sweep.lock().await;
        // Wanted again meanwhile.
        if !inner.watch.table().doubts.contains_key(&instance) {
            continue;
        }
        if removal::remove_all(&inner.client, instance).await? > 0 {
            tracing::info!(%instance, "removed what came of a start that nobody wanted any more");
            continue;
        }
        let mut table = inner.watch.table();
        if let Some(doubt) = table.doubts.get_mut(&instance) {
            doubt.left = doubt.left.saturating_sub(1);
            if doubt.left == 0 {
                table.doubts.remove(&instance);
            }
        }
    }
    Ok(())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
