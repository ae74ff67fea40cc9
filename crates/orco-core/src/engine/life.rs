//! The hand that leads one instance from its start to its end. Reads top-down; every exit is a fact.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    sync::{oneshot, watch},
    time::{sleep, timeout},
};

use crate::{
    crash,
    log::{Reached, format::Stem},
    model::{Exit, Fact, InstanceId, Seat},
    runtime::{Handle, How, LogPosition, Runtime, RuntimeError, StartRequest},
    spec::Service,
};

use super::{
    hooks::{When, post_start, run_hook_unhurried},
    ledger::Mark,
    report::{Report, Running},
    start::{NoStart, start},
    world::World,
};

/// A stop, remove or reap that has not answered by then is tried again.
const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// Pauses between tries of calls that must succeed some day: doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What an instance is told. Orders only grow: a kill is not taken back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Order {
    Run,
    Stop(i32),
    Kill,
}

/// An order, and the mark behind which it is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ordered {
    pub(super) order: Order,
    pub(super) mark: Mark,
}

impl Ordered {
    /// Nothing special.
    pub(super) const RUN: Self = Self { order: Order::Run, mark: 0 };
}

/// An instance to be.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) at: Seat,
    pub(super) inst: InstanceId,
    pub(super) run: u32,
    pub(super) service: Arc<Service>,
    /// Behind it the intent to start is recorded.
    pub(super) mark: Mark,
    /// An earlier engine may have asked for it already.
    pub(super) asked: bool,
}

/// An instance of an earlier engine.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) plan: Plan,
    pub(super) running: Running,
    /// The earlier engine has recorded that it runs.
    pub(super) known: bool,
}

/// Leads the instance through its life. `orders` come from the driver; its closing means kill.
pub(super) async fn lead(world: Arc<World>, plan: Plan, mut orders: watch::Receiver<Ordered>) {
    let (at, inst) = (plan.at, plan.inst);
    let Some(runtime) = world.runtime(&plan.service.runtime) else {
        let why = format!("runtime `{}` is not registered", plan.service.runtime);
        return fail(&world, at, inst, why, true).await;
    };
    let mut asked = false;
    let running = match start(&world, &plan, &*runtime, &mut orders, &mut asked).await {
        Ok(running) => running,
        Err(NoStart::Refused(why)) => {
            world.release_ports(inst);
            fail(&world, at, inst, why, true).await;
            if asked && runtime.is_remote() {
                // An answer may have been lost on its way: an engine that seemed to refuse has made it all the same.
                until_done(|| runtime.reap(inst)).await;
            }
            return;
        }
        Err(NoStart::Unknown(why)) => {
            fail(&world, at, inst, why, false).await;
            // The brain answers with a kill, once.
            let _ = orders.wait_for(|o| o.order == Order::Kill).await;
            until_done(|| runtime.reap(inst)).await;
            let port_lost = world.release_ports(inst);
            end(&world, at, inst, Exit::Unknown, port_lost).await;
            return;
        }
    };
    // Before anybody hears of it: a log probe of its first moment wants to read.
    attach(&world, &plan, &*runtime, &running, plan.asked);
    crash::point("start.before-up");
    let live = Box::new(running.clone());
    world.reports.send(Report::Up { at, inst, live }).await;
    accompany(&world, &plan, &*runtime, running, orders, true).await;
}

/// Leads an instance on that an earlier engine has started. Its output is attached.
pub(super) async fn lead_on(world: Arc<World>, adopted: Adopted, mut orders: watch::Receiver<Ordered>) {
    let Adopted { plan, running, known } = adopted;
    let Some(runtime) = world.runtime(&plan.service.runtime) else {
        // It was there to find it; the driver says to kill when the engine ends.
        let _ = orders.wait_for(|o| o.order == Order::Kill).await;
        return;
    };
    let live = Box::new(running.clone());
    world.reports.send(Report::Up { at: plan.at, inst: plan.inst, live }).await;
    accompany(&world, &plan, &*runtime, running, orders, !known).await;
}

/// From now on its output can be read. `earlier`: another engine may have written some of it.
pub(super) fn attach(world: &Arc<World>, plan: &Plan, runtime: &dyn Runtime, running: &Running, earlier: bool) {
    let Running { handle, request, .. } = running;
    let stem = Stem { replica: plan.at.slot.replica, run: plan.run };
    let from = earlier.then(|| Reached::read(&request.log.dir, stem));
    let position =
        from.as_ref().filter(|mark| !mark.position.is_empty()).map(|mark| LogPosition(mark.position.clone()));
    let output = runtime.logs(handle, position.as_ref());
    world.logs.attach(request, output, from, world.ledger.records());
}

