//! Deletes the oldest output, and counts it first.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use super::{
    format::{Open, Stem},
    gone::{Gone, numbers, replace},
    milestones,
    record::Origin,
    seal::seal,
    segment::{Summary, present},
    settings::LogSettings,
    store::{Held, used},
};
use crate::model::ServiceName;

/// What was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Dropped {
    /// Lines.
    pub lines: u64,
    /// Bytes of output.
    pub bytes: u64,
    /// Segments.
    pub segments: u64,
}

/// So many instances of a replica of which nothing is left keep a count of their own. A reader that
/// is further behind than that misses the count, not more.
const COUNTS_KEPT: usize = 64;

/// What a round came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Trimmed {
    /// What was deleted.
    pub dropped: Dropped,
    /// Segments that live instances are writing and that are to be closed, for they grow too old.
    pub turn: Vec<(Origin, u64)>,
    /// The Unix time in microseconds at which something will be too old.
    pub next: Option<u64>,
}

/// A segment that may be deleted, after those of its instance that come before it.
struct Victim {
    /// When it began, but never before what must be deleted first.
    key: (u64, usize, u64),
    size: u64,
    /// The time of its last entry.
    until: u64,
    is_last: bool,
    is_gone: bool,
}

/// One round over everything that is held.
struct Round<'a> {
    held: &'a [Held],
    victims: Vec<Victim>,
    /// Bytes of segments that are left, by service, and of counts.
    sizes: BTreeMap<&'a ServiceName, u64>,
    /// Segments that are left, by replica.
    counts: BTreeMap<(&'a ServiceName, u32), u64>,
    used: u64,
    out: Trimmed,
}

/// A segment spans at most this part of the age at which it goes, or a larger one where few may be left: a line goes that
/// much too late.
const SPAN: u64 = 8;

pub(super) fn trim(
    held: &[Held],
    settings: &LogSettings,
    now: u64,
    is_live: &dyn Fn(&Origin) -> bool,
) -> io::Result<Trimmed> {
    let limits = || settings.services.values().chain([&settings.limits]);
    let by_size_alone =
        limits().all(|l| l.max_total_size.is_none() && l.max_file_age.is_none() && l.max_file_count.is_none());
    let used = used(held);
    if by_size_alone && used <= settings.max_total_size {
        return Ok(Trimmed::default());
    }
    let mut round = Round::look(held, settings, now, used, is_live)?;
    round.by_age(settings, now)?;
    round.by_count(settings)?;
    round.by_size_of_service(settings)?;
    round.by_size(settings.max_total_size)?;
    fold(held, is_live)?;
    Ok(round.out)
}

impl<'a> Round<'a> {
    fn look(
        held: &'a [Held],
        settings: &LogSettings,
        now: u64,
        used: u64,
        is_live: &dyn Fn(&Origin) -> bool,
    ) -> io::Result<Self> {
        let (sizes, counts, out) = (BTreeMap::new(), BTreeMap::new(), Trimmed::default());
        let mut round = Self { held, victims: Vec::new(), sizes, counts, used, out };
        let mut floor: BTreeMap<_, u64> = BTreeMap::new();
        for (index, held) in held.iter().enumerate() {
            let Origin { service, replica, .. } = &held.origin;
            let live = is_live(&held.origin);
            let gone = Gone::read(&held.dir, held.stem)?;
            let floor = floor.entry((service, replica)).or_default();
            for (i, &(n, size)) in held.segments.iter().enumerate() {
                let is_last = i + 1 == held.segments.len();
                if n < gone.next {
                    // Counted by somebody who died before the deed.
                    unlink(&held.dir, held.stem, n)?;
                    round.used -= size;
                    continue;
                }
                *round.sizes.entry(service).or_default() += size;
                *round.counts.entry((service, *replica)).or_default() += 1;
                let summary = Summary::read(&held.dir, held.stem, n)?;
                let first = summary.and_then(|s| s.first_micros);
                if live && is_last {
                    round.turn_if_old(held, n, first, settings, now);
                    continue;
                }
                *floor = first.unwrap_or(0).max(*floor);
                let until = summary.and_then(|s| s.last_micros).unwrap_or(0);
                round.victims.push(Victim { key: (*floor, index, n), size, until, is_last, is_gone: false });
            }
        }
        round.victims.sort_unstable_by_key(|v| v.key);
        Ok(round)
    }

    /// What a silent instance has written must be closed before it can go.
    fn turn_if_old(&mut self, held: &Held, n: u64, first: Option<u64>, settings: &LogSettings, now: u64) {
        let Some(first) = first else { return };
        let Some(age) = age(settings, held) else { return };
        // Where only a few may be left, those closed for their age alone would push out what is not old.
        let count = settings.of(&held.origin.service).max_file_count.map_or(u64::MAX, u64::from);
        let at = first.saturating_add(age / SPAN.min(count.saturating_sub(1)).max(1));
        if at <= now {
            self.out.turn.push((held.origin.clone(), n));
        } else {
            self.expires(at);
        }
    }

    fn expires(&mut self, at: u64) {
        self.out.next = Some(self.out.next.map_or(at, |next| next.min(at)));
    }

    /// Deletes one, if nothing of its instance is before it.
    fn delete(&mut self, at: usize) -> io::Result<()> {
        let Victim { key: (_, index, n), size, is_last, .. } = self.victims[at];
        let held = &self.held[index];
        delete(held, n, is_last, &mut self.out.dropped)?;
        self.victims[at].is_gone = true;
        self.used -= size;
        let Origin { service, replica, .. } = &held.origin;
        if let Some(left) = self.sizes.get_mut(service) {
            *left -= size;
        }
        if let Some(left) = self.counts.get_mut(&(service, *replica)) {
            *left -= 1;
        }
        Ok(())
    }

