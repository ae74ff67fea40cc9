//! The loop: sources become inputs, the brain decides, hands are sent out. It chooses nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};
use tokio_util::task::TaskTracker;

use crate::{
    brain::{Action, Brain, Input},
    crash,
    journal::Change,
    model::{EventData, EventKind, Fact, Happening, InstanceId, Moment, Role, ServiceName, Verdict},
    runtime::Notice,
};

use super::{
    clock::{Clock, wall_micros},
    events::{Event, EventLog},
    export::Exporting,
    ledger::Mark,
    life::{Order, Ordered, Plan, lead},
    live::{Found, Live, slot, status},
    opening::Opening,
    prober::Prober,
    report::Report,
    requests::Request,
    saved,
    status::{Standing, Status},
    world::World,
};

/// Requests from handles that wait for the driver; when full, callers wait.
pub(super) const REQUESTS: usize = 64;
/// Reports folded in before the brain decides: one decision for a burst.
const BATCH: usize = 256;

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
    pub(super) standing: watch::Sender<Standing>,
    pub(super) mode: Mode,
    pub(super) live: BTreeMap<InstanceId, Live>,
    /// What the engine itself wants to be remembered with the next turn.
    pub(super) notes: Vec<Change>,
    /// Ends that are reported and not recorded yet.
    recorded: Vec<oneshot::Sender<Mark>>,
    /// Something changed since the last publication.
    pub(super) stale: bool,
    last_published: Moment,
    last_mark: Mark,
    pub(super) going_down: bool,
    /// The export of the logs.
    pub(super) export: Option<Exporting>,
    /// Everything was to be killed: until then runtimes are waited for that cannot be reached.
    pub(super) patience: Option<Moment>,
}

/// How far the engine is with ending.
#[derive(Debug)]
pub(super) enum Mode {
    Serving,
    /// All handles are gone or the end was asked for: killed, waiting until nothing lives.
    Ending(Vec<oneshot::Sender<()>>),
    /// Another engine goes on.
    Leaving(oneshot::Sender<Result<(), Arc<str>>>),
}

/// The two parts that only the builder has before the driver runs.
pub(super) struct Inbox {
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) reports: mpsc::Receiver<Report>,
}

impl Driver {
    pub(super) fn new(brain: Brain, clock: Clock, world: Arc<World>, events: Arc<EventLog>, inbox: Inbox) -> Self {
        let first = status(&brain, &BTreeMap::new(), &world, clock.now(), 0, false);
        Self {
            brain,
            clock,
            world,
            events,
            requests: inbox.requests,
            reports: inbox.reports,
            tasks: TaskTracker::new(),
            published: watch::Sender::new(Arc::new(first)),
            standing: watch::Sender::new(Standing::Wanted),
            mode: Mode::Serving,
            live: BTreeMap::new(),
            notes: Vec::new(),
            recorded: Vec::new(),
            stale: true,
            last_published: Moment::ZERO,
            last_mark: 0,
            going_down: false,
            export: None,
            patience: None,
        }
    }

