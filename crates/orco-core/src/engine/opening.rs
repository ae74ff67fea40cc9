//! How an engine begins: it takes over what an earlier one left, then does what it was started for.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, future::join_all};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    addresses::published_at,
    driver::Driver,
    life::{Adopted, Ordered, Plan, attach, lead, lead_on, until_done},
    live::Live,
    report::{Report, Running},
    saved,
};
use crate::{
    brain::{Command, Remembered},
    crash,
    model::{InstanceId, StackId},
    runtime::{Found, Handle, Known, LogTarget, Runtime, RuntimeError, StartRequest},
    spec::Stack,
};

/// A runtime that has not told what there is by then is asked again.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
/// So long a remote runtime is waited for before what is remembered is taken over.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pauses between tries: doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Why services are asked up when an engine starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Occasion {
    /// Unlike that of any other occasion: an engine that dies after it has begun and before its host has noted that
    /// does not begin twice.
    pub id: String,
    /// What is asked.
    pub command: Command,
    /// What the host wants to be kept with the state, by name.
    pub keep: BTreeMap<String, Vec<u8>>,
}

impl Occasion {
    /// An occasion with this id.
    pub fn new(id: impl Into<String>, command: Command) -> Self {
        Self { id: id.into(), command, keep: BTreeMap::new() }
    }
}

/// What the driver does before its loop.
#[derive(Debug)]
pub(super) struct Opening {
    /// There was an earlier engine.
    pub(super) restored: bool,
    /// What the runtimes called the instances that ran.
    pub(super) handles: BTreeMap<InstanceId, Handle>,
    /// The last occasion that has begun.
    pub(super) begun: Option<String>,
    pub(super) stack: Stack,
    pub(super) occasion: Option<Occasion>,
    /// True once everything is taken over and recorded.
    pub(super) done: watch::Sender<bool>,
}

impl Driver {
    /// Facts first, then wishes, then decisions: what an earlier engine left is found, folded in and led on; then what
    /// is new is asked for; and only then anything is decided. A stack that is taken over to be ended starts nothing.
    pub(super) async fn open(&mut self, opening: Opening) {
        let Opening { restored, handles, begun, stack, occasion, done } = opening;
        let anew = occasion.as_ref().is_some_and(|o| begun.as_ref() != Some(&o.id));
        let occasional = occasion.is_some();
        if restored {
            self.take_over(&handles, anew).await;
        }
        if !restored || anew {
            self.begin(&stack, occasion.filter(|_| anew));
        }
        if self.world.ledger.records() {
            self.world.record_ports();
            let now = self.clock.now();
            let mark = self.turn(now);
            let world = Arc::clone(&self.world);
            let sync = async move {
                // A full disk shows at every further command.
                let _ = world.ledger.synced(mark).await;
                crash::point("begin.after-sync");
            };
            // The host forgets an occasion that has begun. Who only goes on has promised nothing new: nobody waits.
            if occasional || !restored {
                sync.await;
            } else {
                self.tasks.spawn(sync);
            }
        }
        self.stand(self.clock.now());
        done.send_replace(true);
    }

    fn begin(&mut self, stack: &Stack, occasion: Option<Occasion>) {
        crash::point("begin.before-apply");
        let now = self.clock.now();
        // `Apply` names no service and is never refused.
        let _ = self.command(Command::Apply(Arc::new(stack.clone())), now);
        crash::point("begin.after-apply");
        if let Some(Occasion { id, command, keep }) = occasion {
            if let Err(refused) = self.command(command, now) {
                tracing::warn!(%refused, "what was asked at the start was refused");
            }
            self.notes.push(saved::put(saved::OCCASION, id.into_bytes()));
            self.notes
                .extend(keep.into_iter().map(|(name, value)| saved::put(format!("{}{name}", saved::KEPT), value)));
            crash::point("begin.after-start");
        }
    }

