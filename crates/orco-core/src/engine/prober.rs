//! Asks one instance's probes again and again, and tells the brain what they said.
//!
//! While starting, the first question comes at once and a failing one is asked again after 1 ms,
//! doubling up to the interval; once it passed, every interval, in a phase that differs per instance so
//! that probes never come in herds. Thresholds are the brain's business.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::sleep;

use crate::{
    model::{Fact, InstanceId, ProbeVersion, Role, Seat, Verdict},
    probe::{Probe, ProbeKind, Target},
    spec::{Health, ProbeSpec, expr::Tri},
};

use super::{
    clock::Clock,
    report::{Report, Reports},
};
use awake::{Heard, awake};

mod awake;

/// The first pause between two questions to an instance that is not ready yet.
const FIRST_RETRY: Duration = Duration::from_millis(1);

/// What is asked, of whom, and where the answers go.
#[derive(Debug)]
pub(super) struct Prober {
    pub(super) at: Seat,
    pub(super) role: Role,
    pub(super) version: ProbeVersion,
    pub(super) health: Health,
    pub(super) probes: Vec<Arc<dyn Probe>>,
    pub(super) target: Target,
    pub(super) reports: Reports,
    pub(super) clock: Clock,
    /// An earlier engine asked before, and it was ready then.
    pub(super) resumed: bool,
}

/// Held up for so long, this program cannot tell anything of a service.
const HELD_UP: Duration = Duration::from_secs(1);

/// Runtimes end commands that take too long, and then say so; whoever has not by then cannot tell.
const CUT_OFF: Duration = Duration::from_secs(15);

impl Prober {
    /// Runs until it is dropped, or until nothing can change any more (a log pattern was seen and
    /// nothing else is asked).
    pub(super) async fn run(&self) {
        let count = self.probes.len();
        let mut values: Vec<Option<Verdict>> = vec![None; count];
        let mut streams = FuturesUnordered::new();
        for index in (0..count).filter(|&i| self.probes[i].kind() == ProbeKind::Stream) {
            // What an earlier engine saw may be out of the log by now: not to see it again says nothing.
            values[index] = (!self.resumed).then(|| Verdict::Fail("not seen yet".into()));
            streams.push(async move { (index, guarded(&*self.probes[index], &self.target).await) });
        }
        let polls: Vec<usize> = (0..count).filter(|&i| self.probes[i].kind() == ProbeKind::Poll).collect();
        let mut pause = FIRST_RETRY;
        let mut passed = false;
        if self.resumed {
            sleep(spread(self.target.instance, self.health.tally.interval)).await;
        }
        loop {
            let verdict = self.round(&polls, &mut values).await;
            let pass = verdict == Verdict::Pass;
            // Only stream probes: nothing more will be asked, so the one answer stands for all passes.
            let times = if pass && polls.is_empty() { self.health.tally.success_threshold } else { 1 };
            for _ in 0..times {
                self.tell(verdict.clone()).await;
            }
            if pass && !passed {
                passed = true;
                pause = phase(self.target.instance.0, self.health.tally.interval);
            } else if passed {
                pause = self.health.tally.interval;
            }
            if polls.is_empty() && streams.is_empty() {
                return;
            }
            let rest = async { if polls.is_empty() { std::future::pending().await } else { sleep(pause).await } };
            // Cancel-safe: a dropped sleep starts anew with the next pause, `streams` keeps its futures.
            tokio::select! {
                () = rest => {}
                Some((index, verdict)) = streams.next() => values[index] = Some(verdict),
            }
            if !passed {
                pause = (pause * 2).min(self.health.tally.interval);
            }
        }
    }

    /// Asks all polled probes at once; ends as soon as the expression is decided, so that a hung
    /// probe delays no other.
    async fn round(&self, polls: &[usize], values: &mut [Option<Verdict>]) -> Verdict {
        for &index in polls {
            values[index] = None;
        }
        let mut asked: FuturesUnordered<_> =
            polls.iter().map(|&index| async move { (index, self.ask(index).await) }).collect();
        loop {
            if self.value(values) == Tri::True {
                return Verdict::Pass;
            }
            match asked.next().await {
                Some((index, verdict)) => values[index] = Some(verdict),
                None => break,
            }
        }
        match self.value(values) {
            Tri::True => Verdict::Pass,
            Tri::False => Verdict::Fail(blame(values, false)),
            Tri::Unknown => Verdict::Unknown(blame(values, true)),
        }
    }

