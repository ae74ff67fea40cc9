//! Readers of logs that wait for more.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::Duration,
};

use futures::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{
    log::{Cursor, Follower, Gather, Line, More, Origin, Query, Start, ndjson},
    model::ServiceName,
    probe::{Follow, RecordStream},
};

use super::{
    clock::{instant, wall_micros},
    handle::Engine,
    logs::{CLOSED, Logs},
    outputs::Tail,
};

/// Records handed to a probe at once.
const BATCH: usize = 512;
/// Lines handed on at once, if they are short.
const LINES: usize = 4096;
/// Who waits for more reads no more often than this: a log that pours brings much each time then, and what comes after a
/// silence is read at once all the same.
const PACE: Duration = Duration::from_millis(4);
/// An instance that has been silent for so long may be waiting for an answer: what it has printed is shown.
const SILENCE: Duration = Duration::from_millis(100);
/// What was written before the end of a query is in the files by then.
const GRACE: Duration = Duration::from_millis(300);

/// Follows one instance.
#[derive(Debug)]
pub(super) struct Instance(pub(super) Tail);

impl Follow for Instance {
    fn records(&self) -> RecordStream {
        let tail = self.0.clone();
        let cursor = Cursor::open(&tail.dir, tail.origin.clone(), Start::Beginning);
        let cursor = match cursor {
            Ok(cursor) => cursor,
            Err(error) => {
                tracing::warn!(%error, "cannot read this log");
                return Box::pin(stream::empty());
            }
        };
        Box::pin(stream::unfold((tail, cursor), |(tail, mut cursor)| async move {
            let mut before = None;
            loop {
                // Read before the files: what is written before the flag is set is then not missed.
                let ended = *tail.ended.borrow();
                if ended {
                    cursor.set_ended();
                }
                match cursor.batch(BATCH) {
                    Ok(batch) if !batch.is_empty() => return Some((batch, (tail, cursor))),
                    Ok(_) if ended => return None,
                    Ok(_) => {
                        let seen = cursor.read_bytes();
                        tail.more(seen, before).await;
                        before = Some(seen);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot read this log");
                        return None;
                    }
                }
            }
        }))
    }
}

impl Engine {
    /// As [`logs`](Self::logs), as NDJSON: whole lines, many at once. For passing on; nothing is allocated per line.
    pub fn logs_ndjson(&self, query: Query, follow: bool) -> impl Stream<Item = Vec<u8>> + Send + 'static + use<> {
        self.world().logs.stream::<ndjson::Batch>(query, follow)
    }

    /// Whether there is output of a service of this name, be it in the stack or not.
    pub async fn has_logs_of(&self, service: &ServiceName) -> bool {
        let (store, service) = (self.world().logs.store.clone(), service.clone());
        let look = move || store.instances().is_ok_and(|all| all.iter().any(|origin| origin.service == service));
        self.world().logs.tasks.spawn_blocking(look).await.unwrap_or(false)
    }
}

/// Several instances, merged by time. Only those that have more are read: a thousand quiet ones cost nothing.
struct Reading<G> {
    logs: Arc<Logs>,
    query: Query,
    go_on: bool,
    arrivals: watch::Receiver<u64>,
    /// Arrivals that are known.
    seen: u64,
    /// `None`: not opened yet, or lost to a failed read.
    follower: Option<Follower>,
    /// Live instances. Each is in `waits`, or `hungry`.
    tails: BTreeMap<Origin, Tail>,
    waits: FuturesUnordered<BoxFuture<'static, (Origin, u64)>>,
    /// Those that have more or are over, and how far each was read when it said so.
    hungry: BTreeMap<Origin, u64>,
    /// Whether it is time to see who came and who is over.
    stale: bool,
    /// A read failed: all are tried again.
    failed: bool,
    /// What has been read and not handed on.
    gather: G,
    /// When each instance with an unfinished line will have been silent for long enough.
    silent: BTreeMap<Origin, Instant>,
    /// When the query is over.
    over: Option<Instant>,
    /// The engine had ended before the files were last read.
    closed: bool,
    /// The next batch is being read while the last one is on its way: of each reader at most one.
    ahead: Option<JoinHandle<Read<G>>>,
    /// All that there was has been read: more is to be waited for first.
    rests: bool,
    /// When that was.
    rested: Option<Instant>,
}

/// What one look into the files gives: the reader and its lines back, and who was asked.
type Read<G> = io::Result<(Follower, G, Vec<Origin>, io::Result<More>)>;

