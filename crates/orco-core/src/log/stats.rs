//! How much a stack has printed, counted when somebody asks.

use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt as _};

use super::{
    format::{ENTRY_LEN, Entry, HEADER_LEN, Kind, decode_header},
    gone::{Gone, numbers},
    record::Origin,
    segment::present,
    store::{Held, Store},
};
use crate::model::ServiceName;

/// How much one service has printed since its log began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LogStats {
    /// Lines that have ended, those that were dropped among them.
    pub lines: u64,
    /// Bytes, those that were dropped among them.
    pub bytes: u64,
    /// Lines that retention has deleted.
    pub dropped_lines: u64,
    /// Bytes that retention has deleted.
    pub dropped_bytes: u64,
    /// Bytes on disk, in whole blocks.
    pub disk_bytes: u64,
}

/// Counts lines, each only once: what was counted at one time is known at the next, and closed segments say it
/// themselves.
#[derive(Debug, Default)]
pub struct Counter {
    known: BTreeMap<Origin, Counted>,
}

/// How far one instance is counted: up to a byte of a segment's file.
#[derive(Clone, Copy, Debug)]
struct Counted {
    n: u64,
    at: u64,
    /// Up to there, all segments before among them.
    lines: u64,
    bytes: u64,
}

impl Counter {
    /// What each service has printed. Reads the directory and what has come since the last time; blocking.
    ///
    /// # Errors
    /// When something cannot be read; it may be called again.
    pub fn count(&mut self, store: &Store) -> io::Result<BTreeMap<ServiceName, LogStats>> {
        let (all, folded) = store.scan()?;
        let mut found: BTreeMap<ServiceName, LogStats> = BTreeMap::new();
        for (service, replica) in folded {
            let path = store.dir(&service).join(format!("{replica}.gone"));
            let [lines, bytes, _, _] = numbers(&path)?.unwrap_or_default();
            let stats = found.entry(service).or_default();
            stats.lines += lines;
            stats.bytes += bytes;
            stats.dropped_lines += lines;
            stats.dropped_bytes += bytes;
        }
        self.known.retain(|origin, _| all.iter().any(|held| held.origin == *origin));
        for held in &all {
            let gone = Gone::read(&held.dir, held.stem)?;
            let counted = self.one(held, gone)?;
            let stats = found.entry(held.origin.service.clone()).or_default();
            stats.lines += counted.lines;
            stats.bytes += counted.bytes;
            stats.dropped_lines += gone.lines;
            stats.dropped_bytes += gone.bytes;
            stats.disk_bytes += held.segments.iter().map(|(_, size)| size).sum::<u64>();
            self.known.insert(held.origin.clone(), counted);
        }
        Ok(found)
    }

    fn one(&self, held: &Held, gone: Gone) -> io::Result<Counted> {
        let begin = Counted { n: gone.next, at: 0, lines: gone.lines, bytes: gone.bytes };
        let known = self.known.get(&held.origin).copied().filter(|known| known.n >= gone.next);
        let mut counted = known.unwrap_or(begin);
        let from = counted.n;
        for &(n, _) in held.segments.iter().filter(|(n, _)| *n >= from) {
            if n > counted.n {
                counted = Counted { n, at: 0, ..counted };
            }
            match end(held, n)? {
                End::Absent => break,
                End::Closed { lines, bytes } => (counted.lines, counted.bytes) = (lines, bytes),
                End::Open { begin } => {
                    let (lines, at) = newlines(held, n, counted.at)?;
                    counted = Counted { n, at, lines: counted.lines + lines, bytes: begin + at };
                }
            }
        }
        Ok(counted)
    }
}

/// What a segment's index says of its end.
enum End {
    /// It is not there (yet, or any more).
    Absent,
    /// Lines and bytes up to its end, from the instance's beginning.
    Closed { lines: u64, bytes: u64 },
    /// Only its bytes know.
    Open { begin: u64 },
}

fn end(held: &Held, n: u64) -> io::Result<End> {
    let Some(idx) = present(File::open(held.dir.join(held.stem.idx(n))))? else { return Ok(End::Absent) };
    let mut header = [0; HEADER_LEN];
    if idx.read_at(&mut header, 0)? < HEADER_LEN {
        return Ok(End::Absent);
    }
    let Some(begin) = decode_header(&header) else { return Ok(End::Absent) };
    let entries = idx.metadata()?.len().saturating_sub(HEADER_LEN as u64) / ENTRY_LEN as u64;
    let mut last = [0; ENTRY_LEN];
    let at = HEADER_LEN as u64 + entries.saturating_sub(1) * ENTRY_LEN as u64;
    let got = if entries > 0 { idx.read_at(&mut last, at)? } else { 0 };
    Ok(match Entry::decode(&last[..got]) {
        Some(Entry { offset, kind: Kind::Footer { lines, .. }, .. }) => End::Closed { lines, bytes: offset },
        Some(_) | None => End::Open { begin },
    })
}

/// Ends of lines from there on, and where the bytes end.
fn newlines(held: &Held, n: u64, from: u64) -> io::Result<(u64, u64)> {
    let Some(log) = present(File::open(held.dir.join(held.stem.log(n))))? else { return Ok((0, from)) };
    let (mut lines, mut at, mut buf) = (0, from, vec![0; 64 << 10]);
    loop {
        match log.read_at(&mut buf, at)? {
            0 => return Ok((lines, at)),
            got => {
                lines += memchr::memchr_iter(b'\n', &buf[..got]).count() as u64;
                at += got as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::log::{Writer, format::Stem};

    #[test]
    fn every_line_is_counted_once_whatever_is_closed_or_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let api: ServiceName = "api".parse().unwrap();
        let stem = Stem { replica: 0, run: 1 };
        let mut writer = Writer::with_segment_bytes(&store.dir(&api), stem, 1000).unwrap();
        let mut counter = Counter::default();
        assert_eq!(counter.count(&store).unwrap().get(&api).copied().unwrap_or_default().lines, 0);
        let mut bytes = 0;
        for n in 0..500_u64 {
            let line = format!("line {n}\n");
            bytes += line.len() as u64;
            writer.append(n % 3 == 0, line.as_bytes(), n * 1000).unwrap();
            if n % 7 == 0 {
                let stats = counter.count(&store).unwrap()[&api];
                assert_eq!((stats.lines, stats.bytes), (n + 1, bytes));
            }
            if n == 250 {
                let dropped = store.retain(2 * 8192, &|_| true).unwrap();
                assert!(dropped.lines > 0);
            }
        }
        let known = counter.count(&store).unwrap()[&api];
        let anew = Counter::default().count(&store).unwrap()[&api];
        assert_eq!(known, anew);
        assert_eq!((known.lines, known.bytes), (500, bytes));
        assert!(known.dropped_lines > 0 && known.dropped_lines < 500 && known.disk_bytes > 0);
    }
}