/// From the moment it runs until its end is recorded and it is forgotten. `fresh`: its postStart hook is due.
async fn accompany(
    world: &Arc<World>,
    plan: &Plan,
    runtime: &dyn Runtime,
    running: Running,
    mut orders: watch::Receiver<Ordered>,
    fresh: bool,
) {
    let (at, inst) = (plan.at, plan.inst);
    let Running { handle, request, .. } = running;
    let exit = {
        let duties = async {
            tokio::join!(
                post_start(world, at, runtime, &request, fresh),
                obey(world, at, runtime, &handle, &request, &mut orders)
            );
            std::future::pending::<()>().await;
        };
        // Cancel-safe: `wait` is by contract; duties end with the instance.
        tokio::select! {
            exit = wait(runtime, &handle) => exit,
            () = duties => Exit::Unknown,
        }
    };
    crash::point("exit.seen");
    world.logs.ended(inst).await;
    crash::point("exit.before-post-stop");
    if let Some(hook) = &plan.service.hooks.post_stop {
        run_hook_unhurried(world, at, runtime, &request, hook, "postStop", When::Beside).await;
    }
    let port_lost = world.release_ports(inst);
    crash::point("exit.before-tell");
    if !end(world, at, inst, exit, port_lost).await {
        return;
    }
    crash::point("exit.before-remove");
    until_done(|| runtime.remove(&handle)).await;
    crash::point("exit.after-remove");
}

async fn fail(world: &World, at: Seat, inst: InstanceId, why: String, certain: bool) {
    world.reports.send(Report::Fact(Fact::StartFailed { at, inst, why: why.into(), certain })).await;
}

/// Tells the end and waits until it is recorded: only then nobody needs the instance any more. False: the engine
/// leaves it to the next one.
async fn end(world: &World, at: Seat, inst: InstanceId, exit: Exit, port_lost: bool) -> bool {
    let (recorded, answer) = oneshot::channel();
    world.reports.send(Report::Over { at, inst, exit, port_lost, recorded }).await;
    let Ok(mark) = answer.await else { return false };
    // Both are cancel-safe. An engine that ends everything leaves nothing behind, even on a full disk.
    tokio::select! {
        () = world.ledger.written(mark) => {}
        () = world.ending.cancelled() => {}
    }
    crash::point("exit.recorded");
    true
}

/// Waits for the end, whatever it takes: a runtime that cannot tell is asked again.
async fn wait(runtime: &dyn Runtime, handle: &Handle) -> Exit {
    let mut pause = RETRY.0;
    loop {
        match AssertUnwindSafe(runtime.wait(handle)).catch_unwind().await {
            Ok(Ok(exit)) => return exit,
            Ok(Err(e)) => {
                tracing::warn!(instance = %handle.instance, error = %e.chain(), "waiting failed, trying again")
            }
            Err(_) => tracing::warn!(instance = %handle.instance, "runtime panicked while waiting, trying again"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

/// Carries out the orders for a running instance.
async fn obey(
    world: &World,
    at: Seat,
    runtime: &dyn Runtime,
    handle: &Handle,
    request: &Arc<StartRequest>,
    orders: &mut watch::Receiver<Ordered>,
) {
    let mut done = Order::Run;
    loop {
        // The sender goes only with the driver: after a hand-over nobody may touch the instance.
        let Ok(Ordered { order, mark }) = orders.wait_for(|o| o.order > done).await.map(|o| *o) else { return };
        world.ledger.tried(mark).await;
        match order {
            Order::Run => {}
            Order::Stop(signal) => {
                let graceful = async {
                    if let Some(hook) = &request.service.hooks.pre_stop {
                        run_hook_unhurried(world, at, runtime, request, hook, "preStop", When::Inside).await;
                    }
                    crash::point("stop.before-signal");
                    insist(world, handle.instance, || runtime.stop(handle, How::Graceful(signal))).await;
                    crash::point("stop.after-signal");
                };
                // Cancel-safe: a kill overtakes a stop that is still under way.
                tokio::select! {
                    () = graceful => {}
                    _ = orders.wait_for(|o| o.order == Order::Kill) => {}
                }
            }
            Order::Kill => {
                crash::point("kill.before");
                insist(world, handle.instance, || runtime.stop(handle, How::Kill)).await;
                crash::point("kill.after");
                return;
            }
        }
        done = order;
    }
}

/// Repeats a call that ends the instance, and tells what stands in its way.
async fn insist<F: Future<Output = Result<(), RuntimeError>>>(
    world: &World,
    inst: InstanceId,
    mut call: impl FnMut() -> F,
) {
    let mut said: Option<Arc<str>> = None;
    let mut pause = RETRY.0;
    loop {
        let why = tried(&mut call).await.err();
        if said != why {
            said.clone_from(&why);
            world.reports.send(Report::Held { inst, why }).await;
        }
        if said.is_none() {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

/// Repeats an idempotent call until it succeeds. Bounded by the life of the engine, which drops it.
pub(super) async fn until_done<F: Future<Output = Result<(), RuntimeError>>>(mut call: impl FnMut() -> F) {
    let mut pause = RETRY.0;
    while tried(&mut call).await.is_err() {
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

/// One try, and why it failed.
async fn tried<F: Future<Output = Result<(), RuntimeError>>>(call: &mut impl FnMut() -> F) -> Result<(), Arc<str>> {
    let why: Arc<str> = match timeout(CALL_DEADLINE, AssertUnwindSafe(call()).catch_unwind()).await {
        Ok(Ok(Ok(()))) => return Ok(()),
        Ok(Ok(Err(e))) => e.chain().into(),
        Ok(Err(_)) => "the runtime panicked".into(),
        Err(_) => "the runtime does not answer".into(),
    };
    tracing::warn!(%why, "a runtime call failed, trying again");
    Err(why)
}
