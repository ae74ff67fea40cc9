//! Assertions on what services have printed.
//!
//! They read the log files that the services' output goes to, so they see everything from the first byte, drop nothing
//! and work the same for services of this process, of a host, and for instances that are long gone.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use orco_core::{
    log::{Follower, More, Query, Record, Source, Store},
    model::ServiceName,
};
use tokio::time::Instant;

use crate::Error;

/// How often files are looked at while somebody waits for a line.
const LOOK: Duration = Duration::from_millis(20);
/// Records taken at once.
const BATCH: usize = 1024;

/// What one service has printed and prints, all its replicas and runs together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logs {
    store: Store,
    service: Arc<str>,
    since: Option<u64>,
    this_start: bool,
    source: Option<Source>,
    /// Keeps the files.
    _held: Option<Arc<crate::room::Room>>,
}

impl Logs {
    pub(crate) fn new(dir: PathBuf, service: &str, held: Option<Arc<crate::room::Room>>) -> Self {
        Self {
            store: Store::new(dir),
            service: service.into(),
            since: None,
            this_start: false,
            source: None,
            _held: held,
        }
    }

    /// Only what is printed from now on.
    #[must_use]
    pub fn from_now(mut self) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.since = Some(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
        self
    }

    /// Only what each replica has printed since its last start.
    #[must_use]
    pub const fn since_start(mut self) -> Self {
        self.this_start = true;
        self
    }

    /// Only standard output, or only standard error.
    #[must_use]
    pub const fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// All records that there are now, in the order of time.
    ///
    /// # Errors
    /// [`Error::Place`] when the log cannot be read, [`Error::Refused`] when no service can have this name.
    pub async fn records(&self) -> Result<Vec<Record>, Error> {
        let (logs, query) = (self.clone(), self.query()?);
        self.blocking(move || Ok(logs.only_asked(read(&logs.store, &query)?))).await
    }

    /// How many lines match the pattern (a regular expression) now.
    ///
    /// # Errors
    /// As [`records`](Self::records), and [`Error::Pattern`].
    pub async fn count(&self, pattern: &str) -> Result<usize, Error> {
        let found = regex(pattern)?;
        Ok(self.records().await?.iter().filter(|record| found(record)).count())
    }

    /// Waits until a line matches the pattern (a regular expression), beginning with the first that there is, and gives
    /// its record. A line counts when it is complete. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::NoSuchLine`] when the time is over.
    pub async fn wait_for(&self, pattern: &str, within: Duration) -> Result<Record, Error> {
        let found = self.wait_for_count(pattern, 1, within).await?;
        found.into_iter().next().ok_or_else(|| self.none(pattern, (1, 0), within, None))
    }

    /// Waits until so many lines match the pattern, and gives the first so many. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::NoSuchLine`] when the time is over.
    pub async fn wait_for_count(&self, pattern: &str, wanted: usize, within: Duration) -> Result<Vec<Record>, Error> {
        let matches = regex(pattern)?;
        let query = self.query()?;
        let until = Instant::now() + within;
        let mut follower: Option<Follower> = None;
        let mut seen: Vec<Record> = Vec::new();
        while Instant::now() < until {
            let (logs, query, before) = (self.clone(), query.clone(), follower.take());
            let (next, batch) = self.blocking(move || logs.grown(&query, before)).await?;
            follower = Some(next);
            seen.extend(batch.into_iter().filter(|record| matches(record)));
            // A new start makes what was printed before it old.
            let current = self.current(std::mem::take(&mut seen)).await?;
            seen = current;
            if seen.len() >= wanted {
                seen.truncate(wanted);
                return Ok(seen);
            }
            tokio::time::sleep_until(until.min(Instant::now() + LOOK)).await;
        }
        // A last line without its end counts when nothing more is waited for.
        let all = self.records().await?;
        let mut found: Vec<Record> = all.iter().filter(|record| matches(record)).cloned().collect();
        if found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
        Err(self.none(pattern, (wanted, found.len()), within, all.last().map(|record| record.msg.clone())))
    }

    fn none(&self, pattern: &str, (wanted, found): (usize, usize), within: Duration, last: Option<String>) -> Error {
        let (service, pattern) = (self.service.to_string(), pattern.to_owned());
        Error::NoSuchLine { service, pattern, wanted, found, within, last }
    }

    fn query(&self) -> Result<Query, Error> {
        let name = ServiceName::new(&self.service).map_err(|e| Error::Refused(format!("`{}`: {e}", self.service)))?;
        let mut query = Query::default();
        query.services = vec![name];
        query.since = self.since;
        query.source = self.source;
        Ok(query)
    }

    /// What is there beyond what the follower has read.
    fn grown(&self, query: &Query, before: Option<Follower>) -> io::Result<(Follower, Vec<Record>)> {
        let mut follower = match before {
            Some(follower) => follower,
            None => query.follow(&self.store, &|_| true)?,
        };
        self.store.instances()?.into_iter().for_each(|origin| follower.add(origin));
        let mut all = Vec::new();
        loop {
            let (records, more) = follower.poll(BATCH)?;
            all.extend(records);
            if more != More::Now {
                return Ok((follower, all));
            }
        }
    }

    async fn current(&self, records: Vec<Record>) -> Result<Vec<Record>, Error> {
        if !self.this_start || records.is_empty() {
            return Ok(records);
        }
        let logs = self.clone();
        self.blocking(move || Ok(logs.only_asked(records))).await
    }

    /// Without those of earlier starts, where only the last one is asked for.
    fn only_asked(&self, mut records: Vec<Record>) -> Vec<Record> {
        if self.this_start {
            let runs = self.store.highest_runs().unwrap_or_default();
            let last = |record: &Record| {
                let of_replica = |(service, replica, _): &&(ServiceName, u32, u32)| {
                    *service == record.service && i64::from(*replica) == record.replica
                };
                runs.iter().find(of_replica).is_none_or(|(_, _, run)| record.run >= *run)
            };
            records.retain(last);
        }
        records
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let place = self.store.root().to_owned();
        let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
        done.and_then(|result| result).map_err(Error::place(place))
    }
}

/// Everything that the files hold now. Nothing printed yet is nothing.
pub(crate) fn read(store: &Store, query: &Query) -> io::Result<Vec<Record>> {
    let batches: io::Result<Vec<_>> = query.read(store)?.batches(BATCH).collect();
    Ok(batches?.into_iter().flatten().collect())
}

fn regex(pattern: &str) -> Result<impl Fn(&Record) -> bool + use<>, Error> {
    let compiled = Query::pattern(pattern).map_err(|why| Error::Pattern { pattern: pattern.to_owned(), why })?;
    Ok(move |record: &Record| record.source != Source::System && compiled.is_match(record.msg.as_bytes()))
}