    /// A failure during which this program was held up is asked again: who was asked may have given up on us meanwhile.
    async fn ask(&self, index: usize) -> Verdict {
        let limit = self.limit(index);
        let (mut verdict, mut held_up) = self.once(index, limit).await;
        if matches!(verdict, Verdict::Fail(_)) && !held_up.is_zero() {
            (verdict, held_up) = self.once(index, limit).await;
            if matches!(verdict, Verdict::Fail(_)) && held_up > HELD_UP {
                return Verdict::Unknown("the engine was held up".into());
            }
        }
        verdict
    }

    async fn once(&self, index: usize, limit: Duration) -> (Verdict, Duration) {
        let question = guarded(&*self.probes[index], &self.target);
        let Heard { answer, held_up } = awake(self.clock, limit, self.cut_off(index), question).await;
        (answer.unwrap_or_else(|| self.too_late(index, limit)), held_up)
    }

    fn value(&self, values: &[Option<Verdict>]) -> Tri {
        self.health.check.expression.eval(&|index| match values.get(index) {
            Some(Some(Verdict::Pass)) => Tri::True,
            Some(Some(Verdict::Fail(_))) => Tri::False,
            Some(Some(Verdict::Unknown(_)) | None) | None => Tri::Unknown,
        })
    }

    fn limit(&self, index: usize) -> Duration {
        match self.health.check.probes.get(index) {
            Some(ProbeSpec::Cmd { timeout: Some(own), .. }) => *own,
            _ => self.health.tally.timeout,
        }
    }

    /// How much longer than its limit a probe may take that somebody else cuts off.
    fn cut_off(&self, index: usize) -> Duration {
        match self.health.check.probes.get(index) {
            Some(ProbeSpec::Cmd { .. }) => CUT_OFF,
            _ => Duration::ZERO,
        }
    }

    fn too_late(&self, index: usize, limit: Duration) -> Verdict {
        if !self.cut_off(index).is_zero() {
            return Verdict::Unknown("the runtime does not say how the command went".into());
        }
        let name = self.health.check.probes.get(index).map_or("probe", ProbeSpec::name);
        Verdict::Fail(format!("{name} timeout after {}", crate::model::human(limit)).into())
    }

    async fn tell(&self, verdict: Verdict) {
        let fact =
            Fact::Probed { at: self.at, inst: self.target.instance, role: self.role, version: self.version, verdict };
        self.reports.send(Report::Fact(fact)).await;
    }
}

/// A probe that panics cannot tell; it does not take the prober with it.
async fn guarded(probe: &dyn Probe, target: &Target) -> Verdict {
    match AssertUnwindSafe(probe.check(target)).catch_unwind().await {
        Ok(verdict) => verdict,
        Err(_) => Verdict::Unknown("the probe panicked".into()),
    }
}

/// The first thing that a user should read: a failure, or what could not be told.
fn blame(values: &[Option<Verdict>], unknown: bool) -> Arc<str> {
    let mut found = None;
    for value in values.iter().flatten() {
        match value {
            Verdict::Fail(why) if !unknown || found.is_none() => found = found.or(Some(Arc::clone(why))),
            Verdict::Unknown(why) if unknown => return Arc::clone(why),
            Verdict::Pass | Verdict::Fail(_) | Verdict::Unknown(_) => {}
        }
    }
    found.unwrap_or_else(|| "the expression is false".into())
}

/// Where in its interval an instance that was ready before is asked first, so that a thousand that are taken over
/// together are not asked together.
fn spread(instance: InstanceId, interval: Duration) -> Duration {
    let part = u32::try_from(instance.0 % 1000).unwrap_or(0);
    interval * part / 1000
}

/// Where in its interval an instance is asked: somewhere in the second half, by its random id.
fn phase(instance: u128, interval: Duration) -> Duration {
    let part = u32::try_from(instance % 1000).unwrap_or(0);
    interval / 2 + interval * part / 2000
}

#[cfg(test)]
mod tests;
