//! The arithmetic of maxSurge and maxUnavailable: which seats to make and which to retire now. One
//! function for first start, scaling, replacement and rollback: a strategy only says which seats
//! should exist.

use crate::{
    model::SlotKey,
    spec::{Amount, Update},
};

/// What a seat contributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Ready for `minReady` (or completed).
    Available,
    /// Ready, but not long enough to count as new; a leaver in this state serves.
    Serving,
    /// Not ready; may become so.
    Coming,
    /// Given up.
    Stuck,
}

/// A seat that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Which.
    pub key: SlotKey,
    /// It should exist.
    pub wanted: bool,
    /// It is on its way out already.
    pub leaving: bool,
    /// What it contributes.
    pub standing: Standing,
}

/// The limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Replicas wanted.
    pub replicas: u32,
    /// So many seats more than `replicas` at most.
    pub surge: u32,
    /// So many available ones fewer than `replicas` at most, by choice.
    pub unavailable: u32,
    /// No serving seat may go now (new ones could not start).
    pub hold: bool,
}

/// What to do now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[must_use]
pub struct Plan {
    /// Seats to make.
    pub create: Vec<SlotKey>,
    /// Seats to retire.
    pub retire: Vec<SlotKey>,
}

/// How many may be missing: a percentage rounds down.
pub fn unavailable(amount: Amount, replicas: u32) -> u32 {
    match amount {
        Amount::Count(count) => count,
        Amount::Percent(percent) => share(percent, replicas, 0),
    }
}

/// How many more there may be: a percentage rounds up.
pub fn surge(amount: Amount, replicas: u32) -> u32 {
    match amount {
        Amount::Count(count) => count,
        Amount::Percent(percent) => share(percent, replicas, 99),
    }
}

fn share(percent: u32, replicas: u32, round: u64) -> u32 {
    u32::try_from((u64::from(percent) * u64::from(replicas) + round) / 100).unwrap_or(u32::MAX)
}

/// How many replicas must be ready for the service to be Ready: all but `maxUnavailable`, and at least one.
pub fn quorum(update: &Update, replicas: u32) -> u32 {
    replicas.saturating_sub(unavailable(update.max_unavailable, replicas)).max(1)
}

/// Decides. `taken` are all seats there are, also those that are still stopping; `missing` are the wanted
/// seats that do not exist, by number.
pub fn pace(taken: &[Taken], missing: &[SlotKey], limits: Limits) -> Plan {
    let mut plan = Plan { create: create(taken, missing, limits), retire: Vec::new() };
    let (made, replicas) = (count(&plan.create), i64::from(limits.replicas));
    let min = (replicas - i64::from(limits.unavailable)).max(0);
    let total = count(taken) + made;
    let mut staying = taken.iter().filter(|s| !s.leaving).count() as i64 + made;
    let mut available = taken.iter().filter(|s| counts(s)).count() as i64;
    let mut surplus = total - replicas - i64::from(limits.surge);
    let on_way = taken.iter().filter(|s| s.wanted && !s.leaving && s.standing != Standing::Available);
    let coming = on_way.clone().count() as i64 + made;
    // A wanted seat that is leaving will be made anew.
    let comes_back = taken.iter().any(|s| s.wanted && s.leaving);
    let nobody_comes = made == 0 && !comes_back && on_way.clone().all(|s| s.standing == Standing::Stuck);
    for leaver in leavers(taken) {
        let goes = if counts(&leaver) {
            let enough = available > min;
            // A seat above the number of replicas does not wait for one that was given up.
            let shrinking = nobody_comes && missing.is_empty() && leaver.key.replica >= limits.replicas;
            !limits.hold && (enough || shrinking)
        } else {
            staying - min - coming > 0 || surplus > 0
        };
        if goes {
            staying -= 1;
            surplus -= 1;
            available -= i64::from(counts(&leaver));
            plan.retire.push(leaver.key);
        }
    }
    plan
}

fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// New seats count once they have been ready for `minReady`; old ones while they serve.
const fn counts(seat: &Taken) -> bool {
    !seat.leaving
        && match seat.standing {
            Standing::Available => true,
            Standing::Serving => !seat.wanted,
            Standing::Coming | Standing::Stuck => false,
        }
}

/// Free replica numbers come first, so that an old and a new seat of one number overlap as briefly as
/// possible; without surge they never do.
fn create(taken: &[Taken], missing: &[SlotKey], limits: Limits) -> Vec<SlotKey> {
    let room = u64::from(limits.replicas) + u64::from(limits.surge);
    let mut room = usize::try_from(room).unwrap_or(usize::MAX).saturating_sub(taken.len());
    let mut made = Vec::new();
    for busy in [false, true] {
        if busy && limits.surge == 0 {
            break;
        }
        for key in missing {
            if room > 0 && taken.iter().any(|s| s.key.replica == key.replica) == busy {
                made.push(*key);
                room -= 1;
            }
        }
    }
    made
}

/// Not serving first, then those whose number is available in a wanted seat, then the oldest, lowest.
fn leavers(taken: &[Taken]) -> Vec<Taken> {
    let replaced =
        |replica| taken.iter().any(|s| s.wanted && s.key.replica == replica && s.standing == Standing::Available);
    let mut leavers: Vec<_> = taken.iter().filter(|s| !s.wanted && !s.leaving).copied().collect();
    leavers.sort_by_key(|s| (counts(s), !replaced(s.key.replica), s.key));
    leavers
}

#[cfg(test)]
#[path = "pace/tests.rs"]
mod tests;