    /// Takes over what an earlier engine left, then runs until it was told to end and nothing lives, and releases the
    /// runtimes.
    pub(super) async fn run(mut self, opening: Opening) {
        self.open(opening).await;
        let mut reports = Vec::with_capacity(BATCH);
        loop {
            while crash::stalled() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            let timer = self.next_timer();
            // All arms are cancel-safe: `recv_many` and `recv` lose nothing, a dropped sleep is set anew.
            tokio::select! {
                _ = self.reports.recv_many(&mut reports, BATCH) => {}
                request = self.requests.recv(), if matches!(self.mode, Mode::Serving) => self.request(request),
                () = sleep_until(timer.unwrap_or_else(|| self.clock.instant(Moment::MAX))), if timer.is_some() => {}
            }
            let now = self.clock.now();
            for report in reports.drain(..) {
                let report = self.masked(report);
                self.report(report, now);
            }
            if self.patience.is_some_and(|until| until <= now) {
                self.give_up(now);
            }
            self.turn(now);
            self.stand(now);
            self.publish(now);
            match self.mode {
                Mode::Serving => {}
                Mode::Ending(_) if self.live.is_empty() => return self.finish().await,
                Mode::Ending(_) => {}
                Mode::Leaving(_) => return self.leave().await,
            }
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        let publish = (self.stale && self.watched()).then(|| self.last_published + self.gap());
        let next = [self.brain.next_wake(), publish, self.patience].into_iter().flatten().min();
        next.map(|moment| self.clock.instant(moment))
    }

    fn report(&mut self, report: Report, now: Moment) {
        match report {
            Report::Unrecorded { inst, mark } => {
                if let Some(entry) = self.live.get_mut(&inst) {
                    entry.unrecorded = Some(mark);
                    self.stale = true;
                }
            }
            Report::Heard { runtime, there } => self.heard(&runtime, &there),
            Report::Held { inst, why } => {
                let Some(entry) = self.live.get_mut(&inst) else { return };
                self.stale = true;
                if let Some(news) = entry.hold(why, &self.world) {
                    self.tell(vec![news]);
                }
            }
            Report::Up { at, inst, live } => {
                crash::point("up.before-record");
                if let Some(entry) = self.live.get_mut(&inst) {
                    if self.world.ledger.records() {
                        self.notes.push(saved::instance(&live));
                    }
                    entry.running = Some(*live);
                }
                self.fact(Fact::Started { at, inst }, now);
            }
            Report::Fact(fact) => {
                if matches!(fact, Fact::Probed { verdict: Verdict::Pass, .. }) {
                    crash::point("probe.passed");
                }
                if let Fact::StartFailed { inst, certain: true, .. } = &fact {
                    self.gone(*inst);
                }
                self.fact(fact, now);
            }
            Report::Over { at, inst, exit, port_lost, recorded } => {
                self.gone(inst);
                self.recorded.push(recorded);
                self.fact(Fact::Exited { at, inst, exit, port_lost }, now);
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
            Report::Notice { notice: Notice::Progress(progress), .. } => {
                self.world.waits.note(progress);
                self.stale = true;
            }
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

    /// An instance is over.
    pub(super) fn gone(&mut self, inst: InstanceId) {
        if let Some(mut gone) = self.live.remove(&inst) {
            gone.unprobe(Role::Readiness);
            gone.unprobe(Role::Liveness);
            if gone.running.is_some() && self.world.ledger.records() {
                self.notes.push(saved::no_instance(inst));
            }
        }
    }

    pub(super) fn fact(&mut self, fact: Fact, now: Moment) {
        // A verdict that flips nothing is no reason to publish, but its message may be new; the brain's turn
        // decides cheaply, and publication is bounded in rate and happens only while somebody watches.
        self.stale = true;
        // Facts are never refused.
        let _ = self.brain.apply(Input::Fact(fact), now);
    }

    /// Decides, hands over what is to be remembered, and then acts: hands wait for the mark before they touch anything.
    pub(super) fn turn(&mut self, now: Moment) -> Mark {
        let turn = self.brain.turn(now);
        let active = !turn.actions.is_empty() || !turn.happenings.is_empty();
        self.stale |= active;
        let events = if turn.happenings.is_empty() { Vec::new() } else { self.stamp(turn.happenings) };
        let mark = self.record(events);
        for recorded in self.recorded.drain(..) {
            // A hand that does not wait any more has ended with its engine.
            let _ = recorded.send(mark);
        }
        for action in turn.actions {
            crash::point("turn.between-actions");
            self.carry_out(action, mark);
        }
        if active {
            crash::point("turn.after-actions");
        }
        mark
    }

    /// Hands what changed to the ledger; without one, events are shown at once.
    fn record(&mut self, events: Vec<Arc<Event>>) -> Mark {
        if !self.world.ledger.records() {
            self.events.show(events);
            return 0;
        }
        let changed = self.brain.changes().into_iter();
        let mut changes: Vec<Change> = changed.map(|c| Change { key: c.key, value: c.value }).collect();
        changes.append(&mut self.notes);
        if changes.is_empty() && events.is_empty() {
            return self.last_mark;
        }
        crash::point("turn.before-record");
        self.last_mark = self.world.ledger.record(changes, events);
        crash::point("turn.after-record");
        self.last_mark
    }

    fn stamp(&self, happenings: Vec<Happening>) -> Vec<Arc<Event>> {
        let named = happenings
            .into_iter()
            .map(|h| {
                let service = h.service.map(|ix| self.brain.name(ix).clone());
                (h, service)
            })
            .collect();
        self.events.stamp(named, wall_micros())
    }

    pub(super) fn tell(&mut self, happenings: Vec<Happening>) {
        let events = self.stamp(happenings);
        self.record(events);
    }

    fn carry_out(&mut self, action: Action, mark: Mark) {
        match action {
            Action::Start { at, inst, run, service } => {
                let (orders, rx) = watch::channel(Ordered::RUN);
                let remote = self.world.is_remote(&service);
                self.live.insert(inst, Live::starting(at, remote, orders));
                let plan = Plan { at, inst, run, service, mark, asked: false };
                self.hand(remote, lead(Arc::clone(&self.world), plan, rx));
            }
            Action::Probe { at, inst, role, version, health } => {
                let Some(entry) = self.live.get_mut(&inst) else { return };
                entry.unprobe(role);
                crash::point("probe.before-begin");
                let Some(running) = entry.running.clone() else { return };
                let resumed = std::mem::take(&mut entry.resumed[slot(role)]);
                let clock = self.clock;
                let world = Arc::clone(&self.world);
                let task = self.tasks.spawn(async move {
                    let probes = world.registry.build(&health, |spec| world.expand_probe(&running.request, spec));
                    let target = world.target(&running, health.tally.timeout);
                    let reports = world.reports.clone();
                    match (probes, target) {
                        (Ok(probes), Some(target)) => {
                            Box::pin(
                                Prober { at, role, version, health, probes, target, reports, clock, resumed }.run(),
                            )
                            .await;
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
            Action::Stop { inst, signal, .. } => self.order(inst, Order::Stop(signal), mark),
            Action::Kill { inst, .. } => self.order(inst, Order::Kill, mark),
        }
    }

    fn order(&self, inst: InstanceId, order: Order, mark: Mark) {
        if let Some(entry) = self.live.get(&inst) {
            entry.order(order, mark);
        }
    }

    pub(super) fn running(&self, service: Option<&ServiceName>) -> Option<Vec<Found>> {
        let wanted = service.map(|name| self.brain.ix(name.as_str()).ok_or(())).transpose().ok()?;
        let chosen = self.live.values().filter(|l| wanted.is_none_or(|ix| l.seat.service == ix));
        let found = chosen.filter_map(|l| {
            let running = l.running.clone()?;
            Some((l.seat.slot.replica, self.world.runtime(&running.request.service.runtime)?, running))
        });
        Some(found.collect())
    }

    /// Tells where the stack stands, if that has changed. Looks at all of it only at the end.
    pub(super) fn stand(&self, now: Moment) {
        let standing = match self.going_down {
            false => Standing::Wanted,
            true if self.live.is_empty() && self.brain.snapshot(now).all_down() => Standing::Down,
            true => Standing::GoingDown,
        };
        self.standing.send_if_modified(|shown| std::mem::replace(shown, standing) != standing);
    }

    fn watched(&self) -> bool {
        self.published.receiver_count() > 0
    }

    /// Publications of a big stack are rarer: each costs time in proportion to its services.
    fn gap(&self) -> Duration {
        let services = u64::try_from(self.published.borrow().snapshot.services.len()).unwrap_or(u64::MAX);
        Duration::from_micros(services.saturating_mul(50).clamp(1_000, 50_000))
    }

    pub(super) fn next_version(&self) -> u64 {
        self.published.borrow().version + 1
    }

    fn publish(&mut self, now: Moment) {
        if self.stale && self.watched() && now.since(self.last_published) >= self.gap() {
            self.publish_now(now);
        }
    }

    pub(super) fn publish_now(&mut self, now: Moment) -> Arc<Status> {
        let new = Arc::new(status(&self.brain, &self.live, &self.world, now, self.next_version(), self.going_down));
        self.published.send_replace(Arc::clone(&new));
        self.stale = false;
        self.last_published = now;
        new
    }
}
