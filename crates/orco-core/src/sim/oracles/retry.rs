//! I6, I7, I20, I25: how soon, how often and whether at all something is tried again.

use std::{sync::Arc, time::Duration};

use super::{Judge, Scene, Violation};
use crate::{
    brain::{Turn, Why},
    model::{EventData, EventKind, Moment, Seat},
    sim::{Chair, Wish, delay_bounds},
    spec::{RetryLimit, Service},
};

impl Judge {
    /// Before a start.
    pub(super) fn retry(&mut self, scene: Scene<'_>, at: Seat, service: &Arc<Service>) -> Result<(), Violation> {
        let Some(chair) = scene.ledger.seat(at) else {
            return Err(scene.broken("I9 seats are made first", scene.label(at)));
        };
        if chair.retired.is_some() {
            return Err(scene.broken("retired is final", scene.label(at)));
        }
        let wish = scene.wish(at.service);
        if wish.is_some_and(|w| !w.up) {
            return Err(scene.broken("nothing starts that is wanted down", scene.label(at)));
        }
        let (asked, named) = wish.map_or((Moment::ZERO, Moment::ZERO), |w| (w.asked, w.named));
        let retuned = wish.is_some_and(|w| w.retuned > chair.made);
        if let Some(done) = scene.ledger.done.get(&at)
            && named < *done
            && !matches!(chair.recycle, Some(Why::Dependency(_)))
        {
            return Err(scene.broken("I25 a success runs once", scene.label(at)));
        }
        let Some(ended) = chair.ended else { return Ok(()) };
        if asked < ended && !retuned {
            later(scene, at, chair, service, ended)?;
        }
        // What the operator asks for, or another port, is no restart.
        if asked < ended && !chair.excused { self.admission(scene, at) } else { Ok(()) }
    }

    /// I20: restarts per second, over any second.
    fn admission(&mut self, scene: Scene<'_>, at: Seat) -> Result<(), Violation> {
        let second = Duration::from_secs(1);
        while self.restarts.front().is_some_and(|first| *first + second <= scene.now) {
            self.restarts.pop_front();
        }
        self.restarts.push_back(scene.now);
        if self.restarts.len() > usize::try_from(self.limit).unwrap_or(usize::MAX) {
            let what = format!("{} is restart {} within a second", scene.label(at), self.restarts.len());
            return Err(scene.broken("I20 restarts per second", what));
        }
        Ok(())
    }

    /// After a turn: what it tells of restarts and failures.
    pub(super) fn told(&self, scene: Scene<'_>, turn: &Turn) -> Result<(), Violation> {
        for happening in &turn.happenings {
            whole(scene, happening.kind)?;
            let (Some(ix), Some(replica)) = (happening.service, happening.replica) else { continue };
            let Some(wish) = scene.wish(ix) else { continue };
            if happening.kind == EventKind::ServiceRestarting && !wish.up && wish.fell < scene.now {
                let what = format!("{}/{replica}: {}", wish.service.name, happening.message);
                return Err(scene.broken("nothing restarts that is wanted down", what));
            }
            let mut seats = scene.ledger.seats_of(ix).filter(|(slot, _)| slot.replica == replica).peekable();
            if seats.peek().is_none() || seats.any(|(_, chair)| chair.made == scene.now) {
                // It was taken away in the same turn.
                continue;
            }
            let mut chairs = scene.ledger.seats_of(ix).filter(|(slot, _)| slot.replica == replica);
            let service = &wish.service;
            match (happening.kind, &happening.data) {
                (EventKind::ServiceRestarting, EventData::Delay(delay)) => {
                    let fits = |chair: &Chair| {
                        let counts = chair.failures_low.saturating_sub(1)..=chair.failures_high.saturating_sub(1);
                        counts.into_iter().any(|n| {
                            let (low, high) = delay_bounds(&service.restart.backoff, n);
                            low <= *delay && *delay <= high
                        })
                    };
                    if !chairs.any(|(_, chair)| wish.retuned > chair.made || chair.excused || fits(chair)) {
                        let what = format!("{}/{replica} waits {delay:?}: {}", service.name, happening.message);
                        return Err(scene.broken("I6 delays within bounds", what));
                    }
                }
                (EventKind::ServiceFailed, _)
                    if !chairs.any(|(_, chair)| wish.retuned > chair.made || chair.may_be_given_up(service)) =>
                {
                    let what = format!("{}/{replica} given up: {}", service.name, happening.message);
                    return Err(scene.broken("I7 given up too early", what));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn later(scene: Scene<'_>, at: Seat, chair: &Chair, service: &Service, ended: Moment) -> Result<(), Violation> {
    if chair.is_used_up(service) {
        let limit: RetryLimit = service.restart.max_retries;
        let what = format!("{} started after {} failures, {limit:?}", scene.label(at), chair.failures_low);
        return Err(scene.broken("I7 no more restarts than allowed", what));
    }
    if chair.barred {
        return Err(scene.broken("I7 the policy forbids another try", scene.label(at)));
    }
    if chair.failures_low > 0 && chair.counted {
        let (low, _) = delay_bounds(&service.restart.backoff, chair.failures_low - 1);
        if ended + low > scene.now {
            let what = format!(
                "{} started {:?} after its end, failure {}, at least {low:?}",
                scene.label(at),
                scene.now.since(ended),
                chair.failures_low
            );
            return Err(scene.broken("I6 the delay is kept", what));
        }
    }
    Ok(())
}

/// What is told of the stack as a whole.
fn whole(scene: Scene<'_>, kind: EventKind) -> Result<(), Violation> {
    if kind == EventKind::StackStopped
        && let Some((inst, life)) = scene.ledger.live.keys().find_map(|ix| scene.ledger.live_of(*ix).next())
    {
        let what = format!("{} ({inst:?}) lives", scene.label(life.at));
        return Err(scene.broken("stopped only when nothing is left", what));
    }
    let missing = |wish: &&Wish| {
        let ix = scene.brain.ix(wish.service.name.as_str());
        wish.up && !ix.is_some_and(|ix| scene.is_ready(ix) || scene.done_of(ix) > 0)
    };
    if kind == EventKind::StackReady
        && let Some(wish) = scene.operator.wishes.values().find(missing)
    {
        return Err(scene.broken("all ready only when all are", format!("{} is not ready", wish.service.name)));
    }
    Ok(())
}
