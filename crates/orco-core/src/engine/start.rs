//! From the decision to start an instance until it runs, or certainly does not.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    crash,
    model::InstanceId,
    runtime::{Handle, Runtime, RuntimeError, StartRequest},
};

use super::{
    hooks::{When, run_hook},
    ledger::Mark,
    life::{Order, Ordered, Plan},
    report::{Report, Running},
    world::World,
};

/// A start that has not answered by then has an unknown outcome.
const DEADLINE: Duration = Duration::from_secs(120);
/// Pauses between tries while the runtime cannot work: doubling up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// A call that takes longer is told.
const SOON: Duration = Duration::from_secs(5);
/// So many ports of our own choice may turn out to be a stranger's before the start counts as failed.
const PORTS: u32 = 10;

/// Why there is no running instance after a start.
pub(super) enum NoStart {
    /// Certainly nothing runs.
    Refused(String),
    /// Something may run.
    Unknown(String),
}

/// Why one call of a runtime brought nothing.
enum Failed {
    /// It is to be asked again.
    Unavailable(String),
    /// It is to be asked again, and may have done it.
    Unanswered(String),
    /// Somebody else has this port of the host.
    PortTaken(u16, String),
    For(NoStart),
}

/// Starts it, however long that takes, unless it is not wanted any more. `asked`: from then on the runtime may have made
/// something.
pub(super) async fn start(
    world: &World,
    plan: &Plan,
    runtime: &dyn Runtime,
    orders: &mut watch::Receiver<Ordered>,
    asked: &mut bool,
) -> Result<Running, NoStart> {
    let mut patience = Patience { world, inst: plan.inst, soon: None, said: None, pause: PAUSES.0, doubt: plan.asked };
    match bring_up(world, plan, runtime, orders, &mut patience, asked).await {
        // That nothing comes of a later try says nothing of an earlier one.
        Err(NoStart::Refused(why)) if patience.doubt => Err(NoStart::Unknown(why)),
        done => done,
    }
}

/// Expands, makes ready, runs the preStart hook, starts.
async fn bring_up<'a>(
    world: &World,
    plan: &Plan,
    runtime: &'a dyn Runtime,
    orders: &mut watch::Receiver<Ordered>,
    patience: &mut Patience<'a>,
    asked: &mut bool,
) -> Result<Running, NoStart> {
    crash::point("start.before-prepare");
    let (request, mut own_port) = world.prepare(plan).map_err(NoStart::Refused)?;
    let mut mark = plan.mark.max(world.record_ports());
    crash::point("start.after-prepare");
    let mut request = Arc::new(request);
    patience.through(orders, || ready(runtime, &request)).await?;
    *asked = true;
    pre_start(world, plan, runtime, &request, orders).await?;
    patience.soon = Some(runtime.name());
    for _ in 0..PORTS {
        intended(world, plan.inst, mark, orders).await?;
        crash::point("start.before-spawn");
        let port = match patience.through(orders, || spawn(runtime, &request)).await {
            Ok(Spawned::Handle(handle)) => {
                crash::point("start.after-spawn");
                let endpoints = world.endpoints(runtime, &handle, &request, own_port).await;
                return Ok(Running { handle: *handle, request, endpoints, own_port });
            }
            Ok(Spawned::PortTaken(port)) => port,
            Err(no_start) => return Err(no_start),
        };
        // One that the file names is worth waiting for; one of our own choice is not.
        world.ports().give_up(port);
        let (again, port) = world.prepare(plan).map_err(NoStart::Refused)?;
        (request, own_port) = (Arc::new(again), port);
        mark = mark.max(world.record_ports());
    }
    Err(NoStart::Refused(format!("{PORTS} free ports in a row were taken by others")))
}

/// What came of a call that answered.
enum Spawned {
    Handle(Box<Handle>),
    /// A port of our own choice.
    PortTaken(u16),
}

/// What is needed may be far away; there is no deadline, for the runtime knows better.
async fn ready(runtime: &dyn Runtime, request: &StartRequest) -> Result<(), Failed> {
    match AssertUnwindSafe(runtime.prepare(request)).catch_unwind().await {
        Ok(done) => done.map_err(|error| match Failed::from(error) {
            // Whatever it has done: no instance comes of that.
            Failed::Unanswered(why) => Failed::Unavailable(why),
            other => other,
        }),
        Err(_) => Err(Failed::For(NoStart::Refused(format!("runtime `{}` panicked", runtime.name())))),
    }
}

async fn spawn(runtime: &dyn Runtime, request: &StartRequest) -> Result<Spawned, Failed> {
    let unknown = |what: &str| Err(Failed::For(NoStart::Unknown(format!("runtime `{}` {what}", runtime.name()))));
    match timeout(DEADLINE, AssertUnwindSafe(runtime.start(request.clone())).catch_unwind()).await {
        Ok(Ok(Ok(handle))) => Ok(Spawned::Handle(Box::new(handle))),
        Ok(Ok(Err(error))) => match Failed::from(error) {
            Failed::PortTaken(port, why) if is_fixed(request, port) => Err(Failed::Unavailable(why)),
            Failed::PortTaken(port, _) => Ok(Spawned::PortTaken(port)),
            other => Err(other),
        },
        Ok(Err(_)) => unknown("panicked"),
        Err(_) => unknown("did not answer"),
    }
}

