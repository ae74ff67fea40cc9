//! Reads several instances in the order of time, and goes on as they grow.

mod merge;

pub(super) use merge::Beyond;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io,
    path::PathBuf,
    sync::Arc,
};

use super::{
    cursor::Cursor,
    line::{Line, Step},
    mask::{Mask, Masks},
    parse,
    query::Query,
    record::{Origin, Record},
    segment::Summary,
    start::{Place, Start, place},
    store::{Held, Store},
    tail,
};
use crate::log::{format::Stem, gone::Gone};

/// Whether there is more to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum More {
    /// Yes, now: the limit was reached.
    Now,
    /// Not before an instance grows or ends, or a new one comes.
    Later,
    /// All instances have ended and are read.
    Never,
}

/// Reads several instances, merged by time, and goes on as they grow.
///
/// It holds no file open and does nothing while nobody calls it. What has been written when it is
/// asked comes in the order of time; of two instances that grow at once, the one that is read later
/// may bring an earlier line. Opens instances one by one, so that old ones cost nothing until their
/// turn comes. Its methods read files: call them where blocking is fine.
#[derive(Debug)]
pub struct Follower {
    query: Query,
    store: Store,
    lanes: Vec<Lane>,
    index: BTreeMap<Origin, usize>,
    /// Lanes that have a line, or might, by time.
    ready: BinaryHeap<Reverse<(u64, usize)>>,
    beyond: Beyond,
    /// Later lines of live instances are not for this reader.
    end: Option<u64>,
    masks: Arc<Masks>,
    /// A line with its secrets hidden.
    masked: Vec<u8>,
}

#[derive(Debug)]
struct Lane {
    origin: Origin,
    dir: PathBuf,
    start: Start,
    /// Where that is, once it was found.
    place: Option<Place>,
    is_live: bool,
    state: State,
    /// What is hidden, as of this generation of the masks.
    mask: (u64, Option<Arc<Mask>>),
}

impl Lane {
    /// What is hidden in its lines now.
    fn mask(&mut self, masks: &Masks) -> Option<Arc<Mask>> {
        let generation = masks.generation();
        if self.mask.0 != generation {
            self.mask = (generation, masks.of(&self.origin.service));
        }
        self.mask.1.clone()
    }
}

#[derive(Debug)]
enum State {
    /// Not opened yet; its first line is not before the time it has in `ready`.
    Closed,
    /// It has a line, and is in `ready`.
    Line(Box<Cursor>),
    /// It has none now.
    Idle(Box<Cursor>),
    /// It never will again.
    Over,
}

impl Follower {
    pub(super) fn open(query: Query, store: Store, is_live: &dyn Fn(&Origin) -> bool) -> io::Result<Self> {
        let held = store.held(|origin| query.selects(origin))?;
        // Asked for after the directory was listed: what was found and does not live by then is complete.
        let live: Vec<bool> = held.iter().map(|held| is_live(&held.origin)).collect();
        let end = query.asked.filter(|_| query.only_past);
        if let Some(tail) = query.tail {
            return tail::open(query, &store, &held, &live, tail);
        }
        let start = query.start();
        Self::over(query, &store, &held, &live, start, end)
    }

    /// Over what is held, each from the same start.
    pub(super) fn over(
        query: Query,
        store: &Store,
        held: &[Held],
        live: &[bool],
        start: Start,
        end: Option<u64>,
    ) -> io::Result<Self> {
        let masks = match &query.masks {
            Some(masks) => Arc::clone(masks),
            None => Arc::new(Masks::open(store.root())?),
        };
        let query = Query { masks: Some(Arc::clone(&masks)), ..query };
        let mut follower = Self {
            query,
            store: store.clone(),
            lanes: Vec::new(),
            index: BTreeMap::new(),
            ready: BinaryHeap::new(),
            beyond: Beyond::default(),
            end,
            masks,
            masked: Vec::new(),
        };
        for (held, live) in held.iter().zip(live) {
            let is_past = !live && matches!(start, Start::Since(since) if held.ended_before(since));
            let start = follower.query.start_in(&held.origin, start);
            follower.push(held.origin.clone(), start, *live);
            if is_past && let Some(lane) = follower.lanes.last_mut() {
                lane.state = State::Over;
            }
        }
        Ok(follower)
    }

    /// Begins where another one began that has read the same and is not needed any more, and leaves lines out.
    pub(super) fn again(
        self,
        held: &[Held],
        live: &[bool],
        start: Start,
        end: Option<u64>,
        beyond: Beyond,
    ) -> io::Result<Self> {
        let Self { query, store, lanes, .. } = self;
        let mut again = Self { beyond, ..Self::over(query, &store, held, live, start, end)? };
        for (lane, before) in again.lanes.iter_mut().zip(lanes) {
            lane.place = before.place;
        }
        Ok(again)
    }

    /// An instance that has just come; read from its beginning. Does nothing if it is known or not
    /// asked for.
    pub fn add(&mut self, origin: Origin) {
        if self.query.selects(&origin) && !self.index.contains_key(&origin) {
            let start = self.query.start_in(&origin, Start::Beginning);
            self.push(origin, start, true);
        }
    }

    /// An instance is over and all its output is in the files.
    pub fn ended(&mut self, origin: &Origin) {
        let Some(&index) = self.index.get(origin) else { return };
        let lane = &mut self.lanes[index];
        lane.is_live = false;
        if let State::Line(cursor) | State::Idle(cursor) = &mut lane.state {
            cursor.set_ended();
        }
    }

    /// Says that all known instances but these are over.
    pub fn only_live(&mut self, is_live: &dyn Fn(&Origin) -> bool) {
        let over: Vec<Origin> = self.index.keys().filter(|origin| !is_live(origin)).cloned().collect();
        over.iter().for_each(|origin| self.ended(origin));
    }