    /// Asks the runtimes what there is, and leads on whatever is remembered. `anew`: unless something lives, this is a
    /// new life.
    async fn take_over(&mut self, handles: &BTreeMap<InstanceId, Handle>, anew: bool) {
        crash::point("recover.before-list");
        let asked = self.census(handles).await;
        let unheard: BTreeSet<String> = asked.iter().filter(|c| !c.answered).map(|c| c.runtime.clone()).collect();
        let mut found: BTreeMap<InstanceId, (String, Found)> = BTreeMap::new();
        for Census { runtime, there, .. } in asked {
            found.extend(there.into_iter().map(|one| (one.handle.instance, (runtime.clone(), one))));
        }
        crash::point("recover.after-list");
        let mut ids: BTreeSet<InstanceId> = found.keys().copied().collect();
        let alive = !ids.is_empty();
        ids.extend(self.under_way());
        let now = self.clock.now();
        crash::point("recover.before-fold");
        let strangers = self.brain.recovered(&ids, now);
        if anew && !alive {
            self.brain.new_life(now);
        }
        crash::point("recover.after-fold");
        let mut live = BTreeSet::new();
        for one in self.brain.remembered() {
            let there = found.remove(&one.inst);
            if self.is_under_way(&one) {
                live.insert(one.inst);
                self.start_again(one);
            } else if let Some((runtime, there)) = there {
                live.insert(one.inst);
                self.adopt(one, there, !unheard.contains(&runtime)).await;
            }
        }
        self.world.ports().keep_users(&live);
        self.notes.extend(handles.keys().filter(|id| !live.contains(id)).map(|id| saved::no_instance(*id)));
        crash::point("recover.after-adopt");
        for (name, one) in found.into_values().filter(|(_, one)| strangers.contains(&one.handle.instance)) {
            self.clear_away(&name, one.handle.instance);
        }
        for name in unheard {
            self.listen_for(name);
        }
    }

    /// A start that an earlier engine has asked a remote runtime for and of which it had no answer. The runtime may
    /// still be at it, and then no list shows anything: as another instance it would be there twice.
    fn is_under_way(&self, one: &Remembered) -> bool {
        !one.started && self.world.is_remote(&one.service)
    }

    fn under_way(&self) -> impl Iterator<Item = InstanceId> {
        self.brain.remembered().into_iter().filter(|one| self.is_under_way(one)).map(|one| one.inst)
    }

    /// Asks all runtimes at once what there is.
    async fn census(&self, handles: &BTreeMap<InstanceId, Handle>) -> Vec<Census> {
        let remembered = self.brain.remembered();
        let wanted = self.world.wanted().clone();
        let asked = self.world.registry.runtimes.iter().map(|(name, runtime)| {
            let of_it = remembered.iter().filter(|r| r.service.runtime == *name);
            let known: Vec<Known> = of_it.map(|r| self.known(r, handles)).collect();
            let used = !known.is_empty() || wanted.services().iter().any(|s| s.runtime == *name);
            census(name, &**runtime, &self.world.stack, known, used)
        });
        join_all(asked).await
    }

    fn known(&self, one: &Remembered, handles: &BTreeMap<InstanceId, Handle>) -> Known {
        let handle = handles.get(&one.inst).cloned().unwrap_or_else(|| Handle::new(one.inst, ""));
        let dir = self.world.logs.store.dir(&one.service.name);
        let log = LogTarget::new(dir, format!("{}.{}", one.at.slot.replica, one.run));
        Known::new(handle, Arc::clone(&one.service), log)
    }

    /// An instance lives, or has ended and nobody knows yet: a hand leads it on. `heard`: its runtime answers.
    async fn adopt(&mut self, one: Remembered, found: Found, heard: bool) {
        crash::point("recover.before-adopt");
        let Remembered { at, inst, run, service, started, ready, .. } = one;
        let plan = Plan { at, inst, run, service: Arc::clone(&service), mark: 0, asked: true };
        let running = self.reconstruct(&plan, found.handle, heard).await;
        // Probes of the first turn want to read.
        if let Some(runtime) = self.world.runtime(&service.runtime) {
            attach(&self.world, &plan, &*runtime, &running, true);
        }
        let (orders, rx) = watch::channel(Ordered::RUN);
        let remote = self.world.is_remote(&service);
        // Known from the beginning: probes and orders of the first turn need it.
        self.live.insert(
            inst,
            Live { running: Some(running.clone()), resumed: [ready; 2], ..Live::starting(at, remote, orders) },
        );
        self.hand(remote, lead_on(Arc::clone(&self.world), Adopted { plan, running, known: started }, rx));
    }

    /// An earlier engine has asked for it, and how far its runtime has come with that nobody can say: it may be made and
    /// not run. To ask for the same again makes sure.
    fn start_again(&mut self, one: Remembered) {
        let Remembered { at, inst, run, service, .. } = one;
        let (orders, rx) = watch::channel(Ordered::RUN);
        let remote = self.world.is_remote(&service);
        self.live.insert(inst, Live::starting(at, remote, orders));
        let plan = Plan { at, inst, run, service, mark: 0, asked: true };
        self.hand(remote, lead(Arc::clone(&self.world), plan, rx));
    }

