//! Writes what a runtime gives as a stream into segments, so that another engine can go on exactly where this one ended.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use futures::StreamExt;
use tokio::sync::watch;

use crate::{
    log::{Reached, Writer, format::Stem},
    runtime::{Growth, LogChunk, LogPosition, LogStream},
};

use super::{clock::wall_micros, logs::Logs};

/// A mark is renewed after so many bytes, or microseconds after the last one: what lies behind it another engine reads
/// twice, and skips.
const MARK_EVERY: (u64, u64) = (256 << 10, 2_000_000);

/// Where a stream goes.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) dir: PathBuf,
    pub(super) stem: Stem,
    /// What another engine has written until here.
    pub(super) from: Option<Reached>,
    /// Whether marks are written.
    pub(super) marks: bool,
    /// How long segments may be, and which one is to be closed.
    pub(super) segments: watch::Receiver<Segments>,
}

/// How long a stream's segments may be, and which one is to be closed now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segments {
    /// Bytes; 0: as the writer thinks fit.
    pub(super) bytes: u64,
    pub(super) turn: Option<u64>,
}

/// Writes a stream of output as segments until it ends.
pub(super) async fn write(logs: Arc<Logs>, mut stream: LogStream, target: Target, written: watch::Sender<u64>) {
    let made = match &target.from {
        Some(_) => Writer::resume(&target.dir, target.stem),
        None => Writer::create(&target.dir, target.stem),
    };
    let mut writer = match made {
        Ok(writer) => writer,
        Err(error) => {
            tracing::warn!(%error, dir = %target.dir.display(), "cannot write this log");
            return;
        }
    };
    let mut overlap = Overlap::new(&mut writer, target.from.as_ref());
    let mut marks = Marks::new(&target);
    written.send_replace(writer.written());
    let mut segments = target.segments.clone();
    settle(&mut writer, &mut segments);
    loop {
        // Both arms are cancel-safe: a stream and a watch lose nothing.
        let chunk = tokio::select! {
            chunk = stream.next() => chunk,
            Ok(()) = segments.changed() => {
                if settle(&mut writer, &mut segments) {
                    logs.rotated();
                }
                continue;
            }
        };
        let Some(LogChunk { stderr, bytes, position }) = chunk else { break };
        let bytes = overlap.beyond(&bytes);
        let before = writer.segment();
        // A full disk drops and counts; the service goes on.
        let now = wall_micros();
        let stored = writer.append(stderr, bytes, now);
        if let Err(error) = &stored {
            tracing::warn!(%error, "log bytes dropped");
        }
        marks.passed(&writer, position, stored.is_err(), now);
        written.send_replace(writer.written());
        if before != writer.segment() {
            logs.rotated();
        }
    }
    if let Err(error) = writer.finish(wall_micros()) {
        tracing::warn!(%error, "cannot finish a log");
    }
    Reached::remove(&target.dir, target.stem);
}

/// Does what was asked of the segments; true if one was closed.
fn settle(writer: &mut Writer, segments: &mut watch::Receiver<Segments>) -> bool {
    let Segments { bytes, turn } = *segments.borrow_and_update();
    if bytes > 0 {
        writer.limit(bytes);
    }
    let before = writer.segment();
    if let Some(number) = turn
        && let Err(error) = writer.turn(number)
    {
        tracing::debug!(%error, "cannot begin another segment of a log");
    }
    before != writer.segment()
}

/// What the segments hold already of what the stream gives again.
#[derive(Debug)]
struct Overlap(u64);

impl Overlap {
    fn new(writer: &mut Writer, from: Option<&Reached>) -> Self {
        let Some(mark) = from else { return Self(0) };
        // A machine that went down may have kept the mark and lost the bytes before it.
        writer.miss(mark.bytes.saturating_sub(writer.written()));
        Self(writer.written().saturating_sub(mark.bytes))
    }

    fn beyond<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let known = usize::try_from(self.0).unwrap_or(usize::MAX).min(bytes.len());
        self.0 -= known as u64;
        &bytes[known..]
    }
}

/// Renews the mark now and then.
#[derive(Debug)]
struct Marks<'a> {
    target: &'a Target,
    /// Bytes and microseconds at the last one.
    last: (u64, u64),
    /// Bytes were dropped since: a mark from before would let others count them twice.
    due: bool,
}

impl<'a> Marks<'a> {
    fn new(target: &'a Target) -> Self {
        Self { target, last: (0, wall_micros()), due: false }
    }

    fn passed(&mut self, writer: &Writer, position: Option<LogPosition>, dropped: bool, now: u64) {
        self.due |= dropped;
        let bytes = writer.written();
        let far = bytes.saturating_sub(self.last.0) >= MARK_EVERY.0 || now.abs_diff(self.last.1) >= MARK_EVERY.1;
        let Some(LogPosition(position)) = position.filter(|_| self.target.marks && (far || self.due)) else { return };
        let mark = Reached { bytes, position };
        match mark.write(&self.target.dir, self.target.stem) {
            Ok(()) => {
                self.due = false;
                self.last = (bytes, now);
            }
            Err(error) => tracing::debug!(%error, "cannot mark how far a log is"),
        }
    }
}