    /// How many bytes of an instance's output have been read; 0 where it was not opened yet.
    pub fn read_bytes(&self, origin: &Origin) -> u64 {
        match self.index.get(origin).map(|&index| &self.lanes[index].state) {
            Some(State::Line(cursor) | State::Idle(cursor)) => cursor.read_bytes(),
            Some(State::Closed | State::Over) | None => 0,
        }
    }

    fn push(&mut self, origin: Origin, start: Start, is_live: bool) {
        let dir = self.store.dir(&origin.service);
        let (index, from) = (self.lanes.len(), begun(&dir, &origin));
        self.ready.push(Reverse((from, index)));
        self.index.insert(origin.clone(), index);
        self.lanes.push(Lane { origin, dir, start, place: None, is_live, state: State::Closed, mask: (0, None) });
    }

    /// The next lines as records, at most `limit` and of 256 KiB in all, after asking every instance for more.
    ///
    /// # Errors
    /// When an instance's files cannot be read; the others go on with the next call. A live one is
    /// tried again, an ended one is given up.
    pub fn poll(&mut self, limit: usize) -> io::Result<(Vec<Record>, More)> {
        let mut records = Vec::new();
        let more = self.each(limit, |origin, line| records.push(parse::record(origin, line)))?;
        Ok((records, more))
    }

    /// As [`poll`](Self::poll), but asks only these instances for more: for callers who know which have grown.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub fn poll_of(&mut self, grown: &[Origin], limit: usize) -> io::Result<(Vec<Record>, More)> {
        let mut records = Vec::new();
        let more = self.each_of(grown, limit, |origin, line| records.push(parse::record(origin, line)))?;
        Ok((records, more))
    }

    /// As [`poll`](Self::poll), with the lines as they lie in the buffer.
    ///
    /// # Errors
    /// As [`poll`](Self::poll); the lines before are delivered.
    pub fn each(&mut self, limit: usize, mut line: impl FnMut(&Origin, &Line<'_>)) -> io::Result<More> {
        for index in 0..self.lanes.len() {
            self.ask(index)?;
        }
        self.merge(limit, &mut line)
    }

    /// As [`each`](Self::each), but asks only these instances for more: for callers who know which
    /// have grown.
    ///
    /// # Errors
    /// As [`each`](Self::each).
    pub fn each_of(
        &mut self,
        grown: &[Origin],
        limit: usize,
        mut line: impl FnMut(&Origin, &Line<'_>),
    ) -> io::Result<More> {
        for origin in grown {
            if let Some(&index) = self.index.get(origin) {
                self.ask(index)?;
            }
        }
        self.merge(limit, &mut line)
    }

    /// All there is, in batches of at most `limit` records; ends where there is nothing more now.
    pub fn batches(mut self, limit: usize) -> impl Iterator<Item = io::Result<Vec<Record>>> {
        let mut more = More::Now;
        std::iter::from_fn(move || {
            while more == More::Now {
                match self.poll(limit) {
                    Ok((records, next)) => {
                        more = next;
                        if !records.is_empty() {
                            return Some(Ok(records));
                        }
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
            None
        })
    }

    /// Lets an idle instance read on.
    fn ask(&mut self, index: usize) -> io::Result<()> {
        if matches!(self.lanes[index].state, State::Idle(_)) { self.go_on(index) } else { Ok(()) }
    }

    /// Brings a lane that is not in `ready` to its next line, and puts it there if there is one.
    fn go_on(&mut self, index: usize) -> io::Result<()> {
        if self.step(index)?
            && let State::Line(cursor) = &self.lanes[index].state
        {
            self.ready.push(Reverse((cursor.line().map_or(0, |line| line.ts), index)));
        }
        Ok(())
    }

    /// Brings a lane to its next line. False: it has none now.
    fn step(&mut self, index: usize) -> io::Result<bool> {
        let lane = &mut self.lanes[index];
        let mut cursor = match std::mem::replace(&mut lane.state, State::Over) {
            State::Line(cursor) | State::Idle(cursor) => cursor,
            State::Over => return Ok(false),
            State::Closed => {
                let stem = Stem { replica: lane.origin.replica, run: lane.origin.run };
                let found = lane.place.map_or_else(|| place(&lane.dir, stem, lane.start), Ok);
                if found.is_err() && lane.is_live {
                    lane.state = State::Closed;
                    self.ready.push(Reverse((0, index)));
                }
                let place = *lane.place.insert(found?);
                let cursor = Cursor::open_at(&lane.dir, lane.origin.clone(), place);
                let mut cursor = Box::new(cursor.max_line_bytes(self.query.max_line_bytes(&lane.origin.service)));
                if !lane.is_live {
                    cursor.set_ended();
                }
                cursor
            }
        };
        match cursor.advance() {
            Ok(Step::Line) => {
                lane.state = State::Line(cursor);
                Ok(true)
            }
            // What it may still write comes after what was asked for.
            Ok(Step::Idle) if self.query.is_past() => Ok(false),
            Ok(Step::Idle) => {
                lane.state = State::Idle(cursor);
                Ok(false)
            }
            Ok(Step::End) => Ok(false),
            Err(error) => {
                if lane.is_live {
                    lane.state = State::Idle(cursor);
                }
                Err(error)
            }
        }
    }
}

/// The earliest time at which an instance can have a line; 0 if that is not known.
fn begun(dir: &std::path::Path, origin: &Origin) -> u64 {
    let stem = Stem { replica: origin.replica, run: origin.run };
    let first = Gone::read(dir, stem).and_then(|gone| Summary::read(dir, stem, gone.next));
    first.ok().flatten().and_then(|summary| summary.first_micros).unwrap_or(0)
}
