//! One instance's output on its way from two pipes into segments.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use orco_core::log::format::{Entry, Kind};

use super::{
    resume::{self, Standing},
    segment::{Moved, Segment},
};
use crate::sys;

/// At most this much of one pipe before others get a turn.
const ROUND: usize = 256 << 10;

/// Who got less than this has most probably got all.
const SHORT: usize = 32 << 10;

/// Where an instance's output stands.
#[derive(Debug)]
pub(super) struct Log {
    dir: Box<[u8]>,
    stem: Box<[u8]>,
    pipes: [Option<File>; 2],
    segment: Option<Segment>,
    next_segment: u32,
    /// Bytes in all segments.
    total: u64,
    /// The stream and millisecond of the last index entry.
    last: Option<(usize, u64)>,
    /// Bytes that no disk took and no entry counts yet.
    dropped: u64,
    /// Its own size of segments, if it has one.
    pub(super) limit: Option<u64>,
    /// `Grew` is to be said beyond this.
    pub(super) armed: Option<u64>,
    /// Not read from, because the engine is behind.
    pub(super) paused: bool,
}

/// What became of one look at a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Emptied, or enough for one round.
    Idle,
    /// The pipe has ended and is closed.
    Ended,
    /// The segment of this number is full and closed.
    Rotated(u32),
}

impl Log {
    pub(super) fn new(dir: Box<[u8]>, stem: Box<[u8]>, pipes: [Option<OwnedFd>; 2]) -> Self {
        let pipes = pipes.map(|pipe| pipe.map(File::from));
        Self {
            dir,
            stem,
            pipes,
            segment: None,
            next_segment: 0,
            total: 0,
            last: None,
            dropped: 0,
            limit: None,
            armed: None,
            paused: false,
        }
    }

    /// Goes on where another keeper was interrupted: behind all that is there. Tells which segment it has found full.
    pub(super) fn resume(
        dir: Box<[u8]>,
        stem: Box<[u8]>,
        pipes: [Option<OwnedFd>; 2],
        limit: u64,
    ) -> (Self, Option<u32>) {
        let Standing { segment, next_segment, total, full } = resume::find(&dir, &stem, limit);
        let log = Self { segment, next_segment, total, ..Self::new(dir, stem, pipes) };
        (log, full)
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// The read end of stream 0 or 1, while it is open.
    pub(super) fn pipe(&self, stream: usize) -> Option<BorrowedFd<'_>> {
        self.pipes.get(stream)?.as_ref().map(AsFd::as_fd)
    }

    /// A pipe has ended.
    pub(super) fn close(&mut self, stream: usize) {
        if let Some(pipe) = self.pipes.get_mut(stream) {
            *pipe = None;
        }
    }

    /// Moves what waits in one pipe (something does), at most a round or up to the end of the segment.
    pub(super) fn pump(&mut self, stream: usize, micros: u64, limit: u64) -> Outcome {
        let mut left = ROUND;
        while left > 0 {
            let Some(pipe) = self.pipes.get_mut(stream).and_then(Option::take) else { return Outcome::Idle };
            let moved = self.move_some(&pipe, stream, micros, left, limit);
            match moved {
                Ok(0) => return Outcome::Ended,
                Ok(count) => {
                    self.pipes[stream] = Some(pipe);
                    left = left.saturating_sub(count);
                    if let Some(number) = self.rotate(limit) {
                        return Outcome::Rotated(number);
                    }
                    // Whatever is there yet, epoll tells: cheaper than to find the pipe empty.
                    if count < SHORT {
                        return Outcome::Idle;
                    }
                }
                Err(error) => {
                    let ended = !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                    if ended {
                        return Outcome::Ended;
                    }
                    self.pipes[stream] = Some(pipe);
                    return Outcome::Idle;
                }
            }
        }
        Outcome::Idle
    }

