//! The logger's loop.

use std::{
    collections::HashMap,
    io,
    os::fd::AsFd,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use orco_core::model::InstanceId;

use super::{
    front::Shared,
    log::{Log, Outcome},
    task::{Limits, LogReport, Task},
};

/// The epoll token of the alarm; others are a slot and a stream.
const ALARM: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Thread {
    shared: Arc<Shared>,
    limits: Limits,
    epoll: Epoll,
    slots: Vec<Option<(InstanceId, Log)>>,
    free: Vec<usize>,
    by_id: HashMap<InstanceId, usize>,
    /// Bytes in closed segments that the engine has not acknowledged.
    unacknowledged: u64,
}

fn token(slot: usize, stream: usize) -> u64 {
    (slot as u64) << 1 | stream as u64
}

fn now_micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

impl Thread {
    pub(super) fn new(shared: Arc<Shared>, limits: Limits) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(shared.tasks.alarm.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, ALARM))?;
        let (slots, free, by_id) = (Vec::new(), Vec::new(), HashMap::new());
        Ok(Self { shared, limits, epoll, slots, free, by_id, unacknowledged: 0 })
    }

    pub(super) fn run(mut self) {
        let mut events = vec![EpollEvent::empty(); 256];
        loop {
            let Ok(count) = self.epoll.wait(&mut events, EpollTimeout::NONE) else { continue };
            let micros = now_micros();
            let mut tasks = false;
            for event in &events[..count] {
                match event.data() {
                    ALARM => tasks = true,
                    data => {
                        let (slot, stream) = ((data >> 1) as usize, (data & 1) as usize);
                        self.pump(slot, stream, event.events().contains(EpollFlags::EPOLLIN), micros);
                    }
                }
            }
            if tasks && self.work() {
                return;
            }
        }
    }

    /// Does what was asked. True: to end.
    fn work(&mut self) -> bool {
        for task in self.shared.tasks.take() {
            match task {
                Task::Open { id, pipes, dir, stem } => self.open(id, Log::new(dir, stem, pipes.map(Some))),
                Task::Resume { id, pipes, dir, stem } => {
                    let (log, full) = Log::resume(dir, stem, pipes, self.limits.segment);
                    // The keeper that filled it may not have told.
                    if let Some(segment) = full {
                        self.unacknowledged += self.limits.segment;
                        self.shared.reports.put(LogReport::Rotated { id, segment });
                    }
                    self.open(id, log);
                }
                Task::Finish { id } => self.finish(id),
                Task::Arm { id, beyond } => self.arm(id, beyond),
                Task::Segments { id, bytes, turn } => self.settle(id, bytes, turn),
                Task::Acknowledge => self.acknowledge(),
                Task::Limits(limits) => {
                    self.limits = limits;
                    // Another engine: it says what holds for which log.
                    self.slots.iter_mut().flatten().for_each(|(_, log)| log.limit = None);
                }
                Task::Close => {
                    let all: Vec<InstanceId> = self.by_id.keys().copied().collect();
                    all.into_iter().for_each(|id| self.finish(id));
                    return true;
                }
            }
        }
        false
    }

    fn open(&mut self, id: InstanceId, log: Log) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.by_id.insert(id, slot);
        self.slots[slot] = Some((id, log));
        self.watch(slot);
    }

    /// Waits for both pipes of a log, as far as they are open.
    fn watch(&self, slot: usize) {
        let Some(Some((_, log))) = self.slots.get(slot) else { return };
        for stream in 0..2 {
            if let Some(pipe) = log.pipe(stream) {
                // Without memory for it the log is written at its end only; the service may have to wait.
                let _ = self.epoll.add(pipe, EpollEvent::new(EpollFlags::EPOLLIN, token(slot, stream)));
            }
        }
    }

    fn unwatch(&self, slot: usize) {
        let Some(Some((_, log))) = self.slots.get(slot) else { return };
        for stream in 0..2 {
            if let Some(pipe) = log.pipe(stream) {
                let _ = self.epoll.delete(pipe);
            }
        }
    }

    fn pump(&mut self, slot: usize, stream: usize, bytes: bool, micros: u64) {
        let Some(Some((id, log))) = self.slots.get_mut(slot) else { return };
        if log.paused {
            return;
        }
        // A pipe that ends is closed, which takes it out of the epoll set.
        if !bytes {
            return log.close(stream);
        }
        let limit = log.limit.unwrap_or(self.limits.segment);
        let outcome = log.pump(stream, micros, limit);
        if let Some(beyond) = log.armed
            && log.total() > beyond
        {
            log.armed = None;
            self.shared.reports.put(LogReport::Grew { id: *id, total: log.total() });
        }
        if let Outcome::Rotated(segment) = outcome {
            self.unacknowledged += limit;
            self.shared.reports.put(LogReport::Rotated { id: *id, segment });
            if self.unacknowledged > self.limits.unacknowledged {
                log.paused = true;
                self.unwatch(slot);
            }
        }
    }

    fn acknowledge(&mut self) {
        self.unacknowledged = 0;
        let paused = |entry: &Option<(InstanceId, Log)>| entry.as_ref().is_some_and(|(_, log)| log.paused);
        let slots: Vec<usize> = (0..self.slots.len()).filter(|slot| paused(&self.slots[*slot])).collect();
        for slot in slots {
            if let Some(Some((_, log))) = self.slots.get_mut(slot) {
                log.paused = false;
            }
            self.watch(slot);
        }
    }

    fn settle(&mut self, id: InstanceId, bytes: u64, turn: Option<u32>) {
        let Some(log) = self.log(id) else { return };
        log.limit = Some(bytes.max(1));
        let asked = turn.and_then(|number| log.turn(number));
        // What is longer than that now would have no room for a byte, which looks like a pipe's end.
        for segment in log.rotate(bytes.max(1)).into_iter().chain(asked) {
            self.shared.reports.put(LogReport::Rotated { id, segment });
        }
    }

    fn arm(&mut self, id: InstanceId, beyond: u64) {
        let Some(log) = self.log(id) else { return };
        let total = log.total();
        if total > beyond {
            self.shared.reports.put(LogReport::Grew { id, total });
        } else {
            log.armed = Some(beyond);
        }
    }

    fn log(&mut self, id: InstanceId) -> Option<&mut Log> {
        let slot = *self.by_id.get(&id)?;
        self.slots.get_mut(slot)?.as_mut().map(|(_, log)| log)
    }

    fn finish(&mut self, id: InstanceId) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        let Some((_, mut log)) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        self.free.push(slot);
        let limit = log.limit.unwrap_or(self.limits.segment);
        log.finish(now_micros(), limit, |segment| {
            self.unacknowledged += limit;
            self.shared.reports.put(LogReport::Rotated { id, segment });
        });
        self.shared.reports.put(LogReport::Finished { id, total: log.total() });
    }
}
