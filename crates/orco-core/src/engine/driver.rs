//! The loop: sources become inputs, the brain decides, hands are sent out. It chooses nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};
use tokio_util::task::TaskTracker;

use crate::{
    brain::{Action, Brain, Command, Input, Refused},
    model::{EventData, EventKind, Fact, Happening, InstanceId, Moment, Role, ServiceName, Verdict},
    runtime::Notice,
};

use super::{
    clock::{Clock, wall_micros},
    events::EventLog,
    life::{Order, Plan, lead},
    live::{Found, Live, slot, status},
    prober::Prober,
    report::Report,
    status::{Status, Watch},
    world::World,
};

/// Requests from handles that wait for the driver; when full, callers wait.
pub(super) const REQUESTS: usize = 64;
/// Reports folded in before the brain decides: one decision for a burst.
const BATCH: usize = 256;

/// What a handle asks of the driver.
#[derive(Debug)]
pub(super) enum Request {
    /// Answered with the first status version that knows of it.
    Command(Command, oneshot::Sender<Result<u64, Refused>>),
    Status(oneshot::Sender<Arc<Status>>),
    Watch(oneshot::Sender<Watch>),
    /// The running instances of one service (`None`: there is no such service), or of all.
    Running(Option<ServiceName>, oneshot::Sender<Option<Vec<Found>>>),
    /// End, when nothing is left.
    End(oneshot::Sender<()>),
}

/// The one owner of the brain.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) brain: Brain,
    pub(super) clock: Clock,
    pub(super) world: Arc<World>,
    pub(super) events: Arc<EventLog>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) reports: mpsc::Receiver<Report>,
    pub(super) tasks: TaskTracker,
    pub(super) published: watch::Sender<Arc<Status>>,
    pub(super) mode: Mode,
    live: BTreeMap<InstanceId, Live>,
    /// Something changed since the last publication.
    stale: bool,
    last_published: Moment,
    going_down: bool,
}

/// How far the engine is with ending.
#[derive(Debug)]
pub(super) enum Mode {
    Serving,
    /// All handles are gone or the end was asked for: killed, waiting until nothing lives.
    Ending(Vec<oneshot::Sender<()>>),
}

/// The two parts that only the builder has before the driver runs.
pub(super) struct Inbox {
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) reports: mpsc::Receiver<Report>,
}

impl Driver {
    pub(super) fn new(brain: Brain, clock: Clock, world: Arc<World>, events: Arc<EventLog>, inbox: Inbox) -> Self {
        let first = status(&brain, &BTreeMap::new(), clock.now(), 0, false);
        Self {
            brain,
            clock,
            world,
            events,
            requests: inbox.requests,
            reports: inbox.reports,
            tasks: TaskTracker::new(),
            published: watch::Sender::new(Arc::new(first)),
            mode: Mode::Serving,
            live: BTreeMap::new(),
            stale: true,
            last_published: Moment::ZERO,
            going_down: false,
        }
    }

    /// Runs until it was told to end and nothing lives, then releases the runtimes.
    pub(super) async fn run(mut self) {
        let mut reports = Vec::with_capacity(BATCH);
        loop {
            let timer = self.next_timer();
            // All arms are cancel-safe: `recv_many` and `recv` lose nothing, a dropped sleep is set anew.
            tokio::select! {
                _ = self.reports.recv_many(&mut reports, BATCH) => {}
                request = self.requests.recv(), if matches!(self.mode, Mode::Serving) => self.request(request),
                () = sleep_until(timer.unwrap_or_else(|| self.clock.instant(Moment::MAX))), if timer.is_some() => {}
            }
            let now = self.clock.now();
            for report in reports.drain(..) {
                self.report(report, now);
            }
            self.turn(now);
            self.publish(now);
            if matches!(self.mode, Mode::Ending(_)) && self.live.is_empty() {
                break;
            }
        }
        self.finish().await;
    }

    fn next_timer(&self) -> Option<Instant> {
        let publish = (self.stale && self.watched()).then(|| self.last_published + self.gap());
        let next = match (self.brain.next_wake(), publish) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        next.map(|moment| self.clock.instant(moment))
    }