    /// Moves some bytes into the segment, or, where the disk does not take them, away. How many left the pipe.
    fn move_some(&mut self, pipe: &File, stream: usize, micros: u64, most: usize, limit: u64) -> io::Result<usize> {
        match self.store(pipe, stream, micros, most, limit) {
            Ok(count) => {
                self.total += count as u64;
                Ok(count)
            }
            Err(moved) if matches!(moved.error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Err(moved.error)
            }
            Err(moved) => {
                self.dropped += moved.lost;
                self.discard(pipe, most)
            }
        }
    }

    /// The entry before the bytes: a reader never sees bytes that it cannot place.
    fn store(&mut self, pipe: &File, stream: usize, micros: u64, most: usize, limit: u64) -> Result<usize, Moved> {
        let stays = |error| Moved { error, lost: 0 };
        let kind = if stream == 0 { Kind::Stdout } else { Kind::Stderr };
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => {
                self.last = None;
                let made = Segment::create(&self.dir, &self.stem, self.next_segment, self.total).map_err(stays)?;
                self.next_segment += 1;
                made
            }
        };
        let taken = (|| {
            if self.dropped > 0 {
                segment.note(Entry { offset: self.total, micros, kind: Kind::Gap(self.dropped) }).map_err(stays)?;
                self.dropped = 0;
                self.last = None;
            }
            let now = (stream, micros / 1000);
            if self.last != Some(now) {
                segment.note(Entry { offset: self.total, micros, kind }).map_err(stays)?;
                self.last = Some(now);
            }
            let room = usize::try_from(limit.saturating_sub(segment.length())).unwrap_or(usize::MAX);
            segment.take(pipe, most.min(room))
        })();
        self.segment = Some(segment);
        taken
    }

    /// Reads bytes that no disk takes, so that the service can go on.
    fn discard(&mut self, mut pipe: &File, most: usize) -> io::Result<usize> {
        let mut nowhere = [0; 16 << 10];
        let most = most.min(nowhere.len());
        let count = pipe.read(&mut nowhere[..most])?;
        self.dropped += count as u64;
        Ok(count)
    }

    /// Closes a full segment.
    pub(super) fn rotate(&mut self, limit: u64) -> Option<u32> {
        self.segment.as_ref().filter(|segment| segment.length() >= limit)?;
        self.segment = None;
        Some(self.next_segment - 1)
    }

    /// Closes the segment of this number, if it is the last one and holds anything, and makes the next one at once: so
    /// that everybody sees that it is closed. Where the disk does not let us it stays open.
    pub(super) fn turn(&mut self, number: u32) -> Option<u32> {
        let is_last = self.next_segment.checked_sub(1) == Some(number);
        if !is_last || self.segment.as_ref().is_some_and(|segment| segment.length() == 0) {
            return None;
        }
        let made = Segment::create(&self.dir, &self.stem, self.next_segment, self.total).ok()?;
        self.segment = Some(made);
        self.next_segment += 1;
        self.last = None;
        Some(number)
    }

    /// Moves all that is left, whatever the engine has acknowledged: at most two pipes' worth. Nobody writes.
    pub(super) fn finish(&mut self, micros: u64, limit: u64, mut rotated: impl FnMut(u32)) {
        for stream in 0..self.pipes.len() {
            while self.pipe(stream).is_some_and(|pipe| sys::waiting_bytes(pipe) > 0) {
                match self.pump(stream, micros, limit) {
                    Outcome::Rotated(number) => rotated(number),
                    Outcome::Idle | Outcome::Ended => {}
                }
            }
            self.pipes[stream] = None;
        }
        self.count_gap(micros);
        self.segment = None;
    }

    /// The last drop, which no later entry could count. On a disk that is still full it stays uncounted.
    fn count_gap(&mut self, micros: u64) {
        if self.dropped == 0 {
            return;
        }
        if self.segment.is_none() {
            self.segment = Segment::create(&self.dir, &self.stem, self.next_segment, self.total).ok();
        }
        if let Some(segment) = &mut self.segment {
            let _ = segment.note(Entry { offset: self.total, micros, kind: Kind::Gap(self.dropped) });
        }
    }
}