/// Growth of a log that the engine writes itself.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) bytes: watch::Receiver<u64>,
    pub(super) segments: watch::Sender<Segments>,
}

#[async_trait]
impl Growth for Written {
    async fn beyond(&self, seen: u64) {
        // An error: the writer is gone, so the output has ended.
        let _ = self.bytes.clone().wait_for(|n| *n > seen).await;
    }

    fn segments(&self, bytes: u64, turn: Option<u64>) {
        self.segments.send_replace(Segments { bytes, turn });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    #![allow(clippy::unwrap_used)]

    use futures::{SinkExt, channel::mpsc};

    use super::*;
    use crate::{
        log::{Query, Store},
        model::ServiceName,
        spec::Logging,
    };

    /// What the program prints, in pieces that are no lines.
    fn pieces(seed: u64, count: u64) -> Vec<Vec<u8>> {
        let text: Vec<u8> = (0..count).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
        let mut pieces = Vec::new();
        let mut rest = text.as_slice();
        let mut dice = seed | 1;
        while !rest.is_empty() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (piece, after) = rest.split_at(usize::try_from(1 + (dice >> 33) % 40).unwrap().min(rest.len()));
            pieces.push(piece.to_vec());
            rest = after;
        }
        pieces
    }

    /// Engines die at any piece, with marks that lag behind or do not exist; each goes on where the last one was.
    #[tokio::test]
    async fn whoever_goes_on_loses_and_doubles_nothing() {
        for seed in 0..40_u64 {
            let folder = tempfile::tempdir().unwrap();
            let logs = Arc::new(Logs::open(folder.path().join("logs"), Logging::default()).unwrap());
            let name = ServiceName::new("db").unwrap();
            let dir = logs.directory(&name).unwrap();
            let stem = Stem { replica: 0, run: 1 };
            let pieces = pieces(seed, 300);
            let mut from = None;
            let mut done = 0;
            while done < pieces.len() {
                let last = pieces.len().min(done + 1 + usize::try_from(seed * 7 % 61).unwrap());
                let begin = from.as_ref().map_or(0, |r: &Reached| r.position.parse().unwrap_or(0));
                let (mut send, stream) = mpsc::channel(1);
                let (turns, segments) = watch::channel(Segments::default());
                let target = Target { dir: dir.clone(), stem, from: from.take(), marks: false, segments };
                let (written, mut reached) = watch::channel(0);
                let task = tokio::spawn(write(Arc::clone(&logs), Box::pin(stream), target, written));
                for (at, piece) in pieces[begin..last].iter().enumerate() {
                    if seed % 3 == 0 && at % 5 == 0 {
                        turns.send_replace(Segments { bytes: 40 + seed, turn: Some(at as u64 / 5) });
                    }
                    send.send(LogChunk::new(false, piece.clone())).await.unwrap();
                }
                let bytes: usize = pieces[..last].iter().map(Vec::len).sum();
                reached.wait_for(|n| *n >= bytes as u64).await.unwrap();
                done = last;
                if last == pieces.len() {
                    drop(send);
                    task.await.unwrap();
                } else {
                    task.abort();
                    let _ = task.await;
                }
                // A mark that lags behind by as much as the seed says, or none at all.
                let lag = last.saturating_sub(usize::try_from(seed % 13).unwrap());
                let bytes = pieces[..lag].iter().map(Vec::len).sum::<usize>() as u64;
                let mark = Reached { bytes, position: lag.to_string() };
                from = Some(if seed % 5 == 0 { Reached::default() } else { mark });
            }
            let found = Query::default().follow(&Store::new(folder.path().join("logs")), &|_| false).unwrap();
            let lines: Vec<String> = found.batches(usize::MAX).flatten().flatten().map(|r| r.msg.to_string()).collect();
            let wanted: Vec<String> = (0..300).map(|line| format!("line {line}")).collect();
            assert_eq!(lines, wanted, "seed {seed}");
        }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nonsense_is_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let stem = Stem { replica: 3, run: 9 };
        assert_eq!(Reached::read(folder.path(), stem), Reached::default());
        let mark = Reached { bytes: 4_711, position: "1700000000123456789:2".to_owned() };
        mark.write(folder.path(), stem).unwrap();
        assert_eq!(Reached::read(folder.path(), stem), mark);
        assert!(Reached { bytes: 1, position: "a\nb".to_owned() }.write(folder.path(), stem).is_err());
        assert_eq!(Reached::read(folder.path(), stem), mark);
        for nonsense in ["", "12", "x y\n", "12 half"] {
            std::fs::write(folder.path().join(stem.at()), nonsense).unwrap();
            assert_eq!(Reached::read(folder.path(), stem), Reached::default(), "{nonsense:?}");
        }
    }
}