    /// The oldest go as long as `is_due` says so of their instance and time.
    fn each(&mut self, mut is_due: impl FnMut(&mut Self, &'a Held, u64) -> bool) -> io::Result<()> {
        let all = self.held;
        for at in 0..self.victims.len() {
            let Victim { key: (_, index, _), until, is_gone, .. } = self.victims[at];
            if !is_gone && is_due(self, &all[index], until) {
                self.delete(at)?;
            }
        }
        Ok(())
    }

    fn by_age(&mut self, settings: &LogSettings, now: u64) -> io::Result<()> {
        // Those after one that stays stay too: a clock may have jumped, and counts have no holes.
        let mut stays = BTreeSet::new();
        self.each(|round, held, until| {
            let Some(age) = age(settings, held) else { return false };
            let at = until.saturating_add(age);
            let Origin { service, replica, .. } = &held.origin;
            if at <= now && !stays.contains(&(service, *replica)) {
                return true;
            }
            stays.insert((service, *replica));
            if at > now {
                round.expires(at);
            }
            false
        })
    }

    fn by_count(&mut self, settings: &LogSettings) -> io::Result<()> {
        self.each(|round, held, _| {
            let Origin { service, replica, .. } = &held.origin;
            let left = round.counts.get(&(service, *replica)).copied().unwrap_or(0);
            settings.of(service).max_file_count.is_some_and(|most| left > most.into())
        })
    }

    fn by_size_of_service(&mut self, settings: &LogSettings) -> io::Result<()> {
        self.each(|round, held, _| {
            let service = &held.origin.service;
            let left = round.sizes.get(service).copied().unwrap_or(0);
            settings.of(service).max_total_size.is_some_and(|most| left > most)
        })
    }

    fn by_size(&mut self, most: u64) -> io::Result<()> {
        self.each(|round, _, _| round.used > most)
    }
}

/// The age at which an instance's output goes, in microseconds.
fn age(settings: &LogSettings, held: &Held) -> Option<u64> {
    let age = settings.of(&held.origin.service).max_file_age?;
    Some(u64::try_from(age.as_micros()).unwrap_or(u64::MAX))
}

/// Counts a segment, then deletes it. It is the first one left of its instance.
fn delete(held: &Held, n: u64, is_last: bool, dropped: &mut Dropped) -> io::Result<()> {
    let gone = Gone::read(&held.dir, held.stem)?;
    let (mut lines, mut open) = seal(&held.dir, held.stem, n, (gone.lines, gone.open))?;
    if is_last {
        // The instance is over: what it did not finish were lines too.
        lines += open.count();
        open = Open::default();
    }
    let size = present(fs::metadata(held.dir.join(held.stem.log(n))))?.map_or(0, |m| m.len());
    let begin = Summary::read(&held.dir, held.stem, n)?.map_or(gone.bytes, |s| s.begin);
    Gone { lines, bytes: begin + size, open, next: n + 1 }.write(&held.dir, held.stem)?;
    unlink(&held.dir, held.stem, n)?;
    dropped.lines += lines - gone.lines;
    dropped.bytes += size;
    dropped.segments += 1;
    Ok(())
}

fn unlink(dir: &Path, stem: Stem, n: u64) -> io::Result<()> {
    // First, for nobody looks for it where there are no bytes.
    milestones::remove(dir, stem, n)?;
    present(fs::remove_file(dir.join(stem.log(n))))?;
    present(fs::remove_file(dir.join(stem.idx(n))))?;
    Ok(())
}

/// Joins the counts of instances of which nothing else is left, the oldest, into one per replica:
/// `REPLICA.gone` with lines, bytes and the highest run in it.
fn fold(held: &[Held], is_live: &dyn Fn(&Origin) -> bool) -> io::Result<()> {
    let mut empty: BTreeMap<_, Vec<&Held>> = BTreeMap::new();
    for held in held {
        let is_empty = held.has_gone && !is_live(&held.origin) && is_all_gone(held)?;
        if is_empty {
            empty.entry((&held.origin.service, held.origin.replica)).or_default().push(held);
        }
    }
    for ((_, replica), list) in empty {
        let surplus = list.len().saturating_sub(COUNTS_KEPT);
        for held in &list[..surplus] {
            let path = held.dir.join(format!("{replica}.gone"));
            let [lines, bytes, through, _] = numbers(&path)?.unwrap_or_default();
            let run = u64::from(held.stem.run);
            // Not above it: joined already by somebody who died before the next line.
            if run > through {
                let gone = Gone::read(&held.dir, held.stem)?;
                replace(&path, [lines + gone.lines, bytes + gone.bytes, run, 0])?;
            }
            present(fs::remove_file(held.dir.join(held.stem.gone())))?;
        }
    }
    Ok(())
}

fn is_all_gone(held: &Held) -> io::Result<bool> {
    let gone = Gone::read(&held.dir, held.stem)?;
    Ok(held.segments.last().is_none_or(|&(n, _)| n < gone.next))
}

/// The highest run among a replica's forgotten instances.
pub(super) fn folded_run(dir: &Path, replica: u32) -> io::Result<u32> {
    let [_, _, run, _] = numbers(&dir.join(format!("{replica}.gone")))?.unwrap_or_default();
    Ok(u32::try_from(run).unwrap_or(u32::MAX))
}
