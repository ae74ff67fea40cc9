//! Which lines somebody wants to see.

use std::{collections::BTreeMap, io, sync::Arc};

use regex::bytes::{Regex, RegexBuilder};

use super::{
    follow::Follower,
    line::{Line, MAX_LINE_BYTES},
    mask::Masks,
    record::{Level, Origin, Source},
    settings::LogSettings,
    start::Start,
    store::Store,
};
use crate::model::ServiceName;

/// A compiled pattern takes at most this much memory.
const PATTERN_BYTES: usize = 1 << 20;

/// Which lines somebody wants to see. Records that say that lines are missing pass every filter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query {
    /// These services; all if empty.
    pub services: Vec<ServiceName>,
    /// Only this replica.
    pub replica: Option<u32>,
    /// Only this incarnation.
    pub run: Option<u32>,
    /// Only lines from this Unix time on (microseconds).
    pub since: Option<u64>,
    /// Only lines up to this Unix time (microseconds): an instance is read until its first line after it.
    pub until: Option<u64>,
    /// Only the last so many of the lines that pass everything else.
    pub tail: Option<u64>,
    /// When this was asked (Unix microseconds). `tail` counts what live instances wrote up to then: one that
    /// writes faster than it is read would be counted for ever.
    pub asked: Option<u64>,
    /// Ends at what live instances wrote up to `asked`.
    pub only_past: bool,
    /// Only this level and above.
    pub level: Option<Level>,
    /// Only lines that match; see [`Query::pattern`].
    pub grep: Option<Regex>,
    /// Only lines that do not match `grep`.
    pub invert: bool,
    /// Only from this source.
    pub source: Option<Source>,
    /// Longer lines are cut, where neither `settings` nor the log directory says.
    pub max_line_bytes: usize,
    /// In these instances only from the line of this number on: to go on where another reader ended.
    pub from: Arc<BTreeMap<Origin, u64>>,
    /// Says where each service's lines are cut; `None`: what the log directory says.
    pub settings: Option<Arc<LogSettings>>,
    /// What is hidden; `None`: what the log directory says. Filters see what is shown.
    pub masks: Option<Arc<Masks>>,
    /// Also what has come of a line without an end when its instance has been silent for a moment: for readers
    /// who show it and replace it by the whole line. Who counts lines must not ask for it.
    pub partial: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            replica: None,
            run: None,
            since: None,
            until: None,
            tail: None,
            asked: None,
            only_past: false,
            level: None,
            grep: None,
            invert: false,
            source: None,
            max_line_bytes: MAX_LINE_BYTES,
            from: Arc::default(),
            masks: None,
            partial: false,
            settings: None,
        }
    }
}

impl Query {
    /// Compiles a pattern for `grep`: linear in time, bounded in memory.
    ///
    /// # Errors
    /// A message that says what is wrong with it.
    pub fn pattern(text: &str) -> Result<Regex, String> {
        RegexBuilder::new(text)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            // Its last line says what; those before point into the pattern.
            .map_err(|error| {
                error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            })
    }

    /// Whether it asks for this instance at all.
    pub fn selects(&self, origin: &Origin) -> bool {
        (self.services.is_empty() || self.services.contains(&origin.service))
            && self.replica.is_none_or(|replica| replica == origin.replica)
            && self.run.is_none_or(|run| run == origin.run)
    }

    /// Whether it asks for this line of a selected instance.
    pub fn matches(&self, line: &Line<'_>) -> bool {
        if line.source == Source::System {
            return true;
        }
        self.source.is_none_or(|source| source == line.source)
            && self.since.is_none_or(|since| line.ts >= since)
            && self.until.is_none_or(|until| line.ts <= until)
            && self.grep.as_ref().is_none_or(|pattern| pattern.is_match(line.bytes) != self.invert)
            && self.level.is_none_or(|least| line.level() >= least)
    }

    /// Reads what a stack's files hold, with no instance alive. Blocking.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn read(&self, store: &Store) -> io::Result<Follower> {
        self.follow(store, &|_| false)
    }

    /// Reads what the files hold, then what the live instances add. Blocking.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn follow(&self, store: &Store, is_live: &dyn Fn(&Origin) -> bool) -> io::Result<Follower> {
        let mut query = self.clone();
        if query.settings.is_none() {
            query.settings = LogSettings::told(store.root())?.map(Arc::new);
        }
        Follower::open(query, store.clone(), is_live)
    }

    /// Whether lines that are still to be written cannot be asked for.
    pub(crate) fn is_past(&self) -> bool {
        self.until.zip(self.asked).is_some_and(|(until, asked)| until < asked)
    }

    /// Where to begin in this instance, which generally would be `start`.
    pub(super) fn start_in(&self, origin: &Origin, start: Start) -> Start {
        self.from.get(origin).map_or(start, |&line| Start::Line(line))
    }

    /// Where lines of a service are cut.
    pub(super) fn max_line_bytes(&self, service: &ServiceName) -> usize {
        self.settings.as_ref().map_or(self.max_line_bytes, |settings| settings.of(service).max_line_bytes)
    }

    /// Where to begin in each instance.
    pub(super) fn start(&self) -> Start {
        self.since.map_or(Start::Beginning, Start::Since)
    }
}