/// Whether the file itself names this port of the host.
fn is_fixed(request: &StartRequest, port: u16) -> bool {
    request.service.ports.iter().any(|p| p.host == Some(port))
}

/// The hook before the start, if there is one. Its failure is a failed start.
async fn pre_start(
    world: &World,
    plan: &Plan,
    runtime: &dyn Runtime,
    request: &Arc<StartRequest>,
    orders: &mut watch::Receiver<Ordered>,
) -> Result<(), NoStart> {
    let Some(hook) = &plan.service.hooks.pre_start else { return Ok(()) };
    // Cancel-safe: a dropped hook is killed, and nothing was started yet.
    tokio::select! {
        done = run_hook(world, runtime, request, hook, When::Beside) => {
            done.map_err(|why| NoStart::Refused(format!("preStart hook: {why}")))
        }
        _ = orders.wait_for(|o| o.order != Order::Run) => Err(stopped()),
    }
}

/// Waits until the intent to start is recorded, unless the instance is not wanted any more.
async fn intended(
    world: &World,
    inst: InstanceId,
    mark: Mark,
    orders: &mut watch::Receiver<Ordered>,
) -> Result<(), NoStart> {
    // Cancel-safe: nothing was started yet, and both only wait.
    tokio::select! {
        () = recorded(world, inst, mark) => {}
        _ = orders.wait_for(|o| o.order != Order::Run) => return Err(stopped()),
    }
    if orders.borrow().order == Order::Run { Ok(()) } else { Err(stopped()) }
}

/// Waits until it is recorded; where that takes a disk with room, it is told.
async fn recorded(world: &World, inst: InstanceId, mark: Mark) {
    world.ledger.tried(mark).await;
    if world.ledger.trouble_before(mark).is_some() {
        world.reports.send(Report::Unrecorded { inst, mark }).await;
        world.ledger.written(mark).await;
    }
}

fn stopped() -> NoStart {
    NoStart::Refused("stopped before its start".to_owned())
}

impl From<RuntimeError> for Failed {
    fn from(error: RuntimeError) -> Self {
        let why = error.chain();
        match error.taken_port() {
            Some(port) => Self::PortTaken(port, why),
            None if error.is_unavailable() && error.is_certain() => Self::Unavailable(why),
            None if error.is_unavailable() => Self::Unanswered(why),
            None if error.is_certain() => Self::For(NoStart::Refused(why)),
            None => Self::For(NoStart::Unknown(why)),
        }
    }
}

/// Asks a runtime again for as long as it cannot work, and tells why nothing happens. That is no fault of the
/// service's and costs it no retry.
struct Patience<'a> {
    world: &'a World,
    inst: InstanceId,
    /// Whoever is asked should answer soon; if not, that is told.
    soon: Option<&'a str>,
    said: Option<Arc<str>>,
    pause: Duration,
    /// An earlier try may have brought it into being.
    doubt: bool,
}

impl Patience<'_> {
    async fn through<T, F: Future<Output = Result<T, Failed>>>(
        &mut self,
        orders: &mut watch::Receiver<Ordered>,
        mut call: impl FnMut() -> F,
    ) -> Result<T, NoStart> {
        loop {
            let why = match self.told_if_slow(call()).await {
                Ok(done) => {
                    self.tell(None).await;
                    self.pause = PAUSES.0;
                    return Ok(done);
                }
                Err(Failed::For(no_start)) => return Err(no_start),
                Err(Failed::Unavailable(why) | Failed::PortTaken(_, why)) => why,
                Err(Failed::Unanswered(why)) => {
                    self.doubt = true;
                    why
                }
            };
            self.tell(Some(why.into())).await;
            // Cancel-safe: nothing is under way.
            tokio::select! {
                () = sleep(self.pause) => self.pause = (self.pause * 2).min(PAUSES.1),
                _ = orders.wait_for(|o| o.order != Order::Run) => return Err(stopped()),
            }
        }
    }

    /// A call that takes long is told while it lasts, unless there is something to tell from earlier tries.
    async fn told_if_slow<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        if let Some(name) = self.soon.filter(|_| self.said.is_none()) {
            // Cancel-safe: the call is only polled on.
            tokio::select! {
                done = &mut call => return done,
                () = sleep(SOON) => {}
            }
            self.tell(Some(format!("runtime `{name}` has not answered for {} s", SOON.as_secs()).into())).await;
        }
        call.await
    }

    async fn tell(&mut self, why: Option<Arc<str>>) {
        if self.said != why {
            self.said.clone_from(&why);
            self.world.reports.send(Report::Held { inst: self.inst, why }).await;
        }
    }
}
