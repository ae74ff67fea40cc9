//! What can be known of a seat: who sits there, and how often tries failed.

use super::{End, Life, is_success};
use crate::{
    brain::Why,
    model::{InstanceId, Moment},
    spec::{Condition, Kind, RetryLimit, Service},
};

/// A seat.
#[derive(Clone, Debug)]
pub struct Chair {
    /// When it was made.
    pub made: Moment,
    /// When it was retired.
    pub retired: Option<Moment>,
    /// Why its instance is being replaced, until it is.
    pub recycle: Option<Why>,
    /// Some instance has existed here.
    pub born: bool,
    /// The last try.
    pub last: Option<InstanceId>,
    /// When the last try ended.
    pub ended: Option<Moment>,
    /// Failures in a row: at least this many under any reading.
    pub failures_low: u32,
    /// At most this many.
    pub failures_high: u32,
    /// The policy forbids another try.
    pub barred: bool,
    /// The last end was a failure for sure.
    pub counted: bool,
    /// The last end was the fault of the port: the next try is no restart.
    pub excused: bool,
    /// What was so before the last try began.
    prior: Prior,
}

/// What a try changes when it begins.
#[derive(Clone, Copy, Debug, Default)]
struct Prior {
    ended: Option<Moment>,
    recycle: Option<Why>,
    barred: bool,
    excused: bool,
}

impl Chair {
    /// A fresh one.
    pub const fn new(now: Moment) -> Self {
        Self {
            made: now,
            retired: None,
            recycle: None,
            born: false,
            last: None,
            ended: None,
            failures_low: 0,
            failures_high: 0,
            barred: false,
            counted: false,
            excused: false,
            prior: Prior { ended: None, recycle: None, barred: false, excused: false },
        }
    }

    /// A try begins.
    pub const fn sit(&mut self, inst: InstanceId) {
        self.prior = Prior { ended: self.ended, recycle: self.recycle, barred: self.barred, excused: self.excused };
        self.last = Some(inst);
        self.recycle = None;
        self.ended = None;
        self.barred = false;
        self.excused = false;
    }

    /// The last try never was: an engine decided on it and died before it began.
    pub const fn stand(&mut self) {
        let Prior { ended, recycle, barred, excused } = self.prior;
        (self.ended, self.recycle, self.barred, self.excused) = (ended, recycle, barred, excused);
    }

    /// The clock counts from zero again.
    pub fn rebooted(&mut self) {
        self.made = Moment::ZERO;
        for at in [&mut self.retired, &mut self.ended, &mut self.prior.ended].into_iter().flatten() {
            *at = Moment::ZERO;
        }
    }

    /// A try ends.
    pub fn rise(&mut self, life: &Life, end: End, now: Moment) {
        let settled = life.is_settled(now);
        if settled || life.stable {
            self.failures_low = 0;
        }
        if settled {
            self.failures_high = 0;
        }
        self.ended = Some(now);
        let asked = life.was_ended(end);
        let lost = !life.was_ready && matches!(end, End::Exited { port_lost: true, .. });
        let (low, high) = match (asked, self.recycle) {
            (false, _) => (u32::from(!lost), 1),
            (true, Some(Why::Liveness | Why::StartTimeout | Why::StartUnknown)) => (1, 1),
            // Nobody knew whether it had started, and it had not, or was killed.
            (true, None) if life.unclear => (1, 1),
            (true, Some(Why::Dependency(_)) | None) => (0, 1),
        };
        self.counted = low > 0;
        self.failures_low += low;
        self.failures_high += high;
        self.excused = lost && !asked;
        self.barred = !asked && !lost && is_barred(&life.service, end);
    }

    /// The operator asked for it again.
    pub const fn cleared(&mut self) {
        self.failures_low = 0;
        self.barred = false;
    }

    /// More failures than the policy has retries, under the kindest reading.
    pub fn is_used_up(&self, service: &Service) -> bool {
        match service.restart.max_retries {
            RetryLimit::Limited(limit) => self.failures_low > limit,
            RetryLimit::Unlimited => false,
        }
    }

    /// It may have been given up, under the strictest reading.
    pub fn may_be_given_up(&self, service: &Service) -> bool {
        let used_up = match service.restart.max_retries {
            RetryLimit::Limited(limit) => self.failures_high > limit,
            RetryLimit::Unlimited => false,
        };
        used_up || self.barred || service.restart.condition == Condition::Never
    }
}

/// Whether the policy forbids another try after this end.
fn is_barred(service: &Service, end: End) -> bool {
    let policy = &service.restart;
    if let End::Exited { exit: crate::model::Exit::Code(code), .. } = end
        && policy.no_restart_exit_codes.contains(&code)
    {
        return true;
    }
    match policy.condition {
        Condition::Never => true,
        Condition::OnFailure => is_success(service, end),
        Condition::Always => service.kind == Kind::Oneshot && is_success(service, end),
    }
}