    fn request(&mut self, request: Option<Request>) {
        let now = self.clock.now();
        match request {
            Some(Request::Command(command, reply)) => {
                let taken = self.command(command, now);
                self.turn(now);
                let _ = reply.send(taken.map(|()| self.next_version()));
            }
            Some(Request::Status(reply)) => {
                self.turn(now);
                let _ = reply.send(self.publish_now(now));
            }
            Some(Request::Watch(reply)) => {
                let rx = self.published.subscribe();
                self.publish_now(now);
                let _ = reply.send(Watch { rx });
            }
            Some(Request::Running(service, reply)) => {
                let _ = reply.send(self.running(service.as_ref()));
            }
            Some(Request::End(reply)) => self.end(Some(reply), now),
            None => self.end(None, now),
        }
    }

    fn command(&mut self, command: Command, now: Moment) -> Result<(), Refused> {
        let kill = matches!(command, Command::Kill);
        let down = kill || matches!(command, Command::Down);
        let up = matches!(command, Command::Start { .. });
        let stack = if let Command::Apply(stack) = &command { Some(Arc::clone(stack)) } else { None };
        let scaled =
            if let Command::Scale { service, replicas } = &command { Some((service.clone(), *replicas)) } else { None };
        self.brain.apply(Input::Command(command), now)?;
        self.stale = true;
        self.going_down = down || (self.going_down && !up);
        if kill {
            self.world.hurry.cancel();
        }
        let mut directory = self.world.directory();
        if let Some(stack) = stack {
            *directory = stack.services().iter().map(|s| (s.name.clone(), (Arc::clone(s), s.replicas))).collect();
        }
        if let Some((service, replicas)) = scaled
            && let Some(entry) = directory.get_mut(&service)
        {
            entry.1 = replicas;
        }
        Ok(())
    }

    fn end(&mut self, reply: Option<oneshot::Sender<()>>, now: Moment) {
        let _ = self.command(Command::Kill, now);
        self.mode = Mode::Ending(reply.into_iter().collect());
    }

    fn report(&mut self, report: Report, now: Moment) {
        match report {
            Report::Up { at, inst, live } => {
                if let Some(entry) = self.live.get_mut(&inst) {
                    entry.running = Some(*live);
                }
                self.fact(Fact::Started { at, inst }, now);
            }
            Report::Fact(fact) => {
                if let Fact::Exited { inst, .. } | Fact::StartFailed { inst, certain: true, .. } = &fact
                    && let Some(mut gone) = self.live.remove(inst)
                {
                    gone.unprobe(Role::Readiness);
                    gone.unprobe(Role::Liveness);
                }
                self.fact(fact, now);
            }
            Report::HookFailed { at, hook, why } => self.tell(vec![Happening {
                kind: EventKind::HookFailed,
                service: Some(at.service),
                replica: Some(at.slot.replica),
                message: format!("{hook} hook failed: {why}").into(),
                reason: Some(why),
                attempt: None,
                data: EventData::None,
            }]),
            Report::Notice { notice: Notice::SegmentFull, .. } => self.world.logs.rotated(),
            Report::Notice { runtime, notice: Notice::KeeperLost(why) } => self.tell(vec![Happening {
                kind: EventKind::KeeperLost,
                service: None,
                replica: None,
                message: format!("the keeper of runtime `{runtime}` is gone: {why}").into(),
                reason: Some(why.into()),
                attempt: None,
                data: EventData::None,
            }]),
        }
    }

    fn fact(&mut self, fact: Fact, now: Moment) {
        // A verdict that flips nothing is no reason to publish, but its message may be new; the brain's turn
        // decides cheaply, and publication is bounded in rate and happens only while somebody watches.
        self.stale = true;
        // Facts are never refused.
        let _ = self.brain.apply(Input::Fact(fact), now);
    }

    fn turn(&mut self, now: Moment) {
        let turn = self.brain.turn(now);
        if turn.actions.is_empty() && turn.happenings.is_empty() {
            return;
        }
        self.stale = true;
        self.tell(turn.happenings);
        for action in turn.actions {
            self.carry_out(action);
        }
    }

