//! Deletes the oldest output, and counts it first.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::{
    format::{Open, Stem},
    gone::{Gone, numbers, replace},
    record::Origin,
    seal::seal,
    segment::{Summary, present},
    store::{Held, used},
};

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

struct Victim {
    /// When it began, but never before what must be deleted first.
    key: (u64, usize, u64),
    size: u64,
    is_last: bool,
}

pub(super) fn retain(held: Vec<Held>, limit: u64, is_live: &dyn Fn(&Origin) -> bool) -> io::Result<Dropped> {
    let mut dropped = Dropped::default();
    let mut used = used(&held);
    if used <= limit {
        return Ok(dropped);
    }
    let mut victims = Vec::new();
    let mut floor: BTreeMap<_, u64> = BTreeMap::new();
    for (index, held) in held.iter().enumerate() {
        let live = is_live(&held.origin);
        let gone = Gone::read(&held.dir, held.stem)?;
        let floor = floor.entry((&held.origin.service, held.origin.replica)).or_default();
        for (i, &(n, size)) in held.segments.iter().enumerate() {
            let is_last = i + 1 == held.segments.len();
            if n < gone.next {
                // Counted by somebody who died before the deed.
                unlink(&held.dir, held.stem, n)?;
                used -= size;
            } else if !(live && is_last) {
                let summary = Summary::read(&held.dir, held.stem, n)?;
                *floor = summary.and_then(|s| s.first_micros).unwrap_or(0).max(*floor);
                victims.push(Victim { key: (*floor, index, n), size, is_last });
            }
        }
    }
    victims.sort_unstable_by_key(|v| v.key);
    for Victim { key: (_, index, n), size, is_last } in victims {
        if used <= limit {
            break;
        }
        delete(&held[index], n, is_last, &mut dropped)?;
        used -= size;
    }
    fold(&held, is_live)?;
    Ok(dropped)
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