    /// What the earlier engine knew of it, as far as it can be told again.
    async fn reconstruct(&self, plan: &Plan, handle: Handle, heard: bool) -> Running {
        let (request, own_port) = self.world.prepare(plan).unwrap_or_else(|why| {
            tracing::warn!(service = %plan.service.name, %why, "an instance that was taken over lacks its variables");
            let dir = self.world.logs.store.dir(&plan.service.name);
            let log = LogTarget::new(dir, format!("{}.{}", plan.at.slot.replica, plan.run));
            (StartRequest::new(self.world.stack, plan.inst, Arc::clone(&plan.service), log), None)
        });
        let request = Arc::new(request);
        let endpoints = match self.world.runtime(&plan.service.runtime) {
            Some(runtime) if heard => self.world.endpoints(&*runtime, &handle, &request, own_port).await,
            Some(_) | None => published_at(&request),
        };
        Running { handle, request, endpoints, own_port }
    }

    /// Nobody remembers it: whatever it is, it carries our stack's name and is no part of it.
    fn clear_away(&self, runtime: &str, id: InstanceId) {
        let Some(runtime) = self.world.runtime(runtime) else { return };
        tracing::warn!(instance = %id, "an instance that nobody remembers is ended");
        self.hand(runtime.is_remote(), async move { until_done(|| runtime.reap(id)).await });
    }

    /// The runtime could not tell what there is: as soon as it can, the driver hears of it.
    fn listen_for(&self, name: String) {
        let Some(runtime) = self.world.runtime(&name) else { return };
        let world = Arc::clone(&self.world);
        self.tasks.spawn(async move {
            // Cancel-safe: to ask changes nothing.
            tokio::select! {
                there = answer(&*runtime, &world.stack, &[]) => {
                    world.reports.send(Report::Heard { runtime: name, there }).await;
                }
                () = world.ending.cancelled() => {}
            }
        });
    }

    /// A runtime that could not tell what there is has told it now.
    pub(super) fn heard(&self, runtime: &str, there: &[Found]) {
        for one in there.iter().filter(|one| !self.live.contains_key(&one.handle.instance)) {
            self.clear_away(runtime, one.handle.instance);
        }
    }
}

/// What one runtime has.
struct Census {
    runtime: String,
    there: Vec<Found>,
    /// False: it cannot tell; what is remembered is taken for alive, for unknown is not dead.
    answered: bool,
}

/// `used`: by the stack or by something that is remembered. One that is not is asked once, for strays: most machines
/// lack one or the other container engine, and nobody waits for that.
async fn census(name: &str, runtime: &dyn Runtime, stack: &StackId, known: Vec<Known>, used: bool) -> Census {
    if !used && runtime.is_remote() {
        let there = timeout(PATIENCE, guarded(runtime.list(stack, &[]))).await.ok().and_then(Result::ok);
        return Census { runtime: name.to_owned(), there: there.unwrap_or_default(), answered: true };
    }
    let asked = answer(runtime, stack, &known);
    let there = match runtime.is_remote() {
        true => timeout(PATIENCE, asked).await.ok(),
        false => Some(asked.await),
    };
    let answered = there.is_some();
    if !answered {
        tracing::warn!(runtime = name, "goes on with what is remembered, for the runtime cannot tell what runs");
    }
    let remembered = || known.into_iter().map(|k| Found::new(k.handle, k.service.name.clone())).collect();
    Census { runtime: name.to_owned(), there: there.unwrap_or_else(remembered), answered }
}

/// Asks until it answers.
async fn answer(runtime: &dyn Runtime, stack: &StackId, known: &[Known]) -> Vec<Found> {
    let mut pause = RETRY.0;
    loop {
        match guarded(runtime.list(stack, known)).await {
            Ok(found) => return found,
            Err(why) => tracing::warn!(runtime = runtime.name(), %why, "a runtime cannot tell what runs, asking again"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

async fn guarded<T>(call: impl Future<Output = Result<T, RuntimeError>>) -> Result<T, String> {
    match timeout(LIST_DEADLINE, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(answer)) => answer.map_err(|e| e.chain()),
        Ok(Err(_)) => Err("it panicked".to_owned()),
        Err(_) => Err("it did not answer".to_owned()),
    }
}
