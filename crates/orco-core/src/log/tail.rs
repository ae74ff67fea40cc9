//! The last lines of several instances: found from the end, so that it costs what is delivered and not what is there.

use std::io;

use super::{
    follow::{Beyond, Follower, More},
    line::Line,
    query::Query,
    start::{Start, reach},
    store::{Held, Store},
};

/// So many bytes are looked at of each instance at first, and a multiple of them where that was not enough.
const WINDOW: u64 = 4 << 10;
const GROWTH: u64 = 8;
/// What lines are taken to have, to begin with.
const TYPICAL: u64 = 128;

/// A reader of the last `tail` lines that match, and of what comes then.
///
/// All lines from some time on are counted; if they are too few, from an earlier time on. That time is the earliest among
/// the last bytes of the instance that writes most: of the others there is less to read.
pub(super) fn open(query: Query, store: &Store, held: &[Held], live: &[bool], tail: u64) -> io::Result<Follower> {
    let end = query.asked.filter(|_| query.only_past);
    let floor = query.since.unwrap_or(0);
    // Several may write as much as the one that writes most.
    let mut bytes = WINDOW.max(tail.saturating_mul(TYPICAL) / (held.len() as u64).max(1));
    loop {
        let mut since = floor;
        for held in held {
            since = since.max(reach(&held.dir, held.stem, bytes, query.until)?);
        }
        let is_all = since == floor;
        let start = if is_all { query.start() } else { Start::Since(since) };
        // Counted in a first pass, so that a long tail takes no memory. A live instance is counted as far as it was when
        // this was asked: one that writes faster than it is read would be counted for ever.
        let mut first = Follower::over(query.clone(), store, held, live, start, query.asked)?;
        let (mut lines, mut known) = (0_u64, 0_u64);
        let mut count = |line: &Line<'_>| match line.dropped {
            None => lines += 1,
            Some(missing) => known += missing,
        };
        while first.each(usize::MAX, |_, line| count(line))? == More::Now {}
        if is_all || lines >= tail {
            return first.again(held, live, start, end, Beyond { skip: lines.saturating_sub(tail), known });
        }
        bytes = bytes.saturating_mul(GROWTH);
    }
}