    fn tell(&self, happenings: Vec<Happening>) {
        let named = happenings
            .into_iter()
            .map(|h| {
                let service = h.service.map(|ix| self.brain.name(ix).clone());
                (h, service)
            })
            .collect();
        self.events.publish(named, wall_micros());
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Start { at, inst, run, service } => {
                let (orders, rx) = watch::channel(Order::Run);
                self.live.insert(inst, Live { seat: at, orders, running: None, probers: [None, None] });
                self.tasks.spawn(lead(Arc::clone(&self.world), Plan { at, inst, run, service }, rx));
            }
            Action::Probe { at, inst, role, version, health } => {
                let Some(entry) = self.live.get_mut(&inst) else { return };
                entry.unprobe(role);
                let Some(running) = entry.running.clone() else { return };
                let world = Arc::clone(&self.world);
                let task = self.tasks.spawn(async move {
                    let probes = world.registry.build(&health, |spec| world.expand_probe(&running.request, spec));
                    let target = world.target(&running, health.tally.timeout);
                    let reports = world.reports.clone();
                    match (probes, target) {
                        (Ok(probes), Some(target)) => {
                            Box::pin(Prober { at, role, version, health, probes, target, reports }.run()).await;
                        }
                        (probes, _) => {
                            let why = probes.err().unwrap_or_else(|| "no such runtime".to_owned());
                            let verdict = Verdict::Fail(why.into());
                            reports.send(Report::Fact(Fact::Probed { at, inst, role, version, verdict })).await;
                        }
                    }
                });
                entry.probers[slot(role)] = Some(task.abort_handle());
            }
            Action::Unprobe { inst, role } => {
                if let Some(entry) = self.live.get_mut(&inst) {
                    entry.unprobe(role);
                }
            }
            Action::Stop { inst, signal, .. } => self.order(inst, Order::Stop(signal)),
            Action::Kill { inst, .. } => self.order(inst, Order::Kill),
        }
    }

    fn order(&self, inst: InstanceId, order: Order) {
        if let Some(entry) = self.live.get(&inst) {
            entry.order(order);
        }
    }

    fn running(&self, service: Option<&ServiceName>) -> Option<Vec<Found>> {
        let wanted = service.map(|name| self.brain.ix(name.as_str()).ok_or(())).transpose().ok()?;
        let chosen = self.live.values().filter(|l| wanted.is_none_or(|ix| l.seat.service == ix));
        let found = chosen.filter_map(|l| {
            let running = l.running.clone()?;
            Some((l.seat.slot.replica, self.world.runtime(&running.request.service.runtime)?, running))
        });
        Some(found.collect())
    }

    fn watched(&self) -> bool {
        self.published.receiver_count() > 0
    }

    /// Publications of a big stack are rarer: each costs time in proportion to its services.
    fn gap(&self) -> Duration {
        let services = u64::try_from(self.published.borrow().snapshot.services.len()).unwrap_or(u64::MAX);
        Duration::from_micros(services.saturating_mul(50).clamp(1_000, 50_000))
    }

    fn next_version(&self) -> u64 {
        self.published.borrow().version + 1
    }

    fn publish(&mut self, now: Moment) {
        if self.stale && self.watched() && now.since(self.last_published) >= self.gap() {
            self.publish_now(now);
        }
    }

    fn publish_now(&mut self, now: Moment) -> Arc<Status> {
        let new = Arc::new(status(&self.brain, &self.live, now, self.next_version(), self.going_down));
        self.published.send_replace(Arc::clone(&new));
        self.stale = false;
        self.last_published = now;
        new
    }

    /// Everything has ended; nothing is left to decide.
    async fn finish(mut self) {
        self.tasks.close();
        self.tasks.wait().await;
        for runtime in self.world.registry.runtimes.values() {
            runtime.shutdown().await;
        }
        let now = self.clock.now();
        self.publish_now(now);
        self.events.close();
        self.world.logs.close();
        if let Mode::Ending(replies) = self.mode {
            for reply in replies {
                let _ = reply.send(());
            }
        }
    }
}