/// What a query finds, and with `go_on` what comes, until the engine ends.
pub(super) fn follow<G: Gather + Default>(
    logs: Arc<Logs>,
    query: Query,
    go_on: bool,
) -> impl Stream<Item = G::Batch> + Send + 'static + use<G> {
    let left = query.until.map(|until| Duration::from_micros(until.saturating_sub(wall_micros())));
    let reading = Reading {
        // A time that no clock reaches is none.
        over: left.filter(|_| go_on).and_then(|left| instant().checked_add(left + GRACE)),
        gather: G::default(),
        silent: BTreeMap::new(),
        arrivals: logs.arrivals.subscribe(),
        logs,
        query,
        go_on,
        seen: 0,
        follower: None,
        tails: BTreeMap::new(),
        waits: FuturesUnordered::new(),
        hungry: BTreeMap::new(),
        stale: true,
        failed: false,
        closed: false,
        ahead: None,
        rests: false,
        rested: None,
    };
    stream::unfold(reading, |mut reading| async move { reading.next().await.map(|batch| (batch, reading)) })
}

/// What a reader has learned about instances before it reads on.
#[derive(Default)]
struct News {
    /// Came since.
    come: Vec<Origin>,
    /// Are over, with all their output in the files.
    over: Vec<Origin>,
    /// More came than anybody remembers: the directory knows.
    look: bool,
}

impl<G: Gather + Default> Reading<G> {
    async fn next(&mut self) -> Option<G::Batch> {
        loop {
            if std::mem::take(&mut self.rests) {
                self.wait().await;
            }
            let reading = match self.ahead.take() {
                Some(reading) => reading,
                None => self.begin(),
            };
            let more = self.finish(reading).await?;
            if more != More::Now {
                self.rest();
                let is_past = more == More::Never && self.query.is_past();
                let ends = is_past || !self.go_on || (self.closed && self.tails.is_empty());
                self.show_unfinished(ends);
                self.rests = !ends;
                if let Some(batch) = self.gather.take() {
                    return Some(batch);
                }
                if ends {
                    return None;
                }
            } else if let Some(batch) = self.gather.take() {
                self.ahead = Some(self.begin());
                return Some(batch);
            }
        }
    }

    /// Gives what silent instances have printed without ending the line. `all`: nothing more is waited for.
    fn show_unfinished(&mut self, all: bool) {
        let Some(follower) = self.follower.as_mut().filter(|_| self.query.partial) else { return };
        let now = instant();
        let Self { silent, gather, .. } = self;
        let is_due = |origin: &Origin| all || silent.get(origin).is_some_and(|due| *due <= now);
        follower.unfinished(|origin, line| gather.push(origin, line), is_due);
        silent.retain(|_, due| *due > now);
    }

    /// Notes who has begun a line, or gone on with it.
    fn listen(&mut self, read: &[Origin]) {
        let Some(follower) = self.follower.as_ref().filter(|_| self.query.partial) else { return };
        let due = instant() + SILENCE;
        for origin in read {
            self.silent.remove(origin);
        }
        for origin in follower.with_unfinished() {
            if !self.silent.contains_key(origin) {
                self.silent.insert(origin.clone(), due);
            }
        }
    }

    /// Takes note of instances that came and went.
    fn learn(&mut self) -> News {
        let arrivals = self.logs.since(self.seen);
        self.seen = arrivals.count;
        let mut news = News { look: arrivals.origins.is_none(), ..News::default() };
        let mut live: BTreeMap<Origin, Tail> = arrivals.tails.into_iter().map(|t| (t.origin.clone(), t)).collect();
        live.retain(|origin, _| self.query.selects(origin));
        self.tails.retain(|origin, _| {
            let stays = live.contains_key(origin);
            if !stays {
                self.hungry.remove(origin);
                news.over.push(origin.clone());
            }
            stays
        });
        news.come = arrivals.origins.unwrap_or_default();
        news.come.retain(|origin| self.query.selects(origin));
        news.over.extend(news.come.iter().filter(|origin| !live.contains_key(*origin)).cloned());
        if news.look {
            // One that has just come may have no files for the directory to show.
            news.come.extend(live.keys().cloned());
        }
        for (origin, tail) in live {
            if !self.tails.contains_key(&origin) {
                self.watch(&tail, 0, None);
                self.tails.insert(origin, tail);
            }
        }
        news
    }

