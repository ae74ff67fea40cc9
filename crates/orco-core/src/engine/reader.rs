//! Readers of logs that wait for more.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{FutureExt, Stream, future::select_all, stream};
use tokio::sync::watch;

use crate::{
    log::{Cursor, Follower, More, Origin, Query, Record, Start},
    probe::{Follow, RecordStream},
};

use super::logs::{CLOSED, Logs, Tail};

/// Records handed on at once.
const BATCH: usize = 512;

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

/// Several instances, merged by time.
struct Reading {
    logs: Arc<Logs>,
    query: Query,
    go_on: bool,
    arrivals: watch::Receiver<u64>,
    /// Arrivals that are known.
    seen: u64,
    /// `None`: not opened yet, or lost to a failed read.
    follower: Option<Follower>,
    /// Live instances, and how far each had been read when it last said that it has more.
    tails: BTreeMap<Origin, (Tail, Option<u64>)>,
}

/// What a query finds, and with `go_on` what comes, until the engine ends.
pub(super) fn follow(
    logs: Arc<Logs>,
    query: Query,
    go_on: bool,
) -> impl Stream<Item = Vec<Record>> + Send + 'static + use<> {
    let arrivals = logs.arrivals.subscribe();
    let reading = Reading { logs, query, go_on, arrivals, seen: 0, follower: None, tails: BTreeMap::new() };
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

impl Reading {
    async fn next(&mut self) -> Option<Vec<Record>> {
        loop {
            let closed = *self.arrivals.borrow_and_update() == CLOSED;
            // Learned before the files are read: what is written before an end is then not missed.
            let news = self.learn();
            let (batch, more) = self.read(news).await?;
            if !batch.is_empty() {
                return Some(batch);
            }
            match more {
                More::Now => {}
                More::Later | More::Never if !self.go_on || (closed && self.tails.is_empty()) => return None,
                More::Later | More::Never => self.wait().await,
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
            self.tails.entry(origin).or_insert((tail, None));
        }
        news
    }

    /// Reads on, on a thread where blocking is fine.
    async fn read(&mut self, news: News) -> Option<(Vec<Record>, More)> {
        let follower = self.follower.take();
        let (query, logs) = (self.query.clone(), Arc::clone(&self.logs));
        let done = self.logs.tasks.spawn_blocking(move || {
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
            let read = follower.poll(BATCH);
            Ok::<_, std::io::Error>((follower, read))
        });
        match done.await {
            Ok(Ok((follower, read))) => {
                self.follower = Some(follower);
                let read = read.map_err(|error| tracing::warn!(%error, "cannot read a log"));
                Some(read.unwrap_or((Vec::new(), More::Later)))
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot read the logs");
                None
            }
            Err(_) => None,
        }
    }

    /// Waits until an instance has more or is over, or a new one came. Cancel-safe.
    async fn wait(&mut self) {
        let Some(follower) = &self.follower else { return };
        let mut waits = Vec::with_capacity(self.tails.len());
        for (origin, (tail, fired_at)) in &self.tails {
            let seen = follower.read_bytes(origin);
            let last = *fired_at;
            waits.push(async move { tail.more(seen, last).await }.map(move |()| (origin, seen)).boxed());
        }
        let grown = async { if waits.is_empty() { std::future::pending().await } else { select_all(waits).await.0 } };
        // Both arms are cancel-safe: growth is asked again with the same position, a watch loses nothing.
        let fired = tokio::select! {
            (origin, seen) = grown => Some((origin.clone(), seen)),
            _ = self.arrivals.changed() => None,
        };
        if let Some((origin, seen)) = fired
            && let Some((_, fired_at)) = self.tails.get_mut(&origin)
        {
            *fired_at = Some(seen);
        }
    }
}