    /// Waits for more of one instance.
    fn watch(&self, tail: &Tail, seen: u64, before: Option<u64>) {
        let tail = tail.clone();
        self.waits.push(Box::pin(async move {
            tail.more(seen, before).await;
            (tail.origin, seen)
        }));
    }

    /// An instance has more, or is over.
    fn fired(&mut self, origin: Origin, seen: u64) {
        if let Some(tail) = self.tails.get(&origin) {
            self.stale |= *tail.ended.borrow() || tail.ended.has_changed().is_err();
            self.hungry.insert(origin, seen);
        }
    }

    /// All that there was has been read: those that were hungry are waited for again.
    fn rest(&mut self) {
        self.rested = Some(instant());
        let Some(follower) = &self.follower else { return };
        for (origin, before) in std::mem::take(&mut self.hungry) {
            if let Some(tail) = self.tails.get(&origin) {
                self.watch(tail, follower.read_bytes(&origin), Some(before));
            }
        }
    }

    /// Begins to read on, on a thread where blocking is fine.
    fn begin(&mut self) -> JoinHandle<Read<G>> {
        while let Some(Some((origin, seen))) = self.waits.next().now_or_never() {
            self.fired(origin, seen);
        }
        self.stale |= self.arrivals.has_changed().unwrap_or(true);
        self.closed = *self.arrivals.borrow_and_update() == CLOSED;
        // Learned before the files are read: what is written before an end is then not missed.
        let news = if std::mem::take(&mut self.stale) { self.learn() } else { News::default() };
        if self.over.is_some_and(|over| over <= instant()) {
            // What is there now is the last.
            (self.go_on, self.over) = (false, None);
            self.hungry.extend(self.tails.keys().map(|origin| (origin.clone(), 0)));
        }
        self.read(news)
    }

    fn read(&mut self, news: News) -> JoinHandle<Read<G>> {
        let follower = self.follower.take();
        let mut gather = std::mem::take(&mut self.gather);
        let (query, logs) = (self.query.clone(), Arc::clone(&self.logs));
        let all = std::mem::take(&mut self.failed) || news.look;
        let grown: Vec<Origin> = self.hungry.keys().chain(&news.over).cloned().collect();
        self.logs.tasks.spawn_blocking(move || {
            // Asked for after the directory was listed: what was found and does not live by then is complete.
            let live = OnceCell::new();
            let is_live = |origin: &Origin| {
                let list = || logs.tails().into_iter().map(|t| t.origin).collect::<BTreeSet<_>>();
                live.get_or_init(list).contains(origin)
            };
            let mut follower = match follower {
                Some(follower) => follower,
                None => query.follow(&logs.store, &is_live)?,
            };
            news.come.into_iter().for_each(|origin| follower.add(origin));
            if news.look {
                logs.store.instances()?.into_iter().for_each(|origin| follower.add(origin));
                follower.only_live(&is_live);
            }
            news.over.iter().for_each(|origin| follower.ended(origin));
            let take = |origin: &Origin, line: &Line<'_>| gather.push(origin, line);
            let read = if all { follower.each(LINES, take) } else { follower.each_of(&grown, LINES, take) };
            Ok((follower, gather, grown, read))
        })
    }

    /// Takes what was read. `None`: nothing can be.
    async fn finish(&mut self, reading: JoinHandle<Read<G>>) -> Option<More> {
        match reading.await {
            Ok(Ok((follower, gather, grown, read))) => {
                (self.follower, self.gather) = (Some(follower), gather);
                self.listen(&grown);
                Some(read.unwrap_or_else(|error| {
                    tracing::warn!(%error, "cannot read a log");
                    self.failed = true;
                    More::Later
                }))
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot read the logs");
                None
            }
            Err(_) => None,
        }
    }

    /// Waits until an instance has more or is over, a new one came, or the time has come that something waits for.
    /// Without such a time there is no timer. Cancel-safe.
    async fn wait(&mut self) {
        let alarm = self.silent.values().copied().chain(self.over).min();
        // All arms are cancel-safe: a set of futures, a watch and a point in time lose nothing.
        let fired = tokio::select! {
            Some(fired) = self.waits.next() => Some(fired),
            () = tokio::time::sleep_until(alarm.unwrap_or_else(instant)), if alarm.is_some() => None,
            _ = self.arrivals.changed() => {
                self.stale = true;
                None
            }
        };
        let Some((origin, seen)) = fired else { return };
        self.fired(origin, seen);
        if let Some(next) = self.rested.map(|rested| rested + PACE).filter(|next| *next > instant()) {
            tokio::time::sleep_until(next).await;
        }
    }
}
